"""Derivatives of smooth functions by central differences of high order."""

FOURTH = 2.0 / 3.0, -1.0 / 12.0  # weights of 1, 2, ... steps to both sides
EIGHTH = 4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0, -1.0 / 280.0


def slope(function, step, weights):
    """Return the derivative at 0 of a function of one number, which may give arrays.

    Parameters
    ----------
    function : callable
    step : float
    weights : tuple of float
        `FOURTH` or `EIGHTH`, the order of the error.
    """
    pairs = enumerate(weights, 1)
    return sum(w * (function(k * step) - function(-k * step)) for k, w in pairs) / step
