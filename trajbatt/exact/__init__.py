"""Density matrices: the deterministic twin."""
