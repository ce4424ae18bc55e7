"""Trajectories of the driven Eq. (5) in the co-moving frame: those of the banded engine."""

import numpy as np
import pytest
from oracle import dense

import trajbatt as tb

WEAK, CRITICAL, STRONG = (np.pi / 2, 0.05), (np.pi / 2, 0.5), (np.pi / 2, 5.0)
DRIVES = [(1.2, 4.0), (0.3, 2.0), (2.4, 5.0), WEAK, CRITICAL, STRONG, (0.0, 3.0), (1.0, 0.0)]


def driven(n, theta=1.2, drive=4.0):
    return tb.Battery(n, theta, drive * n).charge(secular=False)


def both(model, times, ntraj=6, seed=3, rtol=1e-10, **options):
    """Return the same runs by both engines."""
    return [
        tb.mcsolve(
            model, times, ntraj, seed=seed, method=name, rtol=rtol, keep_clicks=True, **options
        )
        for name in ("frame", "banded")
    ]


def check_same(frame, banded, n, tolerance=1e-6):
    np.testing.assert_array_equal(frame.clicks.trajectory, banded.clicks.trajectory)
    last = frame.times[-1]
    np.testing.assert_allclose(frame.clicks.time, banded.clicks.time, 0, tolerance * last)
    for i in range(3):
        one, other = frame.replay(i), banded.replay(i)
        for what in ("energy", "dipole", "energy_variance"):
            found, expected = getattr(one, what), getattr(other, what)
            np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * n)


@pytest.mark.parametrize(("theta", "drive"), DRIVES)
@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_the_same_trajectories_as_by_the_banded_engine(n, theta, drive):
    times = np.linspace(0.0, 6.0 / n, 7)
    initial = None if drive else tb.coherent_state(n, 2.5, 0.3)
    runs = both(driven(n, theta, drive), times, initial=initial)
    check_same(*runs, n)
    found, expected = (one.energy_variance for one in runs)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * n**2)


def test_another_seed_gives_other_trajectories():
    times = np.linspace(0.0, 0.2, 5)
    one = tb.mcsolve(driven(40), times, 4, seed=1, method="frame", keep_clicks=True)
    other = tb.mcsolve(driven(40), times, 4, seed=2, method="banded", keep_clicks=True)
    assert not np.array_equal(one.clicks.trajectory, other.clicks.trajectory)


@pytest.mark.parametrize("initial", ["excited", "mixed", "level", "steady"])
@pytest.mark.parametrize("n", [3, 20])
def test_the_same_from_states_that_are_not_coherent(n, initial):
    start = {
        "excited": tb.excited_state(n),
        "mixed": dense.mixed(n),
        "level": np.eye(n + 1)[n // 2],
        "steady": tb.steady_state(tb.Battery(n, 0.9, 4.0 * n).charge()),
    }[initial]
    runs = both(driven(n), np.linspace(0.0, 4.0 / n, 5), initial=start)
    check_same(*runs, n, 3e-6)


def test_clicks_of_a_weak_drive_are_approached_to_the_end():
    # Some of these are so far from where they are first looked for that it takes a bisection.
    model = tb.Battery(3, np.pi / 2, 0.45).charge(secular=False)
    frame, banded = both(model, np.linspace(0.0, 8 / 3, 5), ntraj=200, seed=6, rtol=1e-6)
    np.testing.assert_array_equal(frame.clicks.trajectory, banded.clicks.trajectory)
    np.testing.assert_allclose(frame.clicks.time, banded.clicks.time, rtol=0, atol=2e-3)


def test_many_atoms_against_the_banded_engine():
    runs = both(driven(1000, 1.2, 3.0), np.linspace(0.0, 1e-3, 3), ntraj=2, rtol=1e-9)
    check_same_clicks = runs[0].clicks.time - runs[1].clicks.time
    assert runs[0].clicks.time.size > 300
    assert np.abs(check_same_clicks).max() < 1e-10


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8])
def test_the_accuracy_follows_rtol(rtol):
    # From the same clicks.
    n, times = 60, np.linspace(0.0, 0.1, 11)
    runs = tb.mcsolve(driven(n), times, 3, seed=4, method="banded", rtol=1e-12, keep_clicks=True)
    loose = tb.mcsolve(driven(n), times, 3, seed=4, method="frame", rtol=rtol)
    for i in range(3):
        clicks = runs.replay(i).clicks
        exact = tb.filter(driven(n), clicks, times)
        np.testing.assert_allclose(runs.replay(i).energy, exact.energy, atol=1e-7)
    error = np.abs(loose.energy - runs.energy).max()
    assert error < 30.0 * rtol * n


@pytest.mark.parametrize("times", [[0.0, 0.05, 0.1], [0.013, 0.02, 0.07, 0.1], [0.1]])
def test_the_times_do_not_change_the_clicks(times):
    runs = tb.mcsolve(driven(50), times, 5, seed=9, method="frame", keep_clicks=True)
    many = np.linspace(0.0, 0.1, 41)
    other = tb.mcsolve(driven(50), many, 5, seed=9, method="frame", keep_clicks=True)
    np.testing.assert_array_equal(runs.clicks.time, other.clicks.time)


