"""Trajectories whose stages end by what is seen."""

import dataclasses

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(n_atoms=8, theta=1.9, omega_p=40.0)
LONGEST = 0.3
CHARGE = BATTERY.charge(), tb.until(clicks=("red", 3), at_most=LONGEST)
TWICE = tb.Protocol(
    [
        CHARGE,
        (BATTERY.store(), 0.05),
        (BATTERY.discharge(), tb.until(clicks=("dis", 2), at_most=LONGEST)),
        (BATTERY.charge(), 0.1),
    ]
)
TIMES = np.linspace(0.0, TWICE.duration, 31)
DRIVEN = tb.Protocol(
    [
        (BATTERY.charge(secular=False), tb.until(clicks=("all", 5), at_most=LONGEST)),
        (BATTERY.charge(secular=False), 0.2),
    ]
)
WATCHED = {
    efficiency: tb.Protocol(
        [
            (BATTERY.charge(), 0.01),
            (BATTERY.charge(), tb.until(energy=6.5, efficiency=efficiency, at_most=LONGEST)),
            (BATTERY.store(), 0.2),
        ]
    )
    for efficiency in (1.0, 0.6)
}


def test_a_stage_ends_with_its_click():
    runs = tb.mcsolve(TWICE, TIMES, 50, seed=1, keep_clicks=True)
    for i in range(20):
        one = runs.replay(i)
        red = one.clicks.time[one.clicks.channel == runs.channels.index("red")]
        end = one.stage_ends[0]
        if end < LONGEST:
            assert red[2] == end
        else:
            assert end == LONGEST
            assert np.sum(red <= end) < 3
        assert one.stage_ends[1] == pytest.approx(end + 0.05, abs=1e-15)
        assert one.stage_ends[-1] == TIMES[-1]


@pytest.mark.parametrize("method", ["mcwf", "banded"])
def test_other_engines_have_the_same_law(method):
    runs = tb.mcsolve(TWICE, TIMES, 3000, seed=1)
    assert scores(runs, tb.mcsolve(TWICE, TIMES, 3000, seed=2, method=method)) < 4.5
    # Negative control: one click less ends it.
    later = tb.Protocol(
        [(BATTERY.charge(), tb.until(clicks=("red", 2), at_most=LONGEST)), *TWICE.steps[1:]]
    )
    assert scores(runs, tb.mcsolve(later, TIMES, 3000, seed=2, method=method)) > 8


def scores(one, other):
    """Return the largest difference of energies and counts over its error, where there is one."""
    values = np.array([np.vstack((runs.energy, runs.counts)) for runs in (one, other)])
    errors = np.array([np.vstack((runs.energy_sem, runs.counts_sem)) for runs in (one, other)])
    error = np.hypot(*errors)
    there = error > 1e-9
    return np.abs(np.diff(values, axis=0)[0][there] / error[there]).max()


def test_both_engines_of_eq_5_have_the_same_trajectories():
    times = np.linspace(0.0, DRIVEN.duration, 11)
    keep = {"keep_samples": ("energy", "counts"), "rtol": 1e-9}
    one = tb.mcsolve(DRIVEN, times, 40, seed=1, method="banded", **keep)
    other = tb.mcsolve(DRIVEN, times, 40, seed=1, method="frame", **keep)
    np.testing.assert_array_equal(one.samples["counts"], other.samples["counts"])
    np.testing.assert_allclose(one.samples["energy"], other.samples["energy"], atol=1e-5)
    ends = [one.replay(i).stage_ends[0] for i in range(20)]
    assert any(end < LONGEST for end in ends)


@pytest.mark.parametrize("protocol", [TWICE, DRIVEN, WATCHED[1.0], WATCHED[0.6]])
def test_a_trajectory_is_replayed_as_it_was(protocol):
    times = np.linspace(0.0, protocol.duration, 31)
    runs = tb.mcsolve(protocol, times, 40, seed=1, keep_samples=("energy", "counts"), rtol=1e-9)
    for i in (0, 17, 39):
        one = runs.replay(i, keep_states=True)
        np.testing.assert_allclose(one.energy, runs.samples["energy"][i], atol=1e-12)
        np.testing.assert_array_equal(one.counts, runs.samples["counts"][i])
        levels = np.arange(BATTERY.n_atoms + 1)
        np.testing.assert_allclose(one.energy_distribution @ levels, one.energy, atol=1e-10)
        early = runs.replay(i, times[:7])
        np.testing.assert_allclose(early.energy, one.energy[:7], atol=1e-7)


