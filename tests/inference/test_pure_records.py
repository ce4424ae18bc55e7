"""Records of the driven Eq. (5) of which every jump is seen: the state stays pure."""

import numpy as np
import pytest

import trajbatt as tb


def record(n, seed=2, **options):
    model, times = tb.DrivenDicke(n, 2.0 * n, 1.0 * n), np.linspace(0.0, 5.0 / n, 9)
    runs = tb.mcsolve(model, times, 2, seed=seed, method="banded", rtol=1e-12, keep_clicks=True)
    return model, times, runs.replay(1)


@pytest.mark.parametrize("n", [1, 2, 8, 30])
def test_as_a_wavefunction_and_as_a_density_matrix(n):
    model, times, one = record(n)
    seen = tb.filter(model, one.clicks, times)
    # Some photons in 10^14 are missed: now it is a density matrix.
    whole = tb.filter(model, one.clicks, times, efficiency=1.0 - 1e-14)
    for what in ("energy", "energy_variance", "dipole", "rates", "log_likelihood"):
        found, expected = getattr(seen, what), getattr(whole, what)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * n)
    np.testing.assert_allclose(seen.energy, one.energy, atol=1e-10 * n)
    fewer = tb.filter(model, one.clicks, times, efficiency=0.9)
    assert np.abs(fewer.energy - seen.energy).max() > 1e-4


def test_states_and_mixtures():
    model, times, one = record(6)
    seen = tb.filter(model, one.clicks, times)
    assert seen.states.shape == (times.size, 7)
    np.testing.assert_allclose(np.abs(seen.states) ** 2 @ np.arange(7.0), seen.energy, atol=1e-9)
    mixed = np.diag([0.6, 0.4, *[0.0] * 5])
    from_mixture = tb.filter(model, one.clicks, times, initial=mixed)
    assert from_mixture.energy[0] == pytest.approx(0.4, abs=1e-12)


def test_many_atoms_in_little_time():
    model, times, one = record(600)
    seen = tb.filter(model, one.clicks, times)
    np.testing.assert_allclose(seen.energy, one.energy, atol=1e-7 * 600)


def test_impossible_clicks():
    model = tb.DrivenDicke(5, 0.0, 3.0)
    clicks = np.array([(0.1, 0)], dtype=[("time", float), ("channel", int)]).view(np.recarray)
    with pytest.raises(ValueError, match="must be possible under the model, but click 0"):
        tb.filter(model, clicks, [0.2])


def test_through_stages():
    battery = tb.Battery(8, 1.2, 30.0)
    protocol = tb.Protocol([(battery.charge(secular=False), 0.2), (battery.discharge(), 0.3)])
    times = np.linspace(0.0, 0.5, 6)
    runs = tb.mcsolve(protocol, times, 2, seed=4, method="banded", rtol=1e-12, keep_clicks=True)
    one = runs.replay(0)
    seen = tb.filter(protocol, one.clicks, times)
    np.testing.assert_allclose(seen.energy, one.energy, atol=1e-8)
    whole = tb.filter(protocol, one.clicks, times, efficiency=1.0 - 1e-14)
    np.testing.assert_allclose(seen.log_likelihood, whole.log_likelihood, atol=1e-7)
