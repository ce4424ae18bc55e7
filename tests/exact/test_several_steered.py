"""The twin of protocols with several stages that end by counts, against nested integrals."""

import numpy as np
import pytest
from oracle import dense
from oracle.counted import Counted, mean

import trajbatt as tb
from trajbatt.exact import steered
from trajbatt.exact.arrivals import Arrivals, Packet, Panel
from trajbatt.numerics.quadrature import gauss

BATTERY = tb.Battery(n_atoms=2, theta=1.2, omega_p=9.0)
TIMES = np.array([0.0, 0.2, 0.45, 0.7, 0.9, 1.3])
CHARGE, DRIVE = dense.charging(BATTERY, 1.0), dense.driving(BATTERY, 1.0)
DISCHARGE = dense.dark(BATTERY, 0.6, dis=dense.lowering(2, 1.7))
FIRST = (BATTERY.charge(), tb.until(clicks=("blue", 2), at_most=0.5))
SECOND = (BATTERY.charge(), tb.until(clicks=("red", 1), at_most=0.4))
END = (BATTERY.discharge(1.7), 0.6)
CASES = {
    "two of Eq. (7)": (
        [FIRST, SECOND, END],
        [Counted(CHARGE, ("blue",), 2, 0.5), Counted(CHARGE, ("red",), 1, 0.4), DISCHARGE],
    ),
    "of several channels, and a stage between": (
        [
            (BATTERY.charge(), tb.until(clicks=(("red", "blue"), 2), at_most=0.4)),
            (BATTERY.store(), 0.15),
            SECOND,
            END,
        ],
        [
            Counted(CHARGE, ("red", "blue"), 2, 0.4),
            dense.dark(BATTERY, 0.15),
            Counted(CHARGE, ("red",), 1, 0.4),
            DISCHARGE,
        ],
    ),
    "of Eq. (5)": (
        [
            FIRST,
            (BATTERY.charge(secular=False), tb.until(clicks=("all", 2), at_most=0.4)),
            END,
        ],
        [Counted(CHARGE, ("blue",), 2, 0.5), Counted(DRIVE, ("all",), 2, 0.4), DISCHARGE],
    ),
}
GROUND = np.diag([1.0, 0.0, 0.0]).astype(complex)


def dense_means(steps, times):
    j_z, j_plus = dense.spin_operators(2)
    states = [mean(steps, GROUND, time) for time in times]
    jz = np.array([np.trace(j_z @ rho).real for rho in states])
    square = np.array([np.trace(j_z @ j_z @ rho).real for rho in states])
    return jz + 1.0, square - jz**2, np.array([np.trace(j_plus @ rho) for rho in states])


@pytest.mark.parametrize("name", CASES)
def test_states(name):
    steps, by_hand = CASES[name]
    last = tb.Protocol(steps).duration
    times = np.array([time for time in TIMES if time <= last])
    found = tb.mesolve(tb.Protocol(steps), times)
    energy, variance, dipole = dense_means(by_hand, times)
    np.testing.assert_allclose(found.energy, energy, atol=1e-9)
    np.testing.assert_allclose(found.energy_variance, variance, atol=1e-9)
    np.testing.assert_allclose(found.dipole, dipole, atol=1e-9)
    if name == "two of Eq. (7)":  # the test would see one that stays a little longer
        slow = [FIRST, (SECOND[0], tb.until(clicks=("red", 1), at_most=0.401)), END]
        other = tb.mesolve(tb.Protocol(slow), times)
        assert np.abs(other.energy - energy).max() > 1e-6


def test_a_count_that_is_hardly_reached_is_a_fixed_time():
    """Counts, too: what stays for the longest time has gone through with each of its clicks."""
    times = np.linspace(0.1, 1.4, 6)
    rule = tb.until(clicks=("total", 30), at_most=0.4)
    found = tb.mesolve(tb.Protocol([FIRST, (BATTERY.charge(), rule), END]), times)
    timed = tb.mesolve(tb.Protocol([FIRST, (BATTERY.charge(), 0.4), END]), times)
    for name in ("energy", "energy_variance", "dipole", "counts", "products"):
        np.testing.assert_allclose(getattr(found, name), getattr(timed, name), atol=1e-9)
    less = tb.until(clicks=("total", 4), at_most=0.4)
    other = tb.mesolve(tb.Protocol([FIRST, (BATTERY.charge(), less), END]), times)
    assert np.abs(other.counts - timed.counts).max() > 1e-5