@pytest.mark.parametrize("protocol", [TWICE, DRIVEN])
def test_the_filter_follows_the_protocol_of_one_trajectory(protocol):
    times = np.linspace(0.0, protocol.duration, 31)
    runs = tb.mcsolve(protocol, times, 20, seed=1, rtol=1e-10)
    for i in range(8):
        one = runs.replay(i)
        found = tb.filter(protocol.ended(one.stage_ends), one.clicks, times)
        np.testing.assert_allclose(found.energy, one.energy, atol=1e-6)


@pytest.mark.parametrize("efficiency", WATCHED)
def test_the_filtered_energy_is_reached_at_the_end_and_nowhere_before(efficiency):
    protocol = WATCHED[efficiency]
    runs = tb.mcsolve(protocol, [protocol.duration], 30, seed=1)
    reached = 0
    for i in range(12):
        one = runs.replay(i)
        begin, end = one.stage_ends[:2]
        times = np.append(np.linspace(0.0, end, 400)[1:], protocol.duration)
        times[398] = end
        found = tb.filter(protocol.ended(one.stage_ends), one.detected, times, efficiency)
        inside = (times > begin) & (times < end)
        assert found.energy[inside].max(initial=0.0) < 6.5 + 1e-9
        if end < begin + LONGEST:
            reached += 1
            assert found.energy[398] == pytest.approx(6.5, abs=1e-7) or found.energy[398] > 6.5
        # Negative control: with all photons the energy is another one.
        if efficiency < 1.0 and len(one.detected) < np.sum(one.clicks.time <= end):
            off = tb.filter(protocol.ended(one.stage_ends), one.clicks, times)
            assert abs(off.energy[398] - found.energy[398]) > 1e-4
    assert reached > 3
    one = runs.replay(0)
    assert len(one.clicks) >= len(one.detected)


def test_a_falling_energy():
    rule = tb.until(energy=3.0, rising=False, at_most=5.0)
    protocol = tb.Protocol([(BATTERY.discharge(1.0), rule), (BATTERY.store(), 1.0)])
    runs = tb.mcsolve(protocol, [protocol.duration], 200, tb.excited_state(8), seed=1)
    # From the full battery energy is count: the stage ends with the fifth photon.
    assert runs.energy == pytest.approx(3.0)
    assert np.all(runs.counts == 5)


def test_infinitely_many_clicks_are_a_fixed_time():
    never = tb.until(clicks=("blue", 10**9), at_most=LONGEST)
    after = (BATTERY.store(), 0.05), (BATTERY.discharge(), 0.2)
    steered = tb.Protocol([(BATTERY.charge(), never), *after])
    timed = tb.Protocol([(BATTERY.charge(), LONGEST), *after])
    times = np.linspace(0.0, timed.duration, 12)
    one, other = (
        tb.mcsolve(model, times, 60, seed=1, keep_clicks=True) for model in (steered, timed)
    )
    np.testing.assert_array_equal(one.clicks.time, other.clicks.time)
    np.testing.assert_array_equal(one.clicks.channel, other.clicks.channel)
    np.testing.assert_allclose(one.energy, other.energy, atol=1e-12)


def test_noise_of_single_atoms():
    rule = tb.until(clicks=("total", 5), at_most=LONGEST)
    steps = [(BATTERY.charge(), rule), (BATTERY.store(local=2.0), 0.2)]
    protocol = tb.Protocol(steps)
    times = np.linspace(0.0, protocol.duration, 21)
    runs = tb.mcsolve(protocol, times, 50, seed=1)
    for i in range(6):
        one = runs.replay(i, keep_states=True)
        found = tb.filter(protocol.ended(one.stage_ends), one.clicks, times, known_spin=True)
        np.testing.assert_allclose(found.energy, one.energy, atol=1e-10)
        levels = np.arange(BATTERY.n_atoms + 1)
        np.testing.assert_allclose(one.energy_distribution @ levels, one.energy, atol=1e-10)


@pytest.mark.parametrize("protocol", [TWICE, WATCHED[0.6]])
def test_chunks_do_not_depend_on_how_many_are_drawn_together(protocol, monkeypatch):
    times = np.linspace(0.0, protocol.duration, 5)
    runs = tb.mcsolve(protocol, times, 30, seed=1, keep_clicks=True)
    monkeypatch.setattr("trajbatt.ensembles.chunks.BLOCK_ELEMENTS", 1)  # eight at once
    again = tb.mcsolve(protocol, times, 30, seed=1, keep_clicks=True)
    np.testing.assert_array_equal(runs.clicks.time, again.clicks.time)
    assert tb.stage_ends(again)[11] == pytest.approx(runs.replay(11).stage_ends, abs=0)


