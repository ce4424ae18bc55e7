"""The twin of protocols with stages that end by counts, against dense Liouvillians."""

from itertools import pairwise

import numpy as np
import pytest
from oracle import dense
from scipy.linalg import expm

import trajbatt as tb

BATTERY = tb.Battery(n_atoms=3, theta=1.2, omega_p=9.0)
CLICKS, LONGEST, LAST = 3, 0.7, 0.6
TIMES = np.array([0.0, 0.2, 0.45, 0.7, 0.9, 1.3])


def steered(model, channels, following, before=()):
    rule = tb.until(clicks=(channels, CLICKS), at_most=LONGEST)
    return tb.Protocol([*before, (model, rule), (following, LAST)])


def brute_force(first, counted, last, rho, times):
    """Return the mean bare density matrices and the mean counts by name.

    All blocks, of 0 to K-1 counted clicks in the first stage and of the last stage, as one vector;
    what has not ended after the longest time is moved.
    """
    size = rho.size
    silent = first.generator(dict.fromkeys(counted, 0.0))
    jump = first.generator({}) - silent
    whole = np.zeros((size * (CLICKS + 1),) * 2, dtype=complex)
    for n in range(CLICKS):
        here = slice(n * size, (n + 1) * size)
        whole[here, here] = silent
        whole[(n + 1) * size : (n + 2) * size, here] = jump
    whole[-size:, -size:] = last.generator({})
    begin = np.zeros(len(whole), dtype=complex)
    begin[:size] = rho.ravel()

    def at(time):
        y = expm(whole * min(time, LONGEST)) @ begin
        if time > LONGEST:
            blocks = y.reshape(CLICKS + 1, size)
            y = np.zeros_like(blocks)
            y[-1] = blocks.sum(axis=0)
            y = expm(whole * (time - LONGEST)) @ y.ravel()
        blocks = y.reshape(CLICKS + 1, *rho.shape)
        return blocks[:-1].sum(axis=0), blocks[-1]

    def rates(time):
        parts = zip(at(time), (first, last), strict=True)
        found = {}
        for part, stage in parts:
            for name, jump in stage.jumps.items():
                found[name] = found.get(name, 0.0) + np.trace(jump @ part @ jump.conj().T).real
        return found

    points, weights = np.polynomial.legendre.leggauss(12)
    counts, so_far = [], dict.fromkeys((*first.jumps, *last.jumps), 0.0)
    for low, high in zip([0.0, *times[:-1]], times, strict=True):
        middles = sorted({low, high, *(t for t in (LONGEST,) if low < t < high)})
        for a, b in pairwise(middles):
            for x, w in zip(points, weights, strict=True):
                now = rates(a + 0.5 * (b - a) * (x + 1.0))
                for name, rate in now.items():
                    so_far[name] += 0.5 * (b - a) * w * rate
        counts.append(dict(so_far))
    return [sum(at(time)) for time in times], counts


def check(found, states, counts):
    j_z, j_plus = dense.spin_operators(BATTERY.n_atoms)
    for i, (rho, mean) in enumerate(zip(states, counts, strict=True)):
        energy = np.trace(j_z @ rho).real + BATTERY.n_atoms / 2
        square = np.trace(j_z @ j_z @ rho).real
        assert found.energy[i] == pytest.approx(energy, abs=1e-9)
        variance = square - (energy - BATTERY.n_atoms / 2) ** 2
        assert found.energy_variance[i] == pytest.approx(variance, abs=1e-9)
        assert found.dipole[i] == pytest.approx(np.trace(j_plus @ rho), abs=1e-9)
        for name, value in mean.items():
            assert found.counts[found.channels.index(name), i] == pytest.approx(value, abs=1e-9)


GROUND = np.diag([1.0, 0.0, 0.0, 0.0]).astype(complex)


@pytest.mark.parametrize(
    ("channels", "counted"),
    [("blue", ["blue"]), (("red", "blue"), ["red", "blue"]), ("total", ["red", "center", "blue"])],
)
def test_charging_and_then_discharging(channels, counted):
    gamma = 1.7
    model = steered(BATTERY.charge(), channels, BATTERY.discharge(gamma))
    last = dense.dark(BATTERY, LAST, dis=dense.lowering(BATTERY.n_atoms, gamma))
    states, counts = brute_force(dense.charging(BATTERY, 1.0), counted, last, GROUND, TIMES)
    check(tb.mesolve(model, TIMES), states, counts)


