"""Clicks that cannot be, and when density matrices cannot tell."""

IMPOSSIBLE = 1e-14  # of the largest rate: less cannot be told from zero in a density matrix
PATIENCE = 5.0  # the trace falls by no more than the exponential of this before it is normalised


class ImpossibleRecordError(ValueError):
    """A record that cannot be under the model."""


class ImpossibleClickError(Exception):
    """A click that cannot be; its argument counts the clicks before it that were handed over."""