@pytest.mark.parametrize("protocol", [TWICE, WATCHED[0.6]])
def test_a_store_holds_it(tmp_path, protocol):
    times = np.linspace(0.0, protocol.duration, 5)
    tb.mcsolve(protocol, times, 20, seed=1, store=tmp_path / "runs")
    tb.mcsolve(protocol, times, 40, seed=1, store=tmp_path / "runs")
    loaded = tb.load(tmp_path / "runs")
    assert loaded.model == protocol
    whole = tb.mcsolve(protocol, times, 40, seed=1)
    np.testing.assert_array_equal(loaded.energy, whole.energy)
    np.testing.assert_array_equal(tb.stage_ends(loaded), tb.stage_ends(whole))
    other = tb.Protocol(
        [
            (
                model,
                dataclasses.replace(length, at_most=0.31) if hasattr(length, "rising") else length,
            )
            for model, length in protocol.steps
        ]
    )
    with pytest.raises(ValueError, match="at_most"):
        tb.mcsolve(other, times, 20, seed=1, store=tmp_path / "runs")


def test_observables_of_any_kind():
    operator = np.zeros((9, 9))
    operator[3, 3] = 1.0
    ops = {"x2": tb.observables.jx**2, "three": operator}
    runs = tb.mcsolve(TWICE, TIMES, 40, seed=1, e_ops=ops, keep_samples=("x2", "three"))
    one = runs.replay(5, keep_states=True)
    np.testing.assert_allclose(runs.samples["three"][5], np.abs(one.states[:, 3]) ** 2, atol=1e-12)
    j_plus = np.diag(np.sqrt(np.arange(1, 9) * np.arange(8, 0, -1)), -1)
    j_x = (j_plus + j_plus.T) / 2
    square = np.linalg.norm(one.states @ j_x, axis=1) ** 2
    np.testing.assert_allclose(runs.samples["x2"][5], square, atol=1e-10)


def test_no_time_falls_between_two_stages():
    """Times within rounding of the ends of stages are in one of them, and change no click."""
    runs = tb.mcsolve(TWICE, [TWICE.duration], 40, seed=1, keep_clicks=True)
    ends = tb.stage_ends(runs)[:, :-1].ravel()
    near = [ends, np.nextafter(ends, 0.0), np.nextafter(ends, 1.0), [TWICE.duration]]
    times = np.unique(np.concatenate(near))
    again = tb.mcsolve(TWICE, times, 40, seed=1, keep_clicks=True, keep_samples=("energy",))
    np.testing.assert_array_equal(runs.clicks.time, again.clicks.time)
    for i in range(40):
        energy = again.samples["energy"][i]
        assert np.all(energy > 0.0)
        # All three are the same state, before and after what ends the stage is a click of red.
        assert np.abs(np.diff(energy))[np.diff(times) < 1e-12].max() < 3.0
    only = tb.mcsolve(TWICE, times[-1:], 40, seed=1, keep_clicks=True)
    np.testing.assert_array_equal(only.clicks.time, again.clicks.time)


@pytest.mark.parametrize("method", [None, "mcwf", "banded"])
def test_the_click_that_ends_a_stage_is_seen_at_its_end(method):
    """However the sum of the stage's begin and the time since then is rounded."""
    rule = tb.until(clicks=("dis", 1), at_most=0.5)
    steps = [(BATTERY.charge(), 0.1), (BATTERY.discharge(), rule), (BATTERY.store(), 0.2)]
    protocol = tb.Protocol(steps)
    runs = tb.mcsolve(protocol, [protocol.duration], 40, seed=1, method=method)
    for i in range(40):
        one = runs.replay(i)
        end = one.stage_ends[1]
        if end in one.clicks.time:
            again = runs.replay(i, [end, protocol.duration])
            assert again.counts[-1].tolist() == [1, 1]
            found = tb.filter(protocol.ended(one.stage_ends), one.clicks, [end])
            assert again.energy[0] == pytest.approx(found.energy[0], abs=1e-5)


@pytest.mark.parametrize("efficiency", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("secular", [True, False])
def test_what_begins_at_the_threshold_is_there(efficiency, secular):
    rule = tb.until(energy=0.0, efficiency=efficiency, at_most=0.5)
    protocol = tb.Protocol([(BATTERY.charge(secular), rule), (BATTERY.store(), 0.1)])
    one = tb.mcsolve(protocol, [0.6], 1, seed=1).replay(0)
    assert one.stage_ends.tolist() == [0.0, 0.6]


def test_any_number_of_clicks():
    rule = tb.until(clicks=("blue", 10**30), at_most=0.1)
    protocol = tb.Protocol([(BATTERY.charge(), rule), (BATTERY.store(), 0.1)])
    assert np.all(tb.stage_ends(tb.mcsolve(protocol, [0.2], 4, seed=1))[:, 0] == 0.1)
