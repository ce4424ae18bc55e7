"""What the tests compare with: independent references, records by hand, shared statistics."""
