"""Exact solutions of several models, one after the other."""

import numpy as np
import pytest
from oracle import references
from oracle.protocols import (
    BATTERY,
    CYCLE,
    DRIVEN_CYCLE,
    LONG,
    STRONG,
    covariance_of,
    cycle_of,
    expected,
    of_oracle,
)

import trajbatt as tb

CASES = [pytest.param(case, id=references.name(case)) for case in references.load()["protocol"]]


@pytest.mark.parametrize("keep_states", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_oracles(case, keep_states):
    protocol, times = of_oracle(case)
    exact = tb.mesolve(protocol, times, covariances=True, keep_states=keep_states)
    assert exact.channels == ("red", "center", "blue", "dis")
    close = {"rel": 1e-10, "abs": 1e-10}
    for i, obs in enumerate(expected(case)):
        assert exact.energy[i] == pytest.approx(obs["E"], **close)
        assert exact.energy_variance[i] == pytest.approx(obs["varE"], **close)
        assert exact.dipole[i] == pytest.approx(complex(*obs["Jp"]), **close)
        assert exact.ergotropy[i] == pytest.approx(obs["ergotropy"], **close)
        assert exact.ergotropy_global[i] == pytest.approx(obs["ergotropy_full2N"], **close)
        mean = [obs["mean"][name] for name in exact.channels]
        np.testing.assert_allclose(exact.counts[:, i], mean, rtol=1e-10, atol=1e-10)
        covariance = covariance_of(obs, exact.channels)
        np.testing.assert_allclose(
            exact.counts_covariance[..., i], covariance, rtol=1e-10, atol=1e-10
        )
    assert np.all(exact.coherent_energy[:2] == 0)
    np.testing.assert_allclose(exact.coherent_energy[2:], case["W"], rtol=1e-9)


QUANTITIES = [
    "energy",
    "energy_variance",
    "dipole",
    "counts",
    "counts_covariance",
    "states",
    "ergotropy",
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        STRONG.charge(),
        STRONG.store(),
        STRONG.discharge(),
        BATTERY.charge(secular=False),
    ],
    ids=["eq7", "store", "discharge", "eq5"],
)
def test_a_protocol_of_one_model_is_the_model(model):
    protocol, times = tb.Protocol([(model, 0.4)]), np.linspace(0, 0.4, 5)
    options = dict(covariances=True, keep_states=True)
    one, other = (tb.mesolve(m, times, **options) for m in (model, protocol))
    for name in QUANTITIES:
        np.testing.assert_allclose(getattr(other, name), getattr(one, name), atol=1e-10)
    lean = tb.mesolve(protocol, times)
    np.testing.assert_allclose(lean.energy_variance, one.energy_variance, atol=1e-9)
    one, other = (
        tb.mcsolve(m, times, ntraj=3000, seed=5, keep_clicks=True) for m in (model, protocol)
    )
    for name in ("energy", "energy_variance", "dipole", "counts", "final_counts"):
        np.testing.assert_array_equal(getattr(other, name), getattr(one, name))
    np.testing.assert_array_equal(other.clicks.time, one.clicks.time)
    np.testing.assert_array_equal(other.clicks.trajectory, one.clicks.trajectory)


@pytest.mark.slow
@pytest.mark.parametrize("secular", [True, False])
def test_a_stage_in_two_parts_is_one(secular):
    model, times = BATTERY.charge(secular=secular), np.linspace(0, 0.4, 9)
    parts = tb.Protocol([(model, 0.13), (model, 0.27)])
    options = dict(covariances=True, keep_states=True, initial=tb.coherent_state(8, 2.5, 0.4))
    whole, split = (tb.mesolve(m, times, **options) for m in (model, parts))
    assert split.channels == whole.channels
    for name in QUANTITIES:
        np.testing.assert_allclose(getattr(split, name), getattr(whole, name), atol=1e-9)
    runs = tb.mcsolve(parts, times, ntraj=4000, seed=3, initial=options["initial"])
    assert tb.compare(runs, split).p_value > 1e-4
    off = tb.mesolve(tb.Protocol([(model, 0.13), (BATTERY.discharge(), 0.27)]), times)
    assert np.abs(off.energy - whole.energy).max() > 0.1


def test_storage_keeps_energy_and_bare_amplitudes():
    times = np.linspace(0.1, 0.3, 6)  # the stage, with both ends
    exact = tb.mesolve(CYCLE, times, keep_states=True)
    np.testing.assert_allclose(exact.energy, exact.energy[0], rtol=1e-11)
    np.testing.assert_allclose(
        np.abs(exact.states), np.abs(exact.states[:1]).repeat(6, 0), atol=1e-11
    )
    phase = np.exp(1j * STRONG.detuning * (times - 0.1))
    np.testing.assert_allclose(exact.dipole, exact.dipole[0] * phase, atol=1e-10)
    assert np.ptp(exact.counts, axis=1).max() == pytest.approx(0, abs=1e-12)
    runs = tb.mcsolve(CYCLE, times, ntraj=20, seed=9)
    for i in range(20):
        one = runs.replay(i)
        np.testing.assert_allclose(one.energy, one.energy[0], rtol=1e-12)
        np.testing.assert_allclose(one.energy_variance, one.energy_variance[0], rtol=1e-10)
        np.testing.assert_allclose(one.dipole, one.dipole[0] * phase, atol=1e-11)
        assert np.all(np.ptp(one.counts, axis=1) == 0)


