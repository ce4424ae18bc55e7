"""Homodyne currents, exactly: against dense matrices."""

import math

import numpy as np
import pytest

import trajbatt as tb
from tests.oracle.dense import Stage, Twin, driving, jump_operators

BATTERY = tb.Battery(3, 1.1, 7.0)
DELAYS, TIME = np.array([0.0, 0.07, 0.4]), 0.3


@pytest.mark.parametrize("beta", [1.5, math.inf])
@pytest.mark.parametrize("kind", ["driven", "lines"])
def test_correlations_against_dense_matrices(kind, beta):
    if kind == "driven":
        source = BATTERY.charge(secular=False)
        hamiltonian, jumps, _ = driving(BATTERY, np.inf)
    else:
        source = BATTERY.charge()
        hamiltonian, found = jump_operators(BATTERY)
        jumps = dict(zip(source.channel_names, found, strict=True))
        hamiltonian = 0 * hamiltonian
    model = tb.Heterodyne(beta, 0.4, 0.8).of(source)
    twin = Twin([Stage(hamiltonian, jumps, np.inf)])
    signals = [
        np.sqrt(0.4) * np.exp(-1j * (0.4 + turn)) * jump
        for jump in jumps.values()
        for turn in (0.0, np.pi / 2)
    ]
    ket = np.array([0.5, 0.5j, -0.5, 0.5])
    rho = twin.evolve(np.outer(ket, ket.conj()), 0.0, TIME)
    expected = np.empty((len(signals), len(signals), DELAYS.size))
    for a, signal in enumerate(signals):
        seen = signal @ rho + rho @ signal.conj().T
        for i, delay in enumerate(DELAYS):
            later = twin.evolve(seen, TIME, TIME + delay)
            means = [2.0 * np.trace(one @ later).real for one in signals]
            expected[a, :, i] = means
    # A ket in the bare basis is one of the picture that turns with H at t = 0.
    found = tb.counting.current_correlation(model, DELAYS, TIME, ket)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    means = [2.0 * np.trace(one @ rho).real for one in signals]
    current = tb.counting.homodyne_current(model, [TIME], ket)
    np.testing.assert_allclose(current[:, 0], means, atol=1e-9)


def test_mean_in_bins():
    model = tb.Homodyne(math.inf, 0.3).of(BATTERY.charge(secular=False))
    fine = np.linspace(0.0, 0.5, 401)
    mean = tb.counting.homodyne_current(model, fine)
    binned = tb.mesolve(model, fine[::100]).current
    pieces = np.add.reduceat(0.5 * (mean[:, 1:] + mean[:, :-1]), range(0, 400, 100), axis=1) / 100
    np.testing.assert_allclose(binned, pieces, atol=1e-4)


@pytest.mark.slow
def test_correlation_of_simulated_currents():
    source = BATTERY.charge(secular=False)
    model = tb.Homodyne(math.inf, 0.7, 0.7).of(source)
    other = tb.Homodyne(math.inf, 2.0, 0.7).of(source)
    edges = np.linspace(0.0, 0.4, 5)
    runs = tb.mcsolve(model, edges, 20_000, seed=5, keep_samples=("current",))
    current = runs.samples["current"][:, 0]
    nodes, weights = np.polynomial.legendre.leggauss(4)
    starts, length = edges[:-1], 0.1

    def expected(model, a, b):
        total = 0.0
        for x, w in zip(nodes, weights, strict=True):
            t = starts[a] + 0.5 * length * (x + 1.0)
            later = starts[b] + 0.5 * length * (nodes + 1.0) - t
            found = tb.counting.current_correlation(model, later, t)[0, 0]
            total += 0.25 * w * (weights @ found)
        return total

    def z_scores(model):
        for a, b in [(0, 1), (0, 3), (1, 2), (2, 3)]:
            products = current[:, a] * current[:, b]
            yield (products.mean() - expected(model, a, b)) / (products.std() / runs.ntraj**0.5)

    assert np.abs([*z_scores(model)]).max() < 4.0
    assert np.abs([*z_scores(other)]).max() > 6.0


def test_what_is_refused():
    with pytest.raises(TypeError, match="`model` must be of one stage with local oscillators"):
        tb.counting.current_correlation(BATTERY.charge(), [0.1])
