"""Quantum trajectories, one chunk at a time."""
