"""Exact numbers of the photons that imperfect detectors see."""

import numpy as np
import pytest
from oracle.statistics import p_of_numbers
from scipy import stats

import trajbatt as tb
from trajbatt import counting, photons

NAMES = ("red", "center", "blue")


def seen_numbers(numbers, shares, dark):
    """What is seen of a distribution of photons (n_a, n_b) in the first detector, photon by photon.

    `shares` are the probabilities that a photon of a and one of b end there.
    """
    found = np.zeros(sum(numbers.shape) + 60)
    for (a, b), probability in np.ndenumerate(numbers):
        both = np.convolve(
            stats.binom.pmf(np.arange(a + 1), a, shares[0]),
            stats.binom.pmf(np.arange(b + 1), b, shares[1]),
        )
        found[: both.size] += probability * both
    return np.convolve(found, stats.poisson.pmf(np.arange(60), dark))


def no_worse(found, expected, atol=1e-11):
    """Compare two distributions, of which one may be longer."""
    n = min(found.size, expected.size)
    np.testing.assert_allclose(found[:n], expected[:n], atol=atol)
    assert np.abs(found[n:]).sum() + np.abs(expected[n:]).sum() < 1e-9


@pytest.mark.slow
def test_exact_numbers_of_what_is_seen():
    # Without a center line the other two are all there is, and cross-talk is between them.
    model = tb.Battery(5, 1.2, 100.0, 0.0, 3.0, 1.0).charge()
    cut = (0.7, 0.2)
    numbers = counting.joint_distribution(model, cut[0], ("red", "blue"), start=cut[1])
    routes = [[0.8, 0.0, 0.2], [0.0, 1.0, 0.0], [0.3, 0.0, 0.7]]
    detectors = tb.Detectors([0.9, 0.5, 0.4], [2.0, 3.0, 4.0], crosstalk=routes)
    span = cut[0] - cut[1]
    expected = {
        "red": seen_numbers(numbers, (0.9 * 0.8, 0.9 * 0.3), 2.0 * span),
        "blue": seen_numbers(numbers, (0.4 * 0.2, 0.4 * 0.7), 4.0 * span),
        "center": stats.poisson.pmf(np.arange(60), 3.0 * span),
        "total": seen_numbers(numbers, (0.72 + 0.08, 0.27 + 0.28), 9.0 * span),
    }
    for channel, right in expected.items():
        options = {"start": cut[1], "detectors": detectors}
        no_worse(counting.distribution(model, cut[0], channel, **options), right)
        n = np.arange(right.size)
        mean = right @ n
        variance = right @ (n - mean) ** 2
        (fano,) = counting.fano(model, [cut[0]], channel, **options)
        assert fano == pytest.approx(variance / mean, rel=1e-9)
        moments = counting.factorial_moments(model, cut[0], channel, 2, **options)
        assert moments == pytest.approx([mean, variance - mean + mean**2], rel=1e-9)
    joint = counting.joint_distribution(model, cut[0], ("red", "blue"), None, cut[1], detectors)
    no_worse(joint.sum(axis=1), expected["red"])
    no_worse(joint.sum(axis=0), expected["blue"])
    # Negative control: what detectors would see that do not mix the lines.
    apart = tb.Detectors([0.9, 0.5, 0.4], [2.0, 3.0, 4.0])
    found = counting.distribution(model, cut[0], "red", None, cut[1], apart)
    assert np.abs(found[:10] - expected["red"][:10]).max() > 1e-2


@pytest.mark.slow
def test_exact_numbers_of_other_models_seen():
    battery = tb.Battery(4, 1.2, 30.0)
    cycle = tb.Protocol([(battery.charge(), 0.4), (battery.store(), 0.1), (battery.discharge(), 1)])
    detectors = tb.Detectors(0.3, 2.0)
    n = np.arange(80)
    for model, t, channel, kinds in (
        (battery.charge(secular=False), 0.5, "all", 1),
        (battery.discharge(), 0.5, "all", 1),
        (cycle, 1.2, "dis", 1),
        (cycle, 1.2, "total", 4),
        (cycle, 0.3, "dis", 1),  # nothing but dark counts as yet
        (battery.charge(), 0.0, "red", 1),
    ):
        photons = counting.distribution(model, t, channel)
        thinned = stats.binom.pmf(n[:, None], np.arange(photons.size), 0.3) @ photons
        expected = np.convolve(thinned, stats.poisson.pmf(n, 2.0 * t * kinds))
        no_worse(counting.distribution(model, t, channel, detectors=detectors), expected)
        same = counting.distribution(model, t, channel, detectors=tb.Detectors())
        np.testing.assert_array_equal(same, photons)


def test_simulated_detectors_see_the_exact_numbers():
    model = tb.Battery(10, 1.87, 100.0, gamma_plus=4.0).charge()
    detectors = tb.Detectors([0.3, 0.8, 0.5], [5.0, 0.0, 2.0], crosstalk=0.2)
    runs = tb.mcsolve(model, [0, 0.3], 20_000, seed=1, keep_clicks=True)
    seen = detectors.see(runs.clicks, seed=2)

    def p_value(channel, detectors):
        exact = counting.distribution(model, 0.3, channel, detectors=detectors)
        numbers = photons.counts(seen)[:, [channel in (name, "total") for name in NAMES]]
        return p_of_numbers(numbers.sum(axis=1), exact)

    for channel in (*NAMES, "total"):
        assert p_value(channel, detectors) > 1e-3
        # Negative control: detectors a tenth better than those that saw it.
        better = tb.Detectors([0.33, 0.88, 0.55], [5.0, 0.0, 2.0], crosstalk=0.2)
        assert p_value(channel, better) < 1e-6


@pytest.mark.parametrize(
    ("detectors", "message"),
    [
        (0.3, "`detectors` must be `Detectors`, but is 0.3"),
        (tb.Detectors(dead_time=0.1), "`detectors` must have no dead_time in an exact count"),
        (tb.Detectors(jitter=[0.0, 0.1, 0.0]), "`detectors` must have no jitter in an exact count"),
        (tb.Detectors([0.1, 0.2]), "`efficiency` must be one number or one for each of 3 channels"),
        (tb.Detectors(crosstalk=np.eye(2)), "`crosstalk` must have one row for each of 3 channels"),
    ],
)
def test_detectors_without_exact_numbers(detectors, message):
    model = tb.Battery(4, 1.2, 30.0).charge()
    with pytest.raises((ValueError, TypeError), match=message):
        counting.distribution(model, 0.1, "red", detectors=detectors)
    with pytest.raises((ValueError, TypeError), match=message):
        counting.fano(model, [0.1], "red", detectors=detectors)
