"""Moments that add."""

import numpy as np
import pytest

from trajbatt.numerics.moments import Moments


@pytest.mark.parametrize("cut", [1, 2, 7, 40])
def test_merged_moments_are_those_of_all_samples(cut):
    samples = np.random.default_rng(1).gamma(0.5, size=(83, 3, 4)) + 10.0
    whole = Moments.side_by_side(samples)
    merged = Moments.side_by_side(samples[:cut])
    for start in range(cut, 83, cut):
        merged = merged + Moments.side_by_side(samples[start : start + cut])
    for name in ("count", "mean", "comoment", "third", "fourth", "carriers"):
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), rtol=1e-9)
    deviation = samples - samples.mean(axis=0)
    carriers = (deviation**2).sum(axis=0) ** 2 / (deviation**4).sum(axis=0)
    np.testing.assert_allclose(whole.carriers, carriers)