def test_the_driven_equation_and_then_storage():
    model = steered(BATTERY.charge(secular=False), "all", BATTERY.store())
    last = dense.dark(BATTERY, LAST)
    states, counts = brute_force(dense.driving(BATTERY, 1.0), ["all"], last, GROUND, TIMES)
    found = tb.mesolve(model, TIMES)
    check(found, states, counts)
    _, j_plus = dense.spin_operators(BATTERY.n_atoms)
    j_x = (j_plus + j_plus.T) / 2
    square = [np.trace(j_x @ j_x @ rho).real for rho in states]
    op = {"x2": tb.observables.jx**2}
    assert tb.mesolve(model, TIMES, e_ops=op).expect["x2"] == pytest.approx(square, abs=1e-9)


def test_a_stage_before_and_one_between():
    rule = tb.until(clicks=("total", CLICKS), at_most=LONGEST)
    steps = [(BATTERY.charge(), 0.1), (BATTERY.charge(), rule), (BATTERY.store(), 0.15)]
    model = tb.Protocol([*steps, (BATTERY.discharge(1.7), LAST)])
    times = np.linspace(0.0, model.duration, 9)
    runs = tb.mcsolve(model, times, 4000, seed=1)
    verdict = tb.compare(runs, tb.mesolve(model, times))
    assert verdict.p_value > 1e-3
    # Negative control: one click less.
    off = tb.until(clicks=("total", CLICKS - 1), at_most=LONGEST)
    other = tb.Protocol([steps[0], (BATTERY.charge(), off), *model.steps[2:]])
    assert tb.compare(runs, tb.mesolve(other, times), other_model=True).p_value < 1e-6


@pytest.mark.parametrize("model", [BATTERY.charge(), BATTERY.charge(secular=False)])
def test_infinitely_many_clicks_are_a_fixed_time(model):
    channel = model.channel_names[0]
    rule = tb.until(clicks=(channel, 10**6), at_most=LONGEST)
    after = (BATTERY.store(), 0.1), (BATTERY.discharge(2.0), LAST)
    times = np.linspace(0.0, LONGEST + 0.1 + LAST, 8)
    one = tb.mesolve(tb.Protocol([(model, rule), *after]), times)
    other = tb.mesolve(tb.Protocol([(model, LONGEST), *after]), times)
    for name in ("energy", "energy_variance", "dipole", "counts", "products"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-9)


def test_what_has_no_twin_says_so():
    rule = tb.until(clicks=("blue", 3), at_most=1.0)
    energy = tb.until(energy=2.0, at_most=1.0)
    end = (BATTERY.store(), 1.0)
    for steps, message in (
        ([(BATTERY.charge(), energy)], "waits for an energy"),
        ([(BATTERY.charge(), rule), (BATTERY.store(local=1.0), 1.0)], "noise of single atoms"),
    ):
        with pytest.raises(ValueError, match=message):
            tb.mesolve(tb.Protocol([*steps, end]), [1.0])
    with pytest.raises(ValueError, match="`keep_states`"):
        tb.mesolve(tb.Protocol([(BATTERY.charge(), rule), end]), [1.0], keep_states=True)


def test_long_after_the_last_has_ended():
    """What is left of the stage is no noise of steps as long as they may be."""
    battery = tb.Battery(n_atoms=12, theta=1.87, omega_p=20.0, gamma_plus=10.0)
    rule = tb.until(clicks=("total", 5), at_most=2.0)
    model = tb.Protocol([(battery.charge(), rule), (battery.store(), 0.1)])
    found = tb.mesolve(model, np.linspace(0.0, 2.0, 101))
    late = slice(50, None)
    np.testing.assert_allclose(found.energy[late], found.energy[-1], rtol=1e-9)
    np.testing.assert_allclose(found.counts.sum(axis=0)[late], 5.0, rtol=1e-8)


def test_few_and_early_times():
    rule = tb.until(clicks=("total", 1), at_most=5.0)
    model = tb.Protocol([(BATTERY.charge(), rule), (BATTERY.store(), 0.2)])
    assert tb.mesolve(model, [0.0]).energy == pytest.approx([0.0], abs=1e-14)
    many = tb.mesolve(model, np.linspace(0.0, 5.2, 53))
    few = tb.mesolve(model, [0.3, 5.2], method="banded")
    np.testing.assert_allclose(few.energy, many.energy[[3, -1]], rtol=1e-8)
    with pytest.raises(ValueError, match="`method`"):
        tb.mesolve(model, [0.3], method="frame")
