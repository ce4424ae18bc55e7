"""Checks, files and datasets: what knows nothing of physics."""