@pytest.mark.parametrize("protocol", [CYCLE, LONG], ids=["cycle", "long"])
def test_nothing_jumps_at_a_boundary(protocol):
    boundaries = np.array([stage.end for stage in protocol.stages()[:-1]])
    gap = 1e-9
    times = np.sort(np.concatenate((boundaries - gap, boundaries, boundaries + gap)))
    runs = tb.mcsolve(protocol, [*times, protocol.duration], ntraj=20, seed=10, rtol=1e-10)
    exact = tb.mesolve(protocol, times)
    for one in [exact, *(runs.replay(i, tlist=times) for i in range(20))]:
        for name in ("energy", "energy_variance", "dipole"):
            near = getattr(one, name).reshape(-1, 3)
            np.testing.assert_allclose(near, near[:, 1:2].repeat(3, 1), atol=1e-5)
        changes = np.diff(one.counts, axis=1).reshape(len(one.channels), -1)
        assert np.abs(changes[:, 0::3]).max() < 1e-6
    assert np.abs(np.diff(exact.dipole)).max() > 0.1


@pytest.mark.slow
def test_times_do_not_matter():
    many = np.linspace(0, 0.6, 61)
    everything = tb.mesolve(CYCLE, many, covariances=True)
    for times in ([0.05], [0.1], [0.02, 0.2], [0.3], [0.1, 0.3, 0.6], [0.45], [0.0]):
        few = tb.mesolve(CYCLE, times, covariances=True)
        at = np.array([np.abs(many - time).argmin() for time in times])
        for name in ("energy", "energy_variance", "dipole", "counts", "counts_covariance"):
            np.testing.assert_allclose(
                getattr(few, name), getattr(everything, name)[..., at], atol=1e-8, err_msg=name
            )
        np.testing.assert_allclose(few.coherent_energy, everything.coherent_energy[at], atol=1e-9)
        runs = tb.mcsolve(CYCLE, times, ntraj=2000, seed=11)
        assert np.all(np.abs(runs.energy - few.energy) < 5 * runs.energy_sem + 1e-9)


def test_times_may_end_before_the_last_stage():
    shorter = cycle_of(STRONG, (0.1, 0.2, 0.3)).steps[:2]
    whole, part = CYCLE, tb.Protocol(shorter)
    times = np.array([0.05, 0.1, 0.25])
    for solve in (tb.mesolve, lambda m, t: tb.mcsolve(m, t, ntraj=200, seed=12)):
        one, other = solve(whole, times), solve(part, times)
        np.testing.assert_allclose(one.energy, other.energy, rtol=1e-12)
        np.testing.assert_allclose(one.counts[:3], other.counts, rtol=1e-12)
        assert np.all(one.counts[3] == 0)
        assert np.all(one.coherent_energy == 0)
        assert other.coherent_energy is None


def test_coherent_energy_counts_from_the_start_of_the_discharge():
    exact = tb.mesolve(CYCLE, [0.05, 0.1, 0.3, 0.35, 0.6])
    assert np.all(exact.coherent_energy[:3] == 0)
    assert 0 < exact.coherent_energy[3] < exact.coherent_energy[4]
    # It is less than what the battery loses.
    assert exact.coherent_energy[4] < exact.energy[2] - exact.energy[4]
    # As from a discharge that begins in the state after the storage.
    state = tb.mesolve(CYCLE, [0.3], keep_states=True).states[0]
    alone = tb.mesolve(STRONG.discharge(), [0.05, 0.3], initial=state)
    np.testing.assert_allclose(exact.coherent_energy[3:], alone.coherent_energy, rtol=1e-9)
    # The driven charge emits from the same dipole, but does not count.
    driven = tb.mesolve(DRIVEN_CYCLE, [0.1, 0.3, 0.5])
    assert np.all(driven.coherent_energy[:2] == 0)
    assert driven.coherent_energy[2] > 0
    charging = tb.Protocol([(BATTERY.charge(), 0.1), (BATTERY.store(), 0.1)])
    assert tb.mesolve(charging, [0.1]).coherent_energy is None
    runs = tb.mcsolve(charging, [0.1], ntraj=10, seed=1)
    assert runs.coherent_energy is None
    assert runs.coherent_energy_sem is None
