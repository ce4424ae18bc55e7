"""Energies that swing too fast to be drawn: their sides, not what single times happen to hit."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.commandline.main import main
from trajbatt.commandline.options import charging_times
from trajbatt.exact.envelope import envelope
from trajbatt.models import swing
from trajbatt.plots import layout, runs, style
from trajbatt.plots.analysis import secular_figure

ALIASED = (275590.01369717595, 275160.0760783036, 1e5)


def battery(omega_p, n_atoms=100, theta=1.87, gamma_plus=10.0):
    return tb.Battery(n_atoms, theta, omega_p, gamma_plus=gamma_plus)


def far_from_dense(exact, found, places):
    """Return how far the sides and the middle are from those of a dense grid, per atom."""
    lasting = swing.period(exact.model.stages()[0].model)
    worst = 0.0
    for i in places:
        around = found.times[i] + lasting * (np.arange(400) / 400 - 0.5)
        energy = tb.mesolve(exact.model, around, exact.initial, rtol=1e-9).energy
        differ = energy.max() - found.high[i], energy.min() - found.low[i]
        worst = max(worst, *np.abs(differ), abs(energy.mean() - found.middle[i]))
    return worst / exact.model.n_atoms


@pytest.mark.slow
@pytest.mark.parametrize("omega_p", ALIASED)
def test_sides_of_a_charging(omega_p):
    one = battery(omega_p)
    exact = tb.mesolve(one.charge(), charging_times(one, one.charging_time))
    found = envelope(exact)
    assert far_from_dense(exact, found, (40, 1000, 3000)) < 5e-4
    # The negative control: a dipole that is 5 % off.
    wrong = swing.swing_of(exact.model, exact.times, exact.energy, 1.05 * exact.dipole)
    assert far_from_dense(exact, wrong, (40, 1000, 3000)) > 5e-3
    # What was drawn once: 3201 times, and hardly a swing between them.
    jumps = np.abs(np.diff(exact.energy)).max() / 100
    assert omega_p == 1e5 or jumps < 0.2


@pytest.mark.parametrize("initial", [None, "coherent"])
def test_sides_from_other_states_and_angles(initial):
    model = tb.Battery(5, 0.3, 1e4).charge()
    ket = None if initial is None else tb.coherent_state(5, 1.0, 0.7)
    exact = tb.mesolve(model, np.linspace(0.0, 1.0, 101), ket)
    assert far_from_dense(exact, envelope(exact), (5, 50)) < 5e-4


@pytest.mark.slow
def test_sides_of_eq_5():
    model = tb.Battery(10, 1.2, 1000.0).charge(secular=False)
    exact = tb.mesolve(model, np.linspace(0.0, 4.0, 801), rtol=1e-8)
    found = envelope(exact)
    assert not swing.turns_freely(model)
    assert far_from_dense(exact, found, (30, 100, 390)) < 2e-3
    # The negative control: what stands in the dressed frame would be taken for a swing.
    naive = swing.swing_of(model, exact.times, exact.energy, exact.dipole)
    assert (naive.high - naive.low)[-1] > 10 * (found.high - found.low)[-1] + 0.02


def test_sides_of_a_cycle():
    one = battery(1e5, 6)
    cycle = tb.Protocol([(one.charge(), 0.2), (one.store(), 0.1), (one.discharge(), 0.3)])
    exact = tb.mesolve(cycle, np.linspace(0.0, 0.6, 301))
    found = envelope(exact)
    later = found.times > 0.2 + 1e-9
    np.testing.assert_allclose(found.high[later], exact.energy[later])
    assert np.all(found.high[~later] - found.low[~later] > 0.01)


def test_where_lines_are_enough():
    for model in (battery(1e5).store(), battery(1e5).discharge(), battery(1000.0).charge()):
        exact = tb.mesolve(model, np.linspace(0.0, 0.07, 401))
        assert envelope(exact) is None


def drawn(model, times, ntraj=30):
    ensemble = tb.mcsolve(model, times, ntraj, seed=1)
    exact = tb.mesolve(model, times)
    figure = runs.run_figure(
        ensemble, exact, [ensemble.replay(i) for i in range(2)], swing=envelope(exact)
    )
    assert style.as_bytes(figure)
    return figure.axes[0], ensemble


@pytest.mark.slow
def test_nothing_aliased_is_drawn():
    one = battery(ALIASED[0], 20)
    axes, ensemble = drawn(one.charge(), np.linspace(0.0, one.charging_time, 801))
    legend = axes.get_legend()
    assert layout.TOO_FAST in legend.get_title().get_text()
    raw = [ensemble.energy, ensemble.replay(0).energy]
    for line in axes.get_lines():
        for energy in raw:
            assert not np.array_equal(line.get_ydata(), energy / 20)
    lines = {line.get_label(): line for line in axes.get_lines()}
    mean = swing.swing_of(ensemble.model, ensemble.times, ensemble.energy, ensemble.dipole)
    np.testing.assert_allclose(lines["mean of 30 trajectories"].get_ydata(), mean.low / 20)
    # The negative control: where times follow the energy, it is drawn.
    axes, ensemble = drawn(battery(200.0, 20).charge(), np.linspace(0, 0.1, 401))
    assert axes.get_legend().get_title().get_text() == ""
    assert any(np.array_equal(line.get_ydata(), ensemble.energy / 20) for line in axes.get_lines())


@pytest.mark.slow
def test_eq_5_says_what_is_left_out():
    model = tb.Battery(4, 1.2, 100.0).charge(secular=False)
    axes, _ = drawn(model, np.linspace(0.0, 12.0, 401))
    words = axes.get_legend().get_title().get_text()
    assert "single trajectories are left out" in words
    assert "mean of 30 at single times" in [line.get_label() for line in axes.get_lines()]


@pytest.mark.slow
def test_secular_pictures():
    one = tb.Battery(4, 1.87, 100.0)
    for end, too_fast in ((0.5, False), (15.0, True)):
        check = tb.secular_check(one, np.linspace(0.0, end, 401))
        figure = secular_figure(check, envelope(check.full))
        title = figure.axes[0].get_legend().get_title().get_text()
        assert (title == layout.TOO_FAST) == too_fast
        assert style.as_bytes(figure)
        assert len(figure.axes[1].get_lines()) == 2  # zero and the difference


@pytest.mark.slow
def test_errors_of_the_solver_are_not_drawn_as_a_difference():
    # Once a smooth curve of 4e-7, of which a finer tolerance left a hundredth.
    check = tb.secular_check(tb.Battery(2, 1.87, 2e4), np.linspace(0.0, 3.0, 401))
    axes = secular_figure(check, envelope(check.full)).axes[1]
    assert len(axes.get_lines()) == 1
    assert "not resolved" in axes.texts[0].get_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["charge", "-N", "5", "--ntraj", "20", "--theta", "0.3", "--omega-p", "1e5"],
        ["charge", "-N", "1", "--ntraj", "3", "--omega-p", "1e5"],
        ["cycle", "-N", "4", "--ntraj", "20", "--omega-p", "1e5"],
        ["secular", "-N", "4", "--omega-p", "1e4"],
    ],
)
def test_commands(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--out", "a", "-q"]) == 0
    assert (tmp_path / "a" / f"{command[0]}.png").exists()
