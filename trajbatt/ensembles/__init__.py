"""Many chunks: planned, run, stored, added up."""
