"""Records of many driven atoms of whose light some is missed: in a frame that turns with them."""

from functools import partial

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.inference import observers
from trajbatt.inference.banded_observer import BandedObserver
from trajbatt.inference.frame_observer import FrameObserver


def record(model, times, seed=2, initial=None):
    runs = tb.mcsolve(model, times, 1, initial, seed=seed, keep_clicks=True)
    return tb.Detectors(efficiency=0.6, dark_rate=20.0).see(runs.clicks, seed=1)


def both_ways(monkeypatch, model, clicks, times, **options):
    """Return the filter's results in the frame and by the whole density matrix."""
    found = []
    for many in (1, 10**9):
        monkeypatch.setattr(observers, "MANY", many)
        found.append(tb.filter(model, clicks, times, **options))
        found[-1].purity  # noqa: B018 - follows the record now
    return found


def alike(one, other, n):
    for what in ("energy", "energy_variance", "dipole", "purity"):
        np.testing.assert_allclose(getattr(one, what), getattr(other, what), atol=1e-8 * n)
    np.testing.assert_allclose(one.rates, other.rates, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(one.log_likelihood, other.log_likelihood, rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("theta", [1.2, 0.6])
def test_as_the_whole_density_matrix(monkeypatch, theta):
    battery = tb.Battery(40, theta, 400 * np.cos(theta))
    model, times = battery.charge(secular=False), np.linspace(0.0, 0.2, 6)
    clicks = record(model, times)
    options = {"efficiency": 0.6, "dark_rate": 20.0}
    one, other = both_ways(monkeypatch, model, clicks, times, **options)
    alike(one, other, 40)
    assert one.purity[-1] < 0.99
    # Another efficiency makes another state.
    wrong = tb.filter(model, clicks, times, efficiency=0.5, dark_rate=20.0)
    assert np.abs(wrong.energy - one.energy).max() > 1e-3


def test_heat_and_mixtures(monkeypatch):
    model = tb.DrivenDicke(30, 80.0, 40.0, thermal=0.3)
    times = np.linspace(0.0, 0.1, 4)
    initial = tb.mesolve(model, [0.02], keep_states=True).states[0]
    clicks = record(model, times, initial=initial)
    options = {"efficiency": {"all": 0.7, "all_absorbed": 0.2}, "dark_rate": 20.0}
    one, other = both_ways(monkeypatch, model, clicks, times, initial=initial, **options)
    alike(one, other, 30)


def test_where_the_state_spreads(monkeypatch):
    """On resonance, far above the critical drive, it goes on with the whole density matrix."""
    model, times = tb.DrivenDicke(24, 60.0), np.linspace(0.0, 0.6, 7)
    clicks = record(model, times)
    options = {"efficiency": 0.05, "dark_rate": 20.0}
    one, other = both_ways(monkeypatch, model, clicks, times, **options)
    alike(one, other, 24)
    observer = FrameObserver(model, np.array([[0.05]]), np.array([20.0]))
    stages = partial(observers.observer, model, (np.array([[0.05]]), np.array([20.0])))
    assert isinstance(stages(False, False), BandedObserver)  # MANY is 10^9 now
    observer.begin(tb.states.initial.prepare(model, None))
    observer.advance(0.6, np.empty(0), np.empty(0, dtype=int))
    assert observer._whole is not None


def test_through_stages(monkeypatch):
    battery = tb.Battery(30, 1.2, 100.0)
    model = tb.Protocol([(battery.charge(secular=False), 0.1), (battery.discharge(), 0.1)])
    times = np.linspace(0.0, 0.2, 5)
    clicks = tb.mcsolve(model, times, 1, seed=3, keep_clicks=True).clicks
    seen = tb.Detectors(efficiency=0.6).see(clicks, seed=1)
    alike(*both_ways(monkeypatch, model, seen, times, efficiency=0.6), 30)


def test_more_atoms_than_matrices_hold():
    model = tb.DrivenDicke(5000, 20_000.0, 10_000.0)
    times = np.linspace(0.0, 4e-5, 5)
    clicks = record(model, times)
    assert len(clicks) > 20
    found = tb.filter(model, clicks, times, efficiency=0.6, dark_rate=20.0)
    unseen = tb.mesolve(model, times)
    assert np.all(found.energy_variance[1:] < unseen.energy_variance[1:])
    assert np.abs(found.energy - unseen.energy).max() < 6.0 * unseen.energy_variance.max() ** 0.5


def test_impossible_clicks(monkeypatch):
    monkeypatch.setattr(observers, "MANY", 1)
    model = tb.DrivenDicke(5, 0.0, 3.0)
    clicks = np.array([(0.1, 0)], dtype=[("time", float), ("channel", int)]).view(np.recarray)
    with pytest.raises(ValueError, match="must be possible under the model, but click 0"):
        tb.filter(model, clicks, [0.2], efficiency=0.5)
