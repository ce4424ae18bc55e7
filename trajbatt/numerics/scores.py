"""z-scores, and the tail of a weighted chi-squared distribution."""

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


def weighted_chi2_tail(q, weights):
    """Return P(sum_i weights_i chi^2_1 > q), by the saddle-point formula of Kuonen (1999).

    Its relative error is below 15 % down to the smallest probabilities, far less for many weights.
    """
    from scipy.optimize import brentq
    from scipy.special import log_ndtr

    weights, q = weights / weights.max(), q / weights.max()
    mean = weights.sum()

    def tail(q):
        def slope(s):
            return np.sum(weights / (1.0 - 2.0 * s * weights)) - q

        # K'(s) grows without bound at 1/2, as the largest weight is 1, and falls to 0 at -inf.
        low = -0.5 * weights.size / q
        high = 0.5 - 0.25 / (q + 1.0)
        s = brentq(slope, low, high, xtol=1e-15, rtol=1e-14)
        cumulant = -0.5 * np.sum(np.log1p(-2.0 * s * weights))
        curvature = 2.0 * np.sum((weights / (1.0 - 2.0 * s * weights)) ** 2)
        w = np.sign(s) * np.sqrt(2.0 * (s * q - cumulant))
        return log_ndtr(-(w + np.log(s * np.sqrt(curvature) / w) / w))

    # The formula is 0/0 at the mean itself; it is smooth there.
    if abs(q / mean - 1.0) < 1e-3:
        return float(np.exp(0.5 * (tail(mean * 0.998) + tail(mean * 1.002))))
    return float(np.exp(tail(q)))
