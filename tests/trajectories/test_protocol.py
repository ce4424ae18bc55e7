"""Trajectories of several models, one after the other."""

import dataclasses

import numpy as np
import pytest
from oracle import dense, references
from oracle.protocols import (
    BATTERY,
    CYCLE,
    DRIVEN_CYCLE,
    STRONG,
    covariance_of,
    cycle_of,
    expected,
    of_oracle,
)

import trajbatt as tb

CASES = [
    pytest.param(case, id=references.name(case), marks=[pytest.mark.slow] * (case["N"] != 5))
    for case in references.load()["protocol"]
]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_trajectories_against_oracles(case):
    protocol, times = of_oracle(case)
    runs = tb.mcsolve(protocol, times, ntraj=6000, seed=1)
    exact = tb.mesolve(protocol, times)
    assert tb.compare(runs, exact).p_value > 1e-4
    known = expected(case)
    early = slice(0, 4)  # later hardly any trajectory is not in the ground state
    score = (runs.energy - [obs["E"] for obs in known]) / runs.energy_sem
    assert np.abs(score[early]).max() < 5
    mean = np.array([[obs["mean"][name] for obs in known] for name in runs.channels])
    difference = runs.counts - mean
    np.testing.assert_array_less(np.abs(difference), 5 * runs.counts_sem + 1e-12)
    emitted = (runs.coherent_energy - [0, 0, *case["W"]])[2:]
    assert np.abs(emitted / runs.coherent_energy_sem[2:]).max() < 5
    assert np.all(runs.coherent_energy[:2] == 0)
    check_covariance(runs, covariance_of(known[-1], runs.channels))
    # Negative control: gamma_+ 20 % off.
    off, _ = of_oracle(case, r=1.2 * case["r"])
    assert tb.compare(runs, tb.mesolve(off, times), other_model=True).p_value < 1e-6


def check_covariance(runs, covariance, limit=5.0):
    """Compare the covariances of the counts at the last time with exact ones."""
    variance = covariance.diagonal()
    sem = np.sqrt((np.outer(variance, variance) + covariance**2) / runs.ntraj)
    difference = np.abs(runs.counts_covariance[..., -1] - covariance)
    assert np.all(difference <= limit * sem + 1e-12)


@pytest.mark.slow
def test_coherent_energy_tells_protocols_apart():
    times = [0.35, 0.6]
    runs = tb.mcsolve(CYCLE, times, ntraj=5000, seed=2)
    exact = tb.mesolve(CYCLE, times)
    score = (runs.coherent_energy - exact.coherent_energy) / runs.coherent_energy_sem
    assert np.abs(score).max() < 5
    # Negative control: charged 10 % longer.
    off = cycle_of(STRONG, (0.11, 0.2, 0.3))
    emitted = tb.mesolve(off, np.array(times) + 0.01).coherent_energy
    assert np.abs((runs.coherent_energy - emitted) / runs.coherent_energy_sem).max() > 5


def long_protocol(n):
    """Return a protocol of all kinds of stages and two dressing angles, and its dense twin."""
    first = tb.Battery(n, 1.87, 9.0, gamma_0=0.7, gamma_plus=4.0, gamma_minus=1.5)
    second = tb.Battery(n, 1.1, 7.0, 0.8, 0.8, 0.8)
    steps = [
        (first.charge(), dense.charging(first, 0.3)),
        (first.discharge(2.0), dense.dark(first, 0.1, dis=dense.lowering(n, 2.0))),
        (second.charge(secular=False), dense.driving(second, 0.4)),
        (second.charge(), dense.charging(second, 0.2)),
        (first.store(), dense.dark(first, 0.3)),
        (second.discharge(), dense.dark(second, 0.25, dis=dense.lowering(n, 0.8))),
    ]
    protocol = tb.Protocol([(model, stage.duration) for model, stage in steps])
    return protocol, dense.Twin([stage for _, stage in steps])


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 3])
def test_states_and_counts_against_dense_liouvillians(n):
    protocol, twin = long_protocol(n)
    start = tb.coherent_state(n, 2.2, 0.7)
    rho_0 = np.outer(start, start.conj())
    ends = [stage.end for stage in protocol.stages()]
    inside = [stage.start + 0.4 * stage.duration for stage in protocol.stages()]
    times = np.sort([0.0, *ends, *inside])
    exact = tb.mesolve(protocol, times, initial=start, covariances=True, keep_states=True)
    assert exact.channels == ("red", "center", "blue", "dis", "all")
    for i, time in enumerate(times):
        np.testing.assert_allclose(exact.states[i], twin.evolve(rho_0, 0.0, time), atol=1e-10)
    mean, covariance = twin.cumulants(rho_0, protocol.duration, exact.channels)
    np.testing.assert_allclose(exact.counts[:, -1], mean, atol=1e-6)
    np.testing.assert_allclose(exact.counts_covariance[..., -1], covariance, atol=1e-6)
    runs = tb.mcsolve(protocol, times, ntraj=4000, initial=start, seed=4)
    assert tb.compare(runs, exact).p_value > 1e-4
    check_covariance(runs, covariance)


@pytest.mark.slow
def test_driven_charge_then_discharge():
    times = np.array([0.0, 0.1, 0.3, 0.35, 0.5, 0.7])
    assert DRIVEN_CYCLE.channel_names == ("all", "dis")
    exact = tb.mesolve(DRIVEN_CYCLE, times, covariances=True)
    runs = tb.mcsolve(DRIVEN_CYCLE, times, ntraj=8000, seed=1)
    assert tb.compare(runs, exact).p_value > 1e-4
    covariance = exact.counts_covariance[..., -1]
    check_covariance(runs, covariance)
    assert covariance[0, 1] < -0.5
    # Counts of a later stage know of an earlier one; energy that is stored comes out.
    assert exact.counts[1, -1] + exact.energy[-1] == pytest.approx(exact.energy[2], rel=1e-9)
    # Negative control: the drive 3 % stronger.
    battery = dataclasses.replace(BATTERY, omega_p=30.9)
    off = tb.Protocol([(battery.charge(secular=False), 0.3), (BATTERY.discharge(2.0), 0.4)])
    assert tb.compare(runs, tb.mesolve(off, times), other_model=True).p_value < 1e-6
    with pytest.raises(AssertionError):
        check_covariance(runs, 1.2 * covariance)


