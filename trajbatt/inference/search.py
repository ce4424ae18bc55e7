"""The search for the parameters under which records are likeliest."""

import numpy as np

FIRST_STEP = 0.1  # of the scales
FLAT = 1e-6  # slope at the end, over the square root of the number of clicks


def least(minus_log, point, n_events, slopes=None):
    """Return where a function of a few numbers is smallest, and whether that was found.

    Parameters
    ----------
    minus_log : callable
        Of a point (n,); inf where it is impossible.
    point : ndarray (n,)
        Where the search begins.
    n_events : int
        The function is known the better for the more of them.
    slopes : callable, optional
        Of a point: the derivatives (n,), if they are known in closed form. Then it is a search of
        quasi-Newton's kind (BFGS), which takes a tenth of the steps; else a simplex goes downhill.
    """
    from scipy.optimize import minimize

    scale = np.sqrt(1.0 + n_events)
    if slopes is not None:
        with np.errstate(all="ignore"):
            found = minimize(
                minus_log, point, jac=slopes, method="BFGS", options={"gtol": FLAT * scale}
            )
        if found.success and np.isfinite(found.fun):
            return found.x, True
    simplex = np.vstack([point, point + FIRST_STEP * np.eye(point.size)])
    options = {"initial_simplex": simplex, "xatol": 1e-3 / scale, "fatol": 1e-4}
    found = minimize(minus_log, point, method="Nelder-Mead", options=options)
    return found.x, bool(found.success)
