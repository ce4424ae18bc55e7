"""What a person and a machine want to know of a run: rows and JSON."""
