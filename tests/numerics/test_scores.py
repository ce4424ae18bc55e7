"""z-scores by the law of what each trajectory contributes."""

import numpy as np
import pytest
from scipy import stats

from trajbatt.numerics.scores import score_by_law


def poisson(mean, n=40):
    x = np.arange(float(n))
    return x, stats.poisson.pmf(x, mean)


def fano_scores(mean, ntraj, seeds=4000):
    """Return z of the Fano factors of samples, and the same by the samples' own errors."""
    x, law = poisson(mean)
    fano = 1.0
    shares = ((x - mean) ** 2 - fano * x) / mean
    rng = np.random.default_rng(5)
    found, own = [], []
    for _ in range(seeds):
        sample = rng.choice(x, ntraj, p=law / law.sum())
        centre = sample.mean()
        if centre == 0.0:
            continue
        factor = sample.var(ddof=1) / centre
        found.append(score_by_law(factor, fano, ntraj, shares, law))
        seen = ((sample - centre) ** 2 - factor * sample) / centre
        own.append((factor - fano) / (seen.std(ddof=1) / np.sqrt(ntraj)))
    return np.array(found), np.array(own)


def test_chances_of_large_scores():
    scores, _ = fano_scores(0.5, 1000)
    assert np.all(np.isfinite(scores))
    assert np.mean(np.abs(scores) > 2.0) == pytest.approx(0.0455, abs=0.015)
    assert np.mean(np.abs(scores) > 3.0) < 0.008


def test_too_few_trajectories_have_no_score():
    # Pairs of photons, which decide, come in one of two hundred trajectories.
    scores, own = fano_scores(0.1, 200, seeds=1000)
    assert np.all(np.isnan(scores))
    # Negative control: by the errors of the samples themselves, large ones are common.
    assert np.mean(np.abs(own) > 3.0) > 0.2


def test_a_wrong_mean_is_seen():
    x, law = poisson(2.0)
    assert score_by_law(2.3, 2.0, 10_000, x - 2.0, law) == pytest.approx(0.3 / np.sqrt(2e-4))


def test_what_does_not_fluctuate():
    law = np.array([1.0])
    assert score_by_law(1.0, 1.0, 100, np.array([0.0]), law) == 0.0
    assert score_by_law(1.1, 1.0, 100, np.array([0.0]), law) == np.inf
