"""Mathematics without a battery."""
