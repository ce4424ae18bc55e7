"""Statistics that tests share: verdicts as p-values, and means with their errors."""

import numpy as np
from scipy import stats


def p_of_scores(z):
    """Return the p-value of independent normal scores: that of the sum of their squares."""
    z = np.asarray(z)
    return stats.chi2.sf((z**2).sum(), z.size)


def p_of_binomial(seen, n, probability):
    """Return the p-value of numbers that were `seen` of n, each with a probability."""
    return p_of_scores((seen - n * probability) / np.sqrt(n * probability * (1 - probability)))


def p_of_numbers(numbers, probabilities):
    """Return the p-value of numbers, one of each trajectory, under a distribution.

    Numbers that are not expected more than 10 times go together (chi-squared).
    """
    seen = np.bincount(numbers, minlength=len(probabilities))
    expected = np.zeros(seen.size)
    expected[: len(probabilities)] = len(numbers) * np.asarray(probabilities)
    usual = expected > 10
    rest = seen[~usual].sum(), max(1e-12, len(numbers) - expected[usual].sum())
    return stats.chisquare(
        np.append(seen[usual], rest[0]), np.append(expected[usual], rest[1])
    ).pvalue


def smallest_p_value(a, b):
    """Of all samples at all times of two sets of trajectories (Kolmogorov-Smirnov)."""
    _, rows, times = a.shape
    return min(
        stats.ks_2samp(a[:, row, t], b[:, row, t]).pvalue
        for row in range(rows)
        for t in range(times)
    )


def mean_and_sem(values):
    """Return means over the first axis and their standard errors, unknown for a single value."""
    values = np.asarray(values, dtype=float)
    n = len(values)
    sem = values.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(values.shape[1:], np.nan)
    return values.mean(axis=0), sem


def coverage(estimates, exact, factor=1.96):
    """Return how many of the intervals value ± factor sem hold the exact value."""
    value, sem = (np.array(part) for part in zip(*estimates, strict=True))
    return np.mean(np.abs(value - exact) <= factor * sem)
