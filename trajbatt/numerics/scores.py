"""z-scores: differences in units of their standard errors."""

import numpy as np

# Differences of this relative size are rounding, in quantities that do not fluctuate.
ROUNDED = 1e-9


def z_scores(mean, exact, sem, scale=1.0):
    """Return (mean - exact)/sem, elementwise; 0 or inf for what does not fluctuate.

    Where the standard error is below 1e-9 of `scale`, or of the numbers themselves, it is rounding;
    then the score is 0 if mean and exact value agree to that, else inf with the difference's sign.
    """
    difference, sem = np.asarray(mean - exact), np.asarray(sem)
    scale = np.maximum(scale, np.maximum(np.abs(mean), np.abs(exact)))
    agrees = np.abs(difference) <= ROUNDED * scale
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(
            sem <= ROUNDED * scale,
            np.where(agrees, 0.0, np.copysign(np.inf, difference)),
            difference / sem,
        )
