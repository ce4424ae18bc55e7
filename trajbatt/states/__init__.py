"""States, and what is observed in them."""