def test_all_have_left_by_their_clicks():
    battery = tb.Battery(3, 1.2, 9.0, gamma_plus=5.0)
    rules = [tb.until(clicks=("total", n), at_most=60.0) for n in (2, 4, 1)]
    protocol = tb.Protocol(
        [*((battery.charge(), rule) for rule in rules), (battery.store(), 200.0)]
    )
    found = tb.mesolve(protocol, [60.0])
    assert found.counts.sum() == pytest.approx(7.0, rel=1e-8)


def test_trajectories_follow_it():
    battery = tb.Battery(6, 1.87, 30.0, gamma_plus=10.0)
    charging = battery.charging_time

    def protocol(n):
        return tb.Protocol(
            [
                (battery.charge(), tb.until(clicks=("blue", 5), at_most=charging)),
                (battery.discharge(), tb.until(clicks=("total", n), at_most=charging)),
                (battery.charge(), tb.until(clicks=("blue", 3), at_most=charging)),
                (battery.store(), charging),
            ]
        )

    times = np.linspace(0.0, 3.0 * charging, 5)
    runs = tb.mcsolve(protocol(3), times, 4000, seed=1)
    assert tb.compare(runs, tb.mesolve(protocol(3), times, rtol=1e-8)).p_value > 1e-3
    other = tb.mesolve(protocol(2), times, rtol=1e-8)
    assert tb.compare(runs, other, other_model=True).p_value < 1e-6


def test_panels_know_what_is_between():
    times, _ = gauss(0.2, 0.7, 9)

    def density(time):
        return np.exp(3.0 * time)[:, None, None] * np.array([[1.0, 2.0j], [-2.0j, 3.0]])

    panel = Panel(0.2, 0.7, density(times))
    between = np.linspace(0.2, 0.7, 5)
    np.testing.assert_allclose(panel.at(between), density(between), rtol=1e-8)
    np.testing.assert_allclose(panel.times, times)
    whole = sum(one.matrix for one in panel.packets())
    np.testing.assert_allclose(whole[0, 0], (np.exp(2.1) - np.exp(0.6)) / 3.0, rtol=1e-12)
    assert Arrivals([Packet(0.1, GROUND)], [panel]).edges() == [0.1, 0.2, 0.7]


def test_few_nodes_are_noticed(monkeypatch):
    """The negative control of the sum of probabilities that is asked for."""
    monkeypatch.setattr(steered, "NODES_PER_RADIAN", (0.02,))
    monkeypatch.setattr(steered, "FEWEST_NODES", 1)
    rule = tb.until(clicks=("blue", 2), at_most=0.5)
    batteries = [tb.Battery(3, theta, 60.0, gamma_plus=40.0) for theta in (1.2, 1.9)]
    steps = [*((battery.charge(), rule) for battery in batteries), (batteries[0].store(), 0.6)]
    with pytest.raises(ArithmeticError, match="probability off 1"):
        tb.mesolve(tb.Protocol(steps), [1.2])


def test_times_that_are_a_boundary_but_for_rounding():
    battery = tb.Battery(3, 1.2, 12.0)
    one = tb.Protocol(
        [
            (battery.charge(), tb.until(clicks=("blue", 2), at_most=0.3)),
            (battery.store(), 0.1),
            (battery.charge(), tb.until(clicks=("red", 1), at_most=0.2)),
            (battery.charge(), 0.3),
        ]
    )
    known = tb.mesolve(one, [0.25, 0.9])
    for beside in (np.nextafter(0.3, 1.0), np.nextafter(0.3, 0.0), 0.3 + 2e-13, 0.6, 1e-13):
        found = tb.mesolve(one, np.unique([0.0, 0.25, beside, 0.9]))
        np.testing.assert_allclose(found.energy[-1], known.energy[-1], atol=1e-9)
        np.testing.assert_allclose(found.counts[:, -1], known.counts[:, -1], atol=1e-9)
    for n in (7, 10, 19):  # among them is a time that is 0.3 and a bit
        found = tb.mesolve(one, np.linspace(0.0, 0.9, n))
        np.testing.assert_allclose(found.counts[:, -1], known.counts[:, -1], atol=1e-9)


@pytest.mark.parametrize(("n_atoms", "waits"), [(20, True), (21, False)])
def test_who_waits_for_the_twin(n_atoms, waits):
    battery = tb.Battery(n_atoms, 1.2, 12.0)
    rule = tb.until(clicks=("blue", 2), at_most=0.3)
    once = tb.Protocol([(battery.charge(), rule), (battery.store(), 1.0)])
    twice = tb.Protocol([(battery.charge(), rule), *once.steps])
    assert steered.has_exact_twin(once)
    assert steered.has_exact_twin(twice) == waits
