"""The commands for Eq. (5): charge --full, discharge, cycle, secular; and photons and filter."""

import json

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.commandline.main import main

SMALL = ["--n-atoms", "8", "--ntraj", "40"]


def numbers_of(arguments, capsys):
    assert main([*arguments, "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert max(map(len, captured.err.splitlines())) <= 100
    return json.loads(captured.out)


def rows_of(numbers):
    return {row["name"]: row for row in numbers["summary"]}


def error_of(arguments, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.slow
def test_charge_by_the_full_equation(capsys, empty_folder):
    numbers = numbers_of(["charge", *SMALL, "--full", "--theta", "1.2", "--out", "here"], capsys)
    battery = tb.Battery(8, 1.2, 80.0)
    exact = tb.mesolve(battery.charge(secular=False), [battery.charging_time])
    assert numbers["exact"]["channels"] == ["all"]
    assert numbers["exact"]["energy"][-1] == pytest.approx(exact.energy[0], rel=1e-8)
    assert rows_of(numbers)["photons_all"]["exact"] == pytest.approx(exact.counts[0, 0], rel=1e-8)
    assert (empty_folder / "here" / "charge.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("start", ["charged", pytest.param("inverted", marks=pytest.mark.slow)])
def test_discharge_until_one_percent_is_left(start, capsys, empty_folder):
    numbers = numbers_of(["discharge", *SMALL, "--start", start, "--out", "here"], capsys)
    model = tb.Battery(8, 1.87, 80.0, gamma_plus=10.0).discharge()
    initial = tb.excited_state(8) if start == "inverted" else None
    time = numbers["parameters"]["time"]
    exact = tb.mesolve(model, [0.0, time], initial)
    assert exact.energy[1] / exact.energy[0] == pytest.approx(0.01, rel=1e-3)
    rows = rows_of(numbers)
    assert rows["energy_left_per_atom"]["exact"] == pytest.approx(exact.energy[1] / 8)
    assert rows["photons_all"]["exact"] == pytest.approx(exact.energy[0] - exact.energy[1])
    assert rows["efficiency"]["exact"] == pytest.approx(exact.coherent_fraction[1], abs=1e-9)
    ensemble = numbers["ensemble"]
    efficiency = ensemble["coherent_energy"][-1] / ensemble["energy"][0]
    assert rows["efficiency"]["ensemble"] == pytest.approx(efficiency, rel=1e-9)
    assert (empty_folder / "here" / "discharge.png").exists()


@pytest.mark.parametrize("full", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_cycle(full, capsys, empty_folder):
    options = ["--full", "--ratio", "1", "--theta", "1.2"] if full else []
    numbers = numbers_of(["cycle", *SMALL, *options, "--out", "here"], capsys)
    battery = tb.Battery(8, 1.2 if full else 1.87, 80.0, gamma_plus=1.0 if full else 10.0)
    given = numbers["parameters"]
    assert given["charge_time"] == battery.charging_time
    assert given["store_time"] <= 6 * np.pi / abs(battery.detuning) * (1 + 1e-12)
    protocol = tb.Protocol(
        [
            (battery.charge(secular=not full), given["charge_time"]),
            (battery.store(), given["store_time"]),
            (battery.discharge(), given["discharge_time"]),
        ]
    )
    ends = [stage.end for stage in protocol.stages()]
    exact = tb.mesolve(protocol, ends)
    rows = rows_of(numbers)
    assert rows["energy_per_atom"]["exact"] == pytest.approx(exact.energy[0] / 8, rel=1e-8)
    assert rows["energy_after_store_per_atom"]["exact"] == pytest.approx(exact.energy[1] / 8)
    assert rows["energy_left_per_atom"]["exact"] / rows["energy_per_atom"][
        "exact"
    ] == pytest.approx(0.01, rel=1e-3)
    assert rows["efficiency"]["exact"] == pytest.approx(exact.coherent_fraction[-1], rel=1e-7)
    waste = exact.counts[:-1, 0].sum() / exact.energy[0]
    assert rows["waste_per_quantum"]["exact"] == pytest.approx(waste, rel=1e-8)
    channels = ["all", "dis"] if full else ["red", "center", "blue", "dis"]
    assert numbers["exact"]["channels"] == channels
    # The ensemble's rows are those of the same run from Python.
    runs = tb.mcsolve(protocol, numbers["ensemble"]["times"], ntraj=40, seed=given["seed"])
    assert rows["efficiency"]["ensemble"] == runs.coherent_fraction[-1]
    assert rows["efficiency"]["sem"] == runs.coherent_fraction_sem[-1]
    assert numbers["ensemble"]["counts"] == runs.counts.tolist()
    assert (empty_folder / "here" / "cycle.png").exists()


@pytest.mark.slow
def test_secular(capsys, empty_folder):
    numbers = numbers_of(["secular", "--n-atoms", "6", "--out", "here"], capsys)
    (row,) = numbers["summary"]
    battery = tb.Battery(6, 1.87, 60.0)
    full, secular = (tb.steady_state(battery.charge(secular=kind)) for kind in (False, True))
    assert row["energy_difference_per_atom"] == pytest.approx((secular.energy - full.energy) / 6)
    assert row["final_energy_trusted"] is True
    assert (empty_folder / "here" / "secular.png").exists()
    assert main(["secular", "--n-atoms", "6", "--omega-p", "3"]) == 0
    assert "for the final state: no" in capsys.readouterr().out


@pytest.mark.slow
def test_secular_sweep(capsys):
    numbers = numbers_of(["secular", "--n-atoms", "6", "--sweep", "30,1,10"], capsys)
    rows = numbers["summary"]
    assert [row["drive"] for row in rows] == [1.0, 10.0, 30.0]
    distances = [row["trace_distance"] for row in rows]
    assert distances[0] > distances[1] > distances[2]
    assert distances[1] / distances[2] == pytest.approx(3.0, rel=0.05)  # as 1/Omega_P
    assert [row["state_trusted"] for row in rows] == [d < 0.05 for d in distances]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["charge", "--full", "--ratio", "10"], "must be equal for Eq. (5), but are 1, 10 and 1"),
        (["charge", "--full", "--omega-0", "1e5"], "`omega_0` must be left out with --full"),
        (["discharge", "--gamma", "-1"], "`gamma` must be a finite number, zero or positive"),
        (["discharge", "--gamma", "0"], "`time` must be given, because nothing decays"),
        (["discharge", "--ratio", "0", "--theta", "0"], "must have a unique steady state"),
        (["discharge", "--start", "full"], "Invalid value for '--start'"),
        (["cycle", "--store-time", "0"], "`store_time` must be a finite number above zero"),
        (["cycle", "--charge-time", "-2"], "`charge_time` must be a finite number above zero"),
        (["cycle", "--gamma", "0"], "`discharge_time` must be given, because nothing decays"),
        (["cycle", "--full", "--ratio", "10"], "must be equal for Eq. (5), but are 1, 10 and 1"),
        (["cycle", "--n-atoms", "20000"], "full density matrices are offered up to 2000 atoms"),
        (["secular", "--sweep", "1,x"], "`sweep` must be numbers with commas between them"),
        (["secular", "--sweep", "1,-1"], "`sweep` must be a finite number above zero"),
        (["secular", "--sweep", "1", "--omega-p", "3"], "`omega_p` must be left out with --sweep"),
        (["secular", "--tolerance", "0"], "`tolerance` must be a finite number above zero"),
        (["secular", "-N", "2001"], "is offered up to 2000 atoms, but `n_atoms` is 2001"),
        (["secular", "--theta", "1.5707963267948966"], "`time` must be given"),
    ],
)
def test_errors(arguments, message, capsys, empty_folder):
    assert message in error_of(arguments, capsys)
    assert list(empty_folder.iterdir()) == []


@pytest.mark.parametrize("command", ["discharge", "cycle", "secular"])
def test_help(command, capsys):
    assert main([command, "--help"]) == 0
    assert "Usage: trajbatt" in capsys.readouterr().out


@pytest.mark.slow
def test_photons_of_a_short_record(capsys):
    # The first photon by the end of the record, not ever: a z of -11 if that is forgotten.
    command = ["charge", "-N", "20", "--ntraj", "1000", "--time", "0.01", "--store", "run", "-q"]
    assert main([*command, "--out", "a"]) == 0
    numbers = numbers_of(["photons", "run", "--out", "b"], capsys)["photons"]
    rows = {row["name"]: row for row in numbers["rows"]}
    for name in ("red", "center", "blue"):
        assert abs(rows[f"first_{name}"]["z"]) < 4
    ever = tb.counting.next_channel(tb.Battery(20, 1.87, 200.0, gamma_plus=10.0).charge())
    row = rows["first_blue"]
    assert abs(row["ensemble"] - ever[2]) > 5 * row["sem"]


@pytest.mark.slow
def test_photons_of_batteries_in_other_units(capsys, empty_folder):
    for gamma_minus in (0.0, 2.0):
        battery = tb.Battery(4, 1.5, 60.0, 1.0, 10.0, gamma_minus)
        tb.mcsolve(battery.charge(), [0.0, 0.1], 50, seed=1, store=f"run-{gamma_minus}")
        for command in ("photons", "show"):
            assert main([command, f"run-{gamma_minus}", "--out", f"{command}{gamma_minus}"]) == 0
            assert (empty_folder / f"{command}{gamma_minus}" / f"{command}.png").exists()
    capsys.readouterr()


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_photons_of_runs_that_end_too_soon(capsys):
    battery = tb.Battery(4, 1.5, 60.0)
    model = tb.Protocol([(battery.store(), 0.2), (battery.discharge(), 0.3)])
    tb.mcsolve(model, [0.0, 0.1], 10, seed=1, store="early")
    tb.mcsolve(battery.charge(), [0.0], 10, seed=1, store="at-once")
    for run, end in (("early", "0.1"), ("at-once", "0")):
        message = error_of(["photons", run, "--out", "here"], capsys)
        assert f"the record must go on until there are photons, but ends at {end}" in message
    tb.mcsolve(model, [0.0, 0.4], 10, seed=1, store="late")
    assert main(["photons", "late", "-q", "--out", "there"]) == 0


def test_files_that_the_filter_has_to_be_told_about(capsys, empty_folder):
    (empty_folder / "n.csv").write_text("time,channel\n0.01,0\n0.02,2\n0.03,1\n")
    battery = ["-N", "4", "--theta", "1.87", "--ratio", "10", "--gamma-0", "1", "--omega-p", "40"]
    command = ["filter", "n.csv", *battery, "--time", "0.05", "--out", "here"]
    assert "but click 0 is of '0'" in error_of(command, capsys)
    numbers = numbers_of([*command, "--channels", "red, center, blue"], capsys)
    model = tb.Battery(4, 1.87, 40.0, gamma_plus=10.0).charge()
    clicks = tb.exchange.read_csv("n.csv", channels=model.channel_names)
    found = tb.filter(model, clicks, [0.05])
    assert numbers["filter"]["energy"][-1] == pytest.approx(found.energy[0])
    assert "but line 3 is of 2" in error_of([*command, "--channels", "red,blue"], capsys)
    (empty_folder / "m.csv").write_text("# duration: 0.1\ntime,channel\n0.01,red\n")
    command = ["filter", "m.csv", *battery, "--time", "0.2", "--out", "there"]
    assert "`time` must end by the end of the record, 0.1" in error_of(command, capsys)
    assert "m.csv must be a stored run, but is a file" in error_of(["photons", "m.csv"], capsys)
