"""Trajectories of mixed light: clicks of both engines, currents in the diffusive limit."""

import math

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(4, 1.1, 7.0)
DRIVEN = BATTERY.charge(secular=False)
T = np.linspace(0.05, 0.6, 8)


def worst(runs, exact):
    """Return the largest z-score of energy and counts."""
    energy = (runs.energy - exact.energy) / runs.energy_sem
    can_be = runs.counts_sem > 0.0
    counts = (runs.counts - exact.counts)[can_be] / runs.counts_sem[can_be]
    return max(np.abs(energy).max(), np.abs(counts).max())


def test_both_engines_give_the_same_clicks():
    model = tb.Homodyne(3.0, 0.7, 0.6).of(tb.Battery(30, 1.2, 100.0).charge(secular=False))
    times = np.linspace(0.02, 0.2, 5)
    one, other = (
        tb.mcsolve(model, times, 4, seed=3, method=method, rtol=1e-10, keep_clicks=True)
        for method in ("banded", "frame")
    )
    assert set(one.clicks.channel) == {0, 1, 2}
    np.testing.assert_array_equal(one.clicks.channel, other.clicks.channel)
    np.testing.assert_allclose(one.clicks.time, other.clicks.time, atol=1e-9)
    np.testing.assert_allclose(one.energy, other.energy, atol=1e-7)
    # Another phase is another law.
    turned = tb.Homodyne(3.0, 1.7, 0.6).of(model.source)
    third = tb.mcsolve(turned, times, 4, seed=3, method="frame", keep_clicks=True)
    assert not np.array_equal(one.clicks.channel[:50], third.clicks.channel[:50])


@pytest.mark.parametrize("source", [DRIVEN, BATTERY.charge(), BATTERY.discharge()])
@pytest.mark.parametrize("beta", [3.0, math.inf])
def test_averages(source, beta):
    model = tb.Homodyne(beta, 0.4, 0.7).of(source)
    initial = tb.coherent_state(4, 1.5, 0.3)
    exact = tb.mesolve(model, T, initial)
    runs = tb.mcsolve(model, T, 3000, initial, seed=8)
    assert worst(runs, exact) < 4.2
    # The oscillators' other phase has other currents: the test would see it.
    other = tb.mesolve(tb.Homodyne(beta, 0.4 + np.pi / 2, 0.7).of(source), T, initial)
    assert worst(runs, other) > 6.0


def test_strong_oscillators_go_over_into_currents():
    spread = []
    for beta in (0.3, 30.0, math.inf):
        runs = tb.mcsolve(tb.Homodyne(beta, 0.4).of(DRIVEN), T, 3000, seed=2)
        spread.append((runs.trajectory_variance[-1], runs.trajectory_variance_sem[-1]))
    (weak, _), (strong, one), (limit, other) = spread
    assert abs(strong - limit) < 4.0 * np.hypot(one, other)
    assert abs(weak - limit) > 5.0 * np.hypot(one, other)


def test_noise_of_the_currents():
    model = tb.Heterodyne(math.inf).of(DRIVEN)
    times = np.linspace(0.0, 0.01, 11)
    runs = tb.mcsolve(model, times, 4000, seed=4, keep_samples=("current",))
    current = runs.samples["current"]
    assert current.shape == (4000, 2, 10)
    # White: dY has the variance dt, in bins that are shorter than the steps as well.
    np.testing.assert_allclose(current.var(axis=0) * 0.001, 1.0, atol=0.12)
    neighbours = (current[:, :, 1:] * current[:, :, :-1]).mean(axis=0) * 0.001
    assert np.abs(neighbours).max() < 0.1
    np.testing.assert_allclose(runs.current, current.mean(axis=0), atol=1e-9)


def test_replay_follows_the_same_currents():
    model = tb.Homodyne(math.inf, 0.4, 0.5).of(DRIVEN)
    runs = tb.mcsolve(model, T, 20, seed=4, keep_samples=("energy", "current"))
    one = runs.replay(7)
    np.testing.assert_array_equal(one.energy, runs.samples["energy"][7])
    np.testing.assert_allclose(one.current, runs.samples["current"][7], rtol=1e-12)
    states = runs.replay(7, keep_states=True).states
    np.testing.assert_allclose(np.abs(states) ** 2 @ np.arange(5), one.energy, atol=1e-12)
    # At other times it is the same trajectory: between the steps of the engine, up to a bridge.
    steps = 0.05 * model.timescale * np.array([20.0, 40.0])
    grid = runs.replay(7, steps)
    finer = runs.replay(7, np.sort(np.concatenate([steps, T[:5]])))
    np.testing.assert_allclose(finer.energy[np.isin(finer.times, steps)], grid.energy, rtol=1e-12)


def test_each_stage_has_its_engine():
    battery = tb.Battery(200, 1.2, 700.0)
    stages = [(battery.charge(secular=False), 0.004), (battery.store(), 0.1)]
    model = tb.Homodyne(3.0).of(tb.Protocol([*stages, (battery.discharge(), 0.002)]))
    times = np.array([0.004, 0.104, 0.106])
    runs = tb.mcsolve(model, times, 30, seed=1)
    assert runs.plan.method == "ladder or banded or frame"
    banded = tb.mcsolve(model, times, 30, seed=1, method="banded")
    np.testing.assert_allclose(runs.energy[0], banded.energy[0], atol=0.1)
    with pytest.raises(ValueError, match="must not be 'frame' where lines are mixed"):
        tb.mcsolve(model, times, 2, method="frame")
    warm = tb.Homodyne(2.0).of(tb.DrivenDicke(60, 200.0, thermal=0.2))
    with pytest.raises(ValueError, match="must not be 'frame' with thermal photons"):
        tb.mcsolve(warm, [0.01], 2, method="frame")


def test_a_protocol_hands_its_state_on():
    model = tb.Homodyne(math.inf, 0.4).of(
        tb.Protocol([(BATTERY.charge(), 0.2), (BATTERY.store(), 0.1), (BATTERY.discharge(), 0.3)])
    )
    times = np.array([0.1, 0.2, 0.3, 0.45, 0.6])
    assert worst(tb.mcsolve(model, times, 3000, seed=1), tb.mesolve(model, times)) < 4.2


@pytest.mark.parametrize("source", [DRIVEN, BATTERY.discharge()], ids=["driven", "discharge"])
@pytest.mark.parametrize("beta", [3.0, math.inf])
def test_stores(tmp_path, beta, source):
    model = tb.Heterodyne(beta, 0.4, 0.5).of(source)
    options = {"seed": 3, "store": tmp_path / "run", "keep_samples": ("current",)}
    first = tb.mcsolve(model, T, 40, **options)
    again = tb.load(tmp_path / "run")
    assert again.model == model
    assert again.model.parameters() == model.parameters()
    np.testing.assert_array_equal(again.counts, first.counts)
    np.testing.assert_array_equal(again.samples["current"], first.samples["current"])
    more = tb.mcsolve(model, T, 80, **options)
    whole = tb.mcsolve(model, T, 80, seed=3)
    np.testing.assert_array_equal(more.counts, whole.counts)
    with pytest.raises(ValueError, match="model"):
        tb.mcsolve(tb.Heterodyne(beta, 0.5, 0.5).of(source), T, 40, **options)
