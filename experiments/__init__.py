"""Scripts that check the package and show what it does."""