@pytest.mark.slow
@pytest.mark.parametrize("method", [None, "ladder", "mcwf", "banded"])
def test_every_method_has_the_same_law(method):
    times = [0.05, 0.1, 0.2, 0.35, 0.6]
    runs = tb.mcsolve(CYCLE, times, ntraj=4000, seed=6, method=method)
    assert tb.compare(runs, tb.mesolve(CYCLE, times)).p_value > 1e-4
    off = cycle_of(dataclasses.replace(STRONG, gamma_plus=11.0), (0.1, 0.2, 0.3))
    assert tb.compare(runs, tb.mesolve(off, times), other_model=True).p_value < 1e-6


def test_initial_states():
    times = [0.0, 0.05, 0.25, 0.35]
    for start in (
        dense.mixed(8),
        tb.excited_state(8),
        tb.steady_state(BATTERY.charge(secular=False)),
    ):
        runs = tb.mcsolve(CYCLE, times, ntraj=3000, initial=start, seed=18)
        assert tb.compare(runs, tb.mesolve(CYCLE, times, initial=start)).p_value > 1e-4
        assert tb.compare(runs, tb.mesolve(CYCLE, times), other_model=True).p_value < 1e-6
    # A protocol that begins with storage begins charged.
    late = tb.Protocol([(STRONG.store(), 0.2), (STRONG.discharge(), 0.1)])
    exact = tb.mesolve(late, [0.0, 0.2, 0.3])
    stored = tb.steady_state(STRONG.charge()).energy
    np.testing.assert_allclose(exact.energy[:2], stored, rtol=1e-11)
    alone = tb.mesolve(STRONG.discharge(), [0.1])
    assert exact.energy[2] == pytest.approx(alone.energy[0], rel=1e-10)


@pytest.mark.slow
def test_a_large_cycle():
    battery = tb.Battery(200, 1.87, 2000.0, gamma_plus=10.0)
    protocol = cycle_of(battery, (battery.charging_time, 0.01, 0.02))
    times = np.linspace(0, protocol.duration, 12)
    runs = tb.mcsolve(protocol, times, ntraj=1000, seed=19)
    assert tb.compare(runs, tb.mesolve(protocol, times, rtol=1e-8)).p_value > 1e-4
    assert runs.dropped < 1e-13
    off = dataclasses.replace(battery, gamma_plus=10.5)
    off = cycle_of(off, (battery.charging_time, 0.01, 0.02))
    assert tb.compare(runs, tb.mesolve(off, times, rtol=1e-8), other_model=True).p_value < 1e-6


@pytest.mark.parametrize("method", ["ladder", "mcwf"])
def test_bad_method(method):
    with pytest.raises(
        ValueError,
        match=rf"must be 'banded' or 'frame' for the driven Eq. \(5\) .* but is '{method}'",
    ):
        tb.mcsolve(DRIVEN_CYCLE, [0.1], ntraj=2, method=method)


NOISY = dataclasses.replace(BATTERY, local_plus=0.3)


@pytest.mark.parametrize("battery", [BATTERY, NOISY])
def test_not_a_bit_of_what_is_handed_over_depends_on_the_times(battery):
    model, end = battery.charge(), battery.charging_time
    engine = tb.mcsolve(model, [end], 10).plan.engine
    records = engine.sample(np.random.default_rng(1), 50, end)
    alone = engine.observe(records, np.array([end]), True)
    times = np.linspace(0.0, end, 24)
    among = engine.observe(records, times, True)
    np.testing.assert_array_equal(among.kets, alone.kets)
    np.testing.assert_array_equal(among.samples[..., -1], alone.samples[..., -1])
    before = engine.observe(records, times[:-1])
    np.testing.assert_array_equal(among.samples[..., :-2], before.samples[..., :-1])
    # One way through all times is another, in the last bits.
    through = engine.kets(records, times)[:, -1]
    assert (through != alone.kets).any()
    np.testing.assert_allclose(through, alone.kets, atol=1e-13)


@pytest.mark.parametrize("local", [0.0, 1e-3])
def test_levels_are_drawn_by_the_amplitudes_handed_over(local):
    # A state that the second stage finds in a superposition of few levels, and nothing clicks.
    battery = tb.Battery(3, 1.1, 5.0, local_plus=local)
    protocol = tb.Protocol([(battery.store(), 1e-9), (battery.charge(), 1e-9)])
    runs = tb.mcsolve(protocol, [2e-9], 10, initial=tb.ground_state(3))
    rngs = [np.random.default_rng(seed) for seed in (1, 2)]
    n = 40_000
    records = runs.plan.engine.sample(rngs, n, 2e-9)
    hidden = records.records[1].hidden
    share = np.bincount(hidden, minlength=4) / n
    spinor = np.array([np.cos(0.55), np.sin(0.55)]) ** 2  # of an atom, below and above
    exact = np.array([1, 3, 3, 1]) * spinor[0] ** np.arange(3, -1, -1) * spinor[1] ** np.arange(4)
    error = np.sqrt(exact * (1.0 - exact) / n)
    assert np.abs(share - exact).max() < 5 * error.max()
    assert np.abs(share - exact[::-1]).max() > 20 * error.max()