def test_a_replay_is_what_was_seen():
    times = np.linspace(0.0, 0.1, 9)
    runs = tb.mcsolve(driven(50), times, 5, seed=9, keep_samples=("energy", "dipole"))
    assert runs.plan.method == "frame"
    for i in range(5):
        one = runs.replay(i)
        np.testing.assert_allclose(one.energy, runs.samples["energy"][i], atol=2e-4)
        np.testing.assert_allclose(one.dipole, runs.samples["dipole"][i], atol=2e-4)


def test_states_and_observables():
    n, times = 45, np.linspace(0.0, 0.1, 4)
    operator = np.diag(np.arange(n + 1.0) ** 3)
    e_ops = {"cube": operator, "jx2": tb.observables.jx**2, "xz": tb.observables.parity}
    runs = both(driven(n), times, e_ops=e_ops)
    for name in e_ops:
        found, expected = (one.expect[name] for one in runs)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    one, other = (run.replay(2, keep_states=True) for run in runs)
    overlap = np.abs(np.einsum("ti,ti->t", one.states.conj(), other.states))
    np.testing.assert_allclose(overlap, 1.0, atol=1e-9)
    k = np.arange(n + 1)
    np.testing.assert_allclose(np.abs(one.states) ** 2 @ k, one.energy, atol=1e-8)


@pytest.mark.parametrize("method", [None, "frame"])
def test_protocols(method):
    battery = tb.Battery(200, 1.2, 700.0)
    steps = [(battery.charge(secular=False), 0.01), (battery.discharge(), 0.01)]
    protocol, times = tb.Protocol(steps), np.linspace(0.0, 0.02, 5)
    runs = tb.mcsolve(protocol, times, 40, seed=2, method=method, keep_clicks=True)
    assert runs.plan.method == "ladder or frame"
    banded = tb.mcsolve(protocol, times, 40, seed=2, method="banded", keep_clicks=True)
    first = [run.clicks.time[run.clicks.time < 0.01] for run in (runs, banded)]
    np.testing.assert_allclose(*first, rtol=0, atol=1e-7)
    assert tb.compare(runs, tb.mesolve(protocol, times)).p_value > 1e-4


@pytest.mark.parametrize("drive", [0.3, 4.0])
def test_means_are_those_of_the_master_equation(drive):
    n = 80
    theta = np.pi / 2 if drive < 1 else 1.2
    model, times = driven(n, theta, drive), np.linspace(0.0, 10.0 / n, 9)
    runs = tb.mcsolve(model, times, 400, seed=5)
    assert runs.plan.method == "frame"
    assert tb.compare(runs, tb.mesolve(model, times)).p_value > 1e-4
    # Another drive by 3 % is found out.
    other = driven(n, theta, 1.03 * drive)
    assert tb.compare(runs, tb.mesolve(other, times), other_model=True).p_value < 1e-6


def test_hundred_thousand_atoms():
    n = 10**5
    model, times = driven(n, 1.2, 2.0), np.linspace(0.0, 0.05 / n, 3)
    runs = tb.mcsolve(model, times, 8, seed=5)
    exact = tb.mesolve(model, times)
    z = (runs.counts[0] - exact.counts[0])[1:] / np.sqrt(exact.counts[0][1:] / 8)
    assert np.all(np.abs(z) < 5.0)
    np.testing.assert_allclose(runs.energy, exact.energy, atol=1e-3 * n)


def test_methods():
    battery = tb.Battery(60, 1.2, 200.0)
    times = [0.01]
    assert tb.mcsolve(battery.charge(secular=False), times, 2, seed=1).plan.method == "frame"
    few = tb.Battery(30, 1.2, 90.0).charge(secular=False)
    assert tb.mcsolve(few, times, 2, seed=1).plan.method == "banded"
    with pytest.raises(ValueError, match="must not be 'frame' without the driven"):
        tb.mcsolve(battery.charge(), times, 2, method="frame")
    with pytest.raises(ValueError, match="must be 'banded' or 'frame' for the driven"):
        tb.mcsolve(few, times, 2, method="mcwf")


def test_a_long_time_on_resonance():
    """Near the upper pole states spread over many levels, and come back: nothing is lost."""
    model, times = tb.DrivenDicke(60, rabi=1.5, gamma=2.0 / 60), np.linspace(10.0, 100.0, 7)
    runs = tb.mcsolve(model, times, 300, seed=1, method="frame")
    assert runs.dropped < 1e-3
    exact = tb.mesolve(model, times, method="banded")
    z = (runs.energy - exact.energy) / runs.energy_sem
    assert np.abs(z).max() < 4.0
    counts = (runs.counts - exact.counts) / runs.counts_sem
    assert np.abs(counts).max() < 4.0
