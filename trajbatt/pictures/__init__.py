"""Figures: results in by attribute, artists out."""
