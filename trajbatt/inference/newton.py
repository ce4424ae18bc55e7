"""Newton's step to the minimum of a smooth function of a few numbers, by central differences."""

import numpy as np

STEP = 1e-3  # for derivatives


def polished(function, point):
    """Return the minimum after one step of Newton's, and the curvature there."""
    gradient, curvature = derivatives(function, point)
    with np.errstate(all="ignore"):
        better = point - inverse(curvature) @ gradient
    if np.all(np.isfinite(better)) and function(better) <= function(point):
        point = better
        _, curvature = derivatives(function, point)
    return point, curvature


def derivatives(function, point):
    """Return the gradient and the matrix of second derivatives, by central differences."""
    with np.errstate(invalid="ignore"):  # of infinite values, where it is impossible
        return _differences(function, point)


def _differences(function, point):
    n, h = point.size, STEP
    steps = h * np.eye(n)
    centre = function(point)
    up, down = ([function(point + sign * step) for step in steps] for sign in (1.0, -1.0))
    up, down = np.array(up), np.array(down)
    curvature = np.diag((up - 2.0 * centre + down) / h**2)
    for i in range(n):
        for j in range(i):
            corners = [
                a * b * function(point + a * steps[i] + b * steps[j])
                for a in (1.0, -1.0)
                for b in (1.0, -1.0)
            ]
            curvature[i, j] = curvature[j, i] = sum(corners) / (4.0 * h**2)
    return (up - down) / (2.0 * h), curvature


def inverse(curvature):
    """Return the inverse of a positive definite matrix; nan if it is not."""
    try:
        np.linalg.cholesky(curvature)
        return np.linalg.inv(curvature)
    except np.linalg.LinAlgError:
        return np.full_like(curvature, np.nan)
