"""z-scores: differences in units of their standard errors."""

import numpy as np

# The Edgeworth series of a mean of n numbers of excess kurtosis k and skewness g: the chance of
# abs(z) > 3 is 1 + 2.5 k/n + 0.8 g^2/n times that of a normal one; up to 1.5 z is taken for one.
KURTOSIS_COUNTS, MOST_UNLIKE_NORMAL = 3.0, 0.6

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


def score_by_law(value, exact, ntraj, shares, law):
    """Return the z-score of an average over trajectories by the law of what each contributes.

    A sample's own standard error is too small when a sample has missed what is rare, and hangs
    together with the average; that of the law does not.

    Parameters
    ----------
    value, exact : float
        Their difference is, to first order, the average of `ntraj` independent shares.
    ntraj : int
    shares : ndarray (n,), float64
        What a trajectory may contribute; on average nothing.
    law : ndarray (n,), float64
        With which probabilities.

    Returns
    -------
    float
        nan where the average of so few is not normal.
    """
    second, third, fourth = (float(law @ shares**power) for power in (2, 3, 4))
    if second <= 0.0:
        return float(z_scores(value, exact, 0.0))
    excess, skewness = fourth / second**2 - 3.0, third / second**1.5
    if KURTOSIS_COUNTS * excess + skewness**2 > MOST_UNLIKE_NORMAL * ntraj:
        return np.nan
    return (value - exact) / np.sqrt(second / ntraj)
