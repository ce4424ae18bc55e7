"""Every statistic of sampled clicks against its exact twin."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from oracle.bins import POINTS, g2_in_bins, mean_in_bins
from oracle.statistics import p_of_scores
from scipy import stats

import trajbatt as tb
from trajbatt import counting, photons

BATTERY = tb.Battery(4, 1.87, 40.0, gamma_plus=10.0)
DRIVEN = tb.Battery(2, 1.2, 10.0)


def scene(model, off, duration, pair, first, delays, **more):
    usual = {"initial": None, "off_initial": None, "ntraj": 40_000}
    usual["edges"] = np.linspace(0.0, duration, 4)
    return SimpleNamespace(
        model=model,
        off=off,
        duration=duration,
        pair=pair,
        first=first,
        delays=delays,
        **usual | more,
    )


def cycle(battery, gamma):
    return tb.Protocol(
        [(battery.charge(), 0.15), (battery.store(), 0.05), (battery.discharge(gamma), 0.3)]
    )


def scenes():
    """What is watched, and the same with one rate 5 % off; `sure` is what then must not agree."""
    plus, minus = replace(BATTERY, gamma_plus=10.5), replace(BATTERY, gamma_minus=1.05)
    fast = tb.Battery(2, 1.2, 10.0, 1.05, 1.05, 1.05)
    steady, off_steady = (tb.steady_state(one.charge()) for one in (BATTERY, minus))
    delays = np.linspace(0.0, 0.4, 7)
    return {
        "charge": scene(
            BATTERY.charge(), plus.charge(), 1.6, ("red", "blue"), (0.0, 1.2), delays,
            sure="mean photocurrent waiting_time g2 g2_matrix",
        ),
        "steady": scene(
            BATTERY.charge(), minus.charge(), 1.6, ("red", "blue"), (0.0, 1.2), delays,
            initial=steady, off_initial=off_steady,
            sure="mean variance factorial_moments photocurrent next_after g2 g2_matrix",
        ),
        "driven": scene(
            DRIVEN.charge(secular=False), fast.charge(secular=False), 4.0, ("all", "all"),
            (0.0, 3.0), np.linspace(0.0, 1.0, 5), edges=np.linspace(0.0, 1.5, 4), ntraj=8_000,
            sure="mean distribution factorial_moments",
        ),
        "discharge": scene(
            BATTERY.discharge(), BATTERY.discharge(1.05), 1.0, ("all", "all"), (0.0, 0.6), delays,
            initial=tb.excited_state(4), off_initial=tb.excited_state(4),
            sure="mean variance fano distribution factorial_moments photocurrent first_click "
            "waiting_time g2_matrix",
        ),
        # Windows and delays that do not cross into the next stage.
        "cycle": scene(
            cycle(BATTERY, 1.0), cycle(plus, 1.05), 0.5, ("blue", "dis"), (0.05, 0.15),
            np.linspace(0.15, 0.35, 4), edges=np.array([0.0, 0.15, 0.2, 0.35, 0.5]),
            sure="mean variance distribution joint photocurrent",
        ),
    }  # fmt: skip


def seen(clicks, s):
    """Every statistic of the clicks of a scene, by its name."""
    a, end, ends = s.pair[1], s.duration, s.duration * np.linspace(0.2, 1.0, 5)
    joint = {} if len(clicks.channels) == 1 else {
        "joint": photons.joint_distribution(clicks, end, s.pair, end / 10)
    }  # fmt: skip
    after = {} if isinstance(s.model, tb.Protocol) or len(clicks.channels) == 1 else {
        "next_after": photons.next_channel(clicks, a, 0.0, end / 4)
    }  # fmt: skip
    return joint | after | {
        "mean": photons.mean(clicks, ends, a),
        "variance": photons.variance(clicks, ends, a),
        "fano": photons.fano(clicks, ends, a, end / 10),
        "distribution": photons.distribution(clicks, end, a, end / 10),
        "factorial_moments": photons.factorial_moments(clicks, end, a, 3, end / 10),
        "photocurrent": photons.photocurrent(clicks, s.edges),
        "first_click": photons.first_click(clicks, ends / 10),
        "next": photons.next_channel(clicks, start=end / 10),
        "waiting_time": photons.waiting_time(clicks, s.delays, s.pair, *s.first),
        "g2": photons.g2(clicks, s.delays, s.pair, *s.first),
        "g2_matrix": photons.g2_matrix(clicks, s.edges, s.pair),
    }  # fmt: skip


def twins(model, initial, s, names):
    a, end, ends = s.pair[1], s.duration, s.duration * np.linspace(0.2, 1.0, 5)
    k = model.channel_names.index(a)
    delays = (s.delays[:-1, None] + np.diff(s.delays)[:, None] * (POINTS + 1) / 2).ravel()
    exact = {
        "mean": lambda: tb.mesolve(model, ends, initial).counts[k],
        "variance": lambda: tb.mesolve(model, ends, initial, covariances=True).counts_covariance[
            k, k
        ],
        "fano": lambda: counting.fano(model, ends, a, initial, end / 10),
        "distribution": lambda: counting.distribution(model, end, a, initial, end / 10),
        "joint": lambda: counting.joint_distribution(model, end, s.pair, initial, end / 10),
        "factorial_moments": lambda: counting.factorial_moments(
            model, end, a, 3, initial, end / 10
        ),
        "photocurrent": lambda: counting.photocurrent(model, s.edges, initial),
        "first_click": lambda: counting.first_click(model, ends / 10, initial),
        "next": lambda: counting.next_channel(model, initial=initial, at=end / 10),
        "next_after": lambda: counting.next_channel(model, a, initial, (0.0, end / 4)),
        "waiting_time": lambda: mean_in_bins(
            counting.waiting_time(model, delays, s.pair, initial, s.first)
        ),
        "g2": lambda: g2_in_bins(model, delays, s.pair, initial, s.first),
        "g2_matrix": lambda: counting.g2_matrix(model, s.edges, s.pair, initial),
    }
    return {name: exact[name]() for name in names}


def p_value(name, estimate, exact, ntraj):
    """One p-value of a statistic; of those that go on in time, by the largest z-score."""
    value, sem = estimate
    if name in ("distribution", "joint"):
        shape = tuple(min(sizes) for sizes in zip(value.shape, exact.shape, strict=True))
        part = tuple(slice(size) for size in shape)
        value, exact = value[part], exact[part]
        sem = np.sqrt(exact * (1 - exact) / ntraj) * (exact * ntraj > 10)
    used = (sem > 0) & np.isfinite(value)
    if name == "g2_matrix" and np.array_equal(value, value.T):
        used &= np.triu(used)
    assert used.any()
    z = (value[used] - np.broadcast_to(exact, value.shape)[used]) / sem[used]
    if name in ("distribution", "joint", "photocurrent", "waiting_time", "g2", "g2_matrix"):
        return p_of_scores(z)
    return min(1.0, 2 * z.size * stats.norm.sf(np.abs(z).max()))


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("charge", "steady", "driven")),
        pytest.param("discharge", marks=pytest.mark.slow),
        "cycle",
    ],
)
def test_trajectories_agree_with_their_exact_twin(name):
    s = scenes()[name]
    if name in ("charge", "steady"):  # so long that all next clicks are seen
        assert counting.survival(s.model, [3 * s.duration / 4], "total", s.initial, (0, 0.4)) < 1e-3
    runs = tb.mcsolve(s.model, [s.duration], s.ntraj, s.initial, seed=1, keep_clicks=True)
    estimates = seen(runs.clicks, s)
    if name in ("driven", "discharge"):
        del estimates["next"]  # a next photon comes for sure, but not within the record
    exact = twins(s.model, s.initial, s, estimates)
    for statistic, estimate in estimates.items():
        found = p_value(statistic, estimate, exact[statistic], s.ntraj)
        assert found > 1e-3, (statistic, found)
    # Negative control: one rate 5 % off.
    off = twins(s.off, s.off_initial, s, s.sure.split())
    for statistic in s.sure.split():
        found = p_value(statistic, estimates[statistic], off[statistic], s.ntraj)
        assert found < 1e-6, (statistic, found)


def test_which_photons_come_at_all_from_a_discharge():
    battery = tb.Battery(2, 2.4, 20.0, gamma_plus=100.0)
    off = replace(battery, gamma_plus=105.0)
    runs = tb.mcsolve(battery.discharge(), [6.0], 400_000, seed=2, keep_clicks=True)
    for after, start, controlled in ((None, 0.0, True), (None, 0.2, True), ("all", 0.0, False)):
        stop = None if after is None else 1.0
        found = photons.next_channel(runs.clicks, after, start, stop)
        window = start if after is None else (start, 1.0)
        exact, wrong = (
            counting.next_channel(one.discharge(), after, at=window) for one in (battery, off)
        )
        assert abs((found.value - exact) / found.sem) < 4
        assert abs((found.value - wrong) / found.sem) > 5 or not controlled


def test_one_long_record_of_the_steady_state():
    model = tb.Battery(3, 1.87, 30.0, gamma_plus=10.0).charge()
    off = tb.Battery(3, 1.87, 30.0, gamma_plus=10.0, gamma_minus=1.05).charge()
    runs = tb.mcsolve(
        model, [60_000.0], 1, initial=tb.steady_state(model), seed=3, keep_clicks=True
    )
    edges = np.linspace(0.0, 0.5, 7)
    delays = (edges[:-1, None] + np.diff(edges)[:, None] * (POINTS + 1) / 2).ravel()
    for name, pair in (("g2", ("red", "blue")), ("waiting_time", ("total", "blue"))):
        found = getattr(photons, name)(runs.clicks, edges, pair)
        expected, wrong = (
            mean_in_bins(getattr(counting, name)(one, delays, pair, tb.steady_state(one)))
            for one in (model, off)
        )
        assert p_value(name, found, expected, 1) > 1e-3
        assert p_value(name, found, wrong, 1) < 1e-6
    found = photons.next_channel(runs.clicks, "blue")
    expected, wrong = (
        counting.next_channel(one, "blue", tb.steady_state(one)) for one in (model, off)
    )
    assert p_value("next", found, expected, 1) > 1e-3
    assert p_value("next", found, wrong, 1) < 1e-6
