"""Moments of photon numbers: of the master equation, of correlations, of closed forms."""

import math

import numpy as np
import pytest
from oracle.windows import panels

import trajbatt as tb


@pytest.mark.slow
def test_covariances_of_joint_numbers_are_those_of_the_master_equation():
    first = tb.Battery(4, 1.87, 20.0, gamma_plus=6.0)
    second = tb.Battery(4, 1.2, 20.0)
    protocol = tb.Protocol(
        [
            (first.charge(), 0.1),
            (first.store(), 0.05),
            (second.charge(secular=False), 0.1),
            (first.discharge(2.0), 0.2),
        ]
    )
    times = [0.3, 0.45]
    exact = tb.mesolve(protocol, times, covariances=True)
    for i, t in enumerate(times):
        for a, b in [("red", "blue"), ("blue", "all"), ("all", "dis")]:
            joint = tb.counting.joint_distribution(protocol, t, (a, b))
            n, m = (np.arange(size) for size in joint.shape)
            covariance = n @ joint @ m - (n @ joint.sum(axis=1)) * (joint.sum(axis=0) @ m)
            places = [exact.channels.index(name) for name in (a, b)]
            assert covariance == pytest.approx(exact.counts_covariance[*places, i], abs=1e-8)
        for channel, means, variances in zip(
            exact.channels, exact.counts, exact.counts_covariance.diagonal().T, strict=True
        ):
            first, second = tb.counting.factorial_moments(protocol, t, channel, 2)
            assert first == pytest.approx(means[i], abs=1e-9)
            assert second + first - first**2 == pytest.approx(variances[i], abs=1e-8)
            found = tb.counting.fano(protocol, [t], channel)
            assert found[0] == pytest.approx(variances[i] / means[i], abs=1e-8)


@pytest.mark.parametrize("secular", [pytest.param(True, marks=pytest.mark.slow), False])
def test_variances_are_integrals_of_correlations(secular):
    # In the steady state cov(n_a, n_b) is the integral of (T - tau)(G_ab + G_ba - 2 I_a I_b).
    n = 12 if secular else 6
    battery = tb.Battery(n, 1.3, 6.0, *((0.5, 2.0, 1.0) if secular else (1.0, 1.0, 1.0)))
    model, end = battery.charge(secular=secular), 0.8
    steady = tb.steady_state(model)
    nodes, weights = panels(end)
    names = model.channel_names
    rates = tb.counting.intensity(model, [0.0, 1.0], steady)
    np.testing.assert_allclose(rates[:, 1], rates[:, 0], rtol=1e-9)
    exact = tb.mesolve(model, [end], initial=steady, covariances=True).counts_covariance[..., 0]
    kernel = weights * (end - nodes)
    every = 0.0
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            ab, ba = (
                tb.counting.correlation(model, nodes, pair, steady) for pair in ((a, b), (b, a))
            )
            every += ab
            covariance = kernel @ (ab + ba - 2.0 * rates[i, 0] * rates[j, 0])
            covariance += (i == j) * rates[i, 0] * end
            assert covariance == pytest.approx(exact[i, j], rel=1e-8)
        found = tb.counting.fano(model, [end], a, steady)
        assert found[0] == pytest.approx(exact[i, i] / (rates[i, 0] * end), rel=1e-8)
    total = tb.counting.correlation(model, nodes, ("total", "total"), steady)
    np.testing.assert_allclose(total, every, rtol=1e-10)
    found = tb.counting.g2(model, nodes, ("total", "total"), steady)
    np.testing.assert_allclose(found, every / rates[:, 0].sum() ** 2, rtol=1e-9)


@pytest.mark.parametrize("mean", [1e-6, 1e-3, 0.1, 1.0, 30.0])
def test_factorial_moments_of_poissonian_light(mean):
    # One atom at theta = pi/2: the center line is Poissonian, of rate gamma_0/4.
    model = tb.Battery(1, np.pi / 2, 10.0).charge()
    found = tb.counting.factorial_moments(model, 4 * mean, "center", 8)
    np.testing.assert_allclose(found, mean ** np.arange(1.0, 9.0), rtol=1e-10)


def test_factorial_moments_of_rare_bursts():
    # Nothing at all, or, once in a million times, thirty photons.
    model = tb.Battery(30, 1.87, 1000.0).discharge()
    rho = np.diag([1 - 1e-6, *np.zeros(29), 1e-6])
    found = tb.counting.factorial_moments(model, 5.0, "all", 4, rho)
    np.testing.assert_allclose(found, [1e-6 * math.perm(30, k) for k in range(1, 5)], rtol=1e-9)
    # Driven, and over two stages: those of the distribution.
    battery = tb.Battery(4, 1.2, 30.0)
    cycle = tb.Protocol([(battery.charge(secular=False), 0.3), (battery.discharge(), 0.5)])
    probabilities = tb.counting.distribution(cycle, 0.8, "total")
    expected = [sum(p * math.perm(n, k) for n, p in enumerate(probabilities)) for k in range(1, 5)]
    found = tb.counting.factorial_moments(cycle, 0.8, "total")
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert tb.counting.factorial_moments(cycle, 0.0, "total").tolist() == [0.0] * 4
