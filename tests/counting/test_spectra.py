"""Coherence and spectra of the lines: closed forms, sums, and a dense Liouvillian."""

import time

import numpy as np
import pytest
from scipy.linalg import expm

import trajbatt as tb
from trajbatt.numerics import spin

CHANNELS = ("red", "center", "blue")


def dense(model):
    """Return the Liouvillian on row-stacked matrices in the model's basis, and the jumps."""
    n = model.n_levels
    raising = np.diag(spin.raising_elements(model.n_atoms)[:-1], -1)
    table = {1: raising, 0: np.diag(spin.magnetic_numbers(model.n_atoms)), -1: raising.T}
    jumps = [np.sqrt(c.rate) * table[c.shift] for c in model.channels]
    one = np.eye(n)
    total = np.zeros((n * n, n * n))
    for jump in jumps:
        square = jump.T @ jump
        total += np.kron(jump, jump) - 0.5 * (np.kron(square, one) + np.kron(one, square.T))
    return total, jumps


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_coherence_and_spectra_by_brute_force(n, channel):
    model = tb.Battery(n, 1.2, 30.0, gamma_plus=2.0, gamma_0=0.7).charge()
    liouvillian, jumps = dense(model)
    jump, name = jumps[channel], CHANNELS[channel]
    start = np.zeros((n + 1, n + 1))
    ket = spin.to_dressed(tb.ground_state(n), model.theta)
    start = np.outer(ket, ket)
    at, delays = 0.3, np.array([0.0, 0.2, 1.0])

    def after(matrix, duration):
        return (expm(liouvillian * duration) @ matrix.ravel()).reshape(matrix.shape)

    rho = after(start, at)
    coherence = [np.trace(jump.T @ after(jump @ rho, delay)) for delay in delays]
    rates = [np.trace(jump.T @ jump @ after(rho, delay)) for delay in delays]
    expected = coherence / np.sqrt(rates[0] * np.array(rates))
    found = tb.counting.g1(model, delays, name, at=at)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    # A pulse: (1/pi) Re int dt int dtau, by the exponential of a larger matrix.
    frequencies, duration = np.array([0.0, 0.4, -3.0]), 0.8
    size = (n + 1) ** 2
    pulses = []
    for frequency in frequencies:
        larger = np.zeros((2 * size + 1,) * 2, dtype=complex)
        larger[:size, :size] = liouvillian
        larger[size : 2 * size, size : 2 * size] = liouvillian + 1j * frequency * np.eye(size)
        larger[size : 2 * size, :size] = np.kron(jump, np.eye(n + 1))
        larger[-1, size : 2 * size] = jump.ravel()
        y = expm(larger * duration) @ np.concatenate((start.ravel(), np.zeros(size + 1)))
        pulses.append(y[-1].real / np.pi)
    found = tb.counting.spectrum(model, frequencies, name, until=duration).density
    np.testing.assert_allclose(found, pulses, rtol=1e-8)


def test_one_atom_has_the_mollow_triplet():
    # On resonance with equal rates: half widths 3/4 and 1/2 of gamma, heights 1 : 3 : 1.
    model = tb.Battery(1, np.pi / 2, 1000.0).charge()
    frequencies = np.linspace(-3.0, 3.0, 13)
    for name, width in (("red", 0.75), ("center", 0.5), ("blue", 0.75)):
        found = tb.counting.spectrum(model, frequencies, name)
        lorentzian = 0.25 * (1 if name == "center" else 0.5) * width / np.pi
        expected = lorentzian / (frequencies**2 + width**2)
        np.testing.assert_allclose(found.density, expected, rtol=1e-9)
        assert found.elastic == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("name", CHANNELS)
def test_the_integral_is_the_rate(name):
    model = tb.Battery(12, 1.87, 120.0, gamma_plus=10.0).charge()
    steady = tb.steady_state(model)
    rate = tb.counting.intensity(model, [0.0], steady)[CHANNELS.index(name), 0]
    # x = tan(u) takes the tails along.
    u = (np.arange(4000) + 0.5) / 4000 * np.pi - np.pi / 2
    scale = 50.0
    found = tb.counting.spectrum(model, scale * np.tan(u), name)
    total = np.sum(found.density * scale / np.cos(u) ** 2) * np.pi / 4000
    assert total + found.elastic == pytest.approx(rate, rel=1e-4)
    if name == "center":
        assert found.elastic > 0.5 * rate


def test_the_whole_pulse_of_a_discharge():
    model, start = tb.Battery(9, 1.87, 90.0).discharge(), tb.excited_state(9)
    u = (np.arange(2000) + 0.5) / 2000 * np.pi - np.pi / 2
    found = tb.counting.spectrum(model, 9 * np.tan(u), "all", start, until=np.inf).density
    total = np.sum(found * 9 / np.cos(u) ** 2) * np.pi / 2000
    assert total == pytest.approx(9.0, rel=1e-4)
    some = np.array([0.0, 2.0, 10.0])
    whole = tb.counting.spectrum(model, some, "all", start, until=np.inf).density
    late = tb.counting.spectrum(model, some, "all", start, until=30.0).density
    np.testing.assert_allclose(late, whole, rtol=1e-8)
    short = tb.counting.spectrum(model, some, "all", start, until=0.1).density
    assert np.all(short < whole)
    # A single atom: a Lorentzian of its decay.
    one = tb.counting.spectrum(
        tb.Battery(1, 1.2, 5.0).discharge(), some, "all", tb.excited_state(1), until=np.inf
    )
    np.testing.assert_allclose(one.density, 0.5 / np.pi / (some**2 + 0.25), rtol=1e-10)


def test_many_atoms_in_seconds():
    n = 10_000
    model = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0).charge()
    began = time.perf_counter()
    for name in CHANNELS:
        found = tb.counting.spectrum(model, np.linspace(-3 * n, 3 * n, 201), name)
        assert np.all(found.density > 0)
        np.testing.assert_allclose(found.density, found.density[::-1], rtol=1e-6)
    assert time.perf_counter() - began < 30


def test_bad_arguments():
    battery = tb.Battery(3, 1.2, 10.0)
    model = battery.charge()
    with pytest.raises(ValueError, match="`channel` must be"):
        tb.counting.spectrum(model, [0.0], "total")
    with pytest.raises(TypeError, match="`model` must be a ladder to have lines"):
        tb.counting.g1(battery.charge(secular=False), [0.0], "all")
    with pytest.raises(TypeError, match="`frequencies` must be a sequence of numbers"):
        tb.counting.spectrum(model, "x", "red")
    with pytest.raises(ValueError, match="does not end"):
        tb.counting.spectrum(model, [0.0], "red", until=np.inf)
    with pytest.raises(ValueError, match="`initial` must be left out without `until`"):
        tb.counting.spectrum(model, [0.0], "red", tb.excited_state(3))
    protocol = tb.Protocol([(model, 1.0), (battery.discharge(), 1.0)])
    with pytest.raises(TypeError, match="`model` must be a single model"):
        tb.counting.g1(protocol, [0.0], "red")
    # No light, no coherence.
    assert np.all(np.isnan(tb.counting.g1(battery.discharge(), [0.0], "all", tb.ground_state(3))))
