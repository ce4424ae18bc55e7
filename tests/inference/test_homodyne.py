"""The filter and the fit on records of mixed light."""

import math

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(4, 1.1, 7.0)
DRIVEN = BATTERY.charge(secular=False)
T = np.linspace(0.0, 0.6, 13)


@pytest.mark.parametrize("source", [DRIVEN, BATTERY.charge()], ids=["driven", "lines"])
def test_clicks_tell_the_state(source):
    model = tb.Homodyne(5.0, 0.4).of(source)
    one = tb.mcsolve(model, T, 3, seed=2, rtol=1e-10).replay(1)
    found = tb.filter(model, one.clicks, T)
    np.testing.assert_allclose(found.energy, one.energy, atol=1e-7)
    np.testing.assert_allclose(found.dipole, one.dipole, atol=1e-7)
    wrong = tb.filter(tb.Homodyne(5.0, 1.4).of(source), one.clicks, T)
    assert np.abs(wrong.energy - one.energy).max() > 0.05


def test_lost_light_is_not_seen():
    model = tb.Homodyne(5.0, 0.4, 0.5).of(DRIVEN)
    runs = tb.mcsolve(model, T, 200, seed=2, keep_clicks=True)
    energies = []
    for i in range(200):
        found = tb.filter(model, runs.clicks.of_trajectory(i), T)
        energies.append(found.energy)
    assert found.purity[-1] < 0.95
    exact = tb.mesolve(model, T)
    z = (np.mean(energies, axis=0) - exact.energy)[1:] / np.std(energies, axis=0)[1:] * 200**0.5
    assert np.abs(z).max() < 4.0


@pytest.mark.parametrize("source", [DRIVEN, BATTERY.charge()], ids=["driven", "lines"])
def test_currents_tell_the_state(source):
    model = tb.Heterodyne(math.inf, 0.4).of(source)
    fine = np.linspace(0.0, 0.6, 3001)
    one = tb.mcsolve(model, fine, 1, seed=2).replay(0)
    found = tb.filter(model, one, fine[::250])
    swing = np.ptp(one.energy)
    np.testing.assert_allclose(found.energy, one.energy[::250], atol=0.03 * swing)
    np.testing.assert_allclose(found.purity, 1.0, atol=1e-9)
    turned = tb.filter(model, tb.HomodyneRecord(fine, -one.current), fine[::250])
    assert np.abs(turned.energy - one.energy[::250]).max() > 0.2 * swing
    # What is expected of the next bin is the current, up to noise.
    rates = tb.filter(model, one, fine[1:-1]).rates
    noise = (one.current[:, 1:] - rates) * np.sqrt(np.diff(fine)[0])
    np.testing.assert_allclose(noise.var(axis=1), 1.0, atol=0.12)


def test_protocols_of_currents():
    model = tb.Homodyne(math.inf, 0.4).of(
        tb.Protocol([(DRIVEN, 0.3), (BATTERY.store(), 0.1), (BATTERY.discharge(), 0.2)])
    )
    fine = np.round(np.linspace(0.0, 0.6, 1201), 12)
    one = tb.mcsolve(model, fine, 1, seed=2).replay(0)
    found = tb.filter(model, one, fine[::200])
    np.testing.assert_allclose(found.energy, one.energy[::200], atol=0.1)


def test_currents_of_qutip():
    qutip = pytest.importorskip("qutip")
    problem = tb.to_qutip(DRIVEN)
    times = np.linspace(0.0, 0.5, 2001)
    theirs = qutip.smesolve(
        problem.H,
        problem.psi0,
        times,
        sc_ops=problem.c_ops,
        e_ops=[problem.e_ops["energy"]],
        ntraj=1,
        seeds=7,
        options={
            "dt": 1.25e-4,
            "store_measurement": "end",
            "keep_runs_results": True,
            "method": "rouchon",
            "progress_bar": "",
        },
    )
    current = np.array(theirs.measurement)[0]
    model = tb.Homodyne(math.inf).of(DRIVEN)
    found = tb.filter(model, tb.HomodyneRecord(times, current), times[1:])
    energy = np.array(theirs.runs_e_data[0][0])[1:]
    assert np.ptp(energy) > 1.5
    np.testing.assert_allclose(found.energy, energy, atol=5e-3)


def test_fit_of_currents(tmp_path):
    model = tb.Homodyne(math.inf, np.pi / 2).of(tb.DrivenDicke(2, rabi=6.0, detuning=2.0))
    fine = np.linspace(0.0, 2.0, 401)
    runs = tb.mcsolve(model, fine, 4, seed=2)
    records = []
    for i in range(4):
        path = tmp_path / f"{i}.csv"
        tb.exchange.write_current_csv(runs.replay(i), path)
        records.append(tb.exchange.read_current_csv(path))
        np.testing.assert_array_equal(records[i].current, runs.replay(i).current)
    found = tb.fit(model.with_parameters(rabi=5.0), records, ("rabi",))
    assert found.converged
    assert abs(found.values["rabi"] - 6.0) < 4.0 * found.errors["rabi"]
    assert 0.0 < found.errors["rabi"] < 1.0


@pytest.mark.parametrize(
    ("edges", "current", "message"),
    [
        ([0.1, 0.2], [1.0], "`edges` must begin at 0"),
        ([0.0, 0.1, 0.2], [1.0], "`current` must have one value for each of 2 bins"),
        ([0.0, 0.1], [np.nan], "`current` must be finite"),
        ([0.0, 0.1], ["a"], "`current` must hold numbers"),
        ([0.0, 0.1], [[1.0], [2.0]], "`current` must have one row for each of all"),
        ([0.0, 0.3], [1.0], "`tlist` must be edges"),
    ],
)
def test_bad_currents(edges, current, message):
    model = tb.Homodyne(math.inf).of(DRIVEN)
    with pytest.raises((ValueError, TypeError), match=message):
        tb.filter(model, tb.HomodyneRecord(edges, current), [0.1])


def test_clicks_are_no_current():
    clicks = tb.mcsolve(DRIVEN, T, 1, seed=1, keep_clicks=True).clicks
    with pytest.raises(TypeError, match="`clicks` must be a HomodyneRecord"):
        tb.filter(tb.Homodyne(math.inf).of(DRIVEN), clicks, T)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have a line that names its columns"),
        ("time,current\n0,1\n", "must have the columns begin, end"),
        ("begin,end,current_0\n0,0.1,x\n", "line 2"),
        ("begin,end,current_0\n0,0.1,1\n0.2,0.3,1\n", "without gaps, but line 3"),
        ("begin,end,current_0\n", "at least one bin"),
    ],
)
def test_bad_files(tmp_path, text, message):
    path = tmp_path / "current.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        tb.exchange.read_current_csv(path)
