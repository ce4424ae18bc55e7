"""The tail of weighted sums of squares."""

import numpy as np
import pytest
from scipy import stats

from trajbatt.numerics.scores import weighted_chi2_tail


@pytest.mark.parametrize("k", [1, 2, 10])
def test_tail_of_equal_weights_is_chi2(k):
    for q in (0.3, 0.999 * k, float(k), 3.0 * k, 20.0 * k, 200.0):
        exact = stats.chi2.sf(q, k)
        assert weighted_chi2_tail(q, np.ones(k)) == pytest.approx(exact, rel=0.16)


def test_tail_of_unequal_weights_against_samples():
    weights = np.array([5.0, 1.0, 0.3, 0.01])
    draws = np.random.default_rng(1).chisquare(1, (400_000, 4)) @ weights
    for q in (1.0, 6.3, 20.0, 50.0):
        assert weighted_chi2_tail(q, weights) == pytest.approx(np.mean(draws > q), rel=0.16)
