import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.commandline.console import formatted
from trajbatt.commandline.main import main

SMALL = ["--n-atoms", "10", "--ntraj", "60"]


def error_of(arguments, capsys):
    """Run a command that must fail: its one line on standard error."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("trajbatt: ")
    return captured.err


def test_charge_shows_a_table_and_saves_a_picture(empty_folder, capsys):
    assert main(["charge", *SMALL]) == 0
    shown = capsys.readouterr().out
    for words in (
        "seed 20241217",
        "stored energy per atom",
        "ΔE/E",
        "quantum part",
        "trajectory part",
        "photons, center",
        "waste per stored quantum",
        "average power",
        "p = ",
    ):
        assert words in shown
    picture = re.search(r"picture: (\S+)", shown)[1]
    assert picture == "trajbatt-out/charge-n-atoms-10-ntraj-60/charge.png"
    assert (empty_folder / picture).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_table_fits_80_columns(capsys):
    main(["charge", *SMALL])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.slow
def test_no_digit_is_lost_in_a_narrow_terminal(capsys, monkeypatch):
    main(["charge", *SMALL])
    wide = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "40")
    main(["charge", *SMALL])
    assert capsys.readouterr().out == wide


@pytest.mark.slow
def test_a_terminal_without_greek_letters():
    done = subprocess.run(
        [sys.executable, "-m", "trajbatt", "charge", *SMALL],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "stored energy per atom" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("value", "sem", "exact", "shown"),
    [
        (0.68680, 0.00085, 0.687412, ("0.68680", "0.00085", "0.687412")),
        (9436365.0, 3775.0, 9437330.0, ("9.4364e+06", "0.0038e+06", "9.43733e+06")),
        (1.938e-12, 2e-14, 1.9e-12, ("1.938e-12", "0.020e-12", "1.9000e-12")),
        (5.0, np.nan, 5.0, ("5.000000", "–", "5.0000000")),
        (0.0, 0.0, 0.0, ("0", "–", "0")),
        (np.nan, np.nan, None, ("–", "–", "")),
    ],
)
def test_numbers_have_one_format_in_a_row(value, sem, exact, shown):
    assert formatted(value, sem, exact) == shown


@pytest.mark.slow
def test_json_has_the_same_numbers_as_python(capsys):
    assert main(["charge", *SMALL, "--seed", "5", "--json", "-"]) == 0
    captured = capsys.readouterr()
    numbers = json.loads(captured.out)
    assert "stored energy" in captured.err
    battery = tb.Battery(10, 1.87, 100.0, gamma_plus=10.0)
    times = numbers["ensemble"]["times"]
    assert times[-1] == battery.charging_time
    runs = tb.mcsolve(battery.charge(), times, ntraj=60, seed=5)
    exact = tb.mesolve(battery.charge(), times)
    assert numbers["ensemble"]["energy"] == runs.energy.tolist()
    assert numbers["ensemble"]["seed"] == 5
    np.testing.assert_allclose(numbers["exact"]["counts"], exact.counts, rtol=1e-12)
    assert numbers["p_value"] == tb.compare(runs, exact).p_value
    assert numbers["parameters"]["theta"] == 1.87
    rows = {row["name"]: row for row in numbers["summary"]}
    assert rows["energy_per_atom"]["ensemble"] == pytest.approx(runs.energy[-1] / 10)
    assert rows["energy_per_atom"]["sem"] == pytest.approx(runs.energy_sem[-1] / 10)
    fluctuation = np.sqrt(exact.energy_variance[-1]) / exact.energy[-1]
    assert rows["relative_fluctuation"]["exact"] == pytest.approx(fluctuation)
    parts = [rows[f"relative_fluctuation_{part}"]["ensemble"] for part in ("quantum", "trajectory")]
    assert np.hypot(*parts) == pytest.approx(rows["relative_fluctuation"]["ensemble"])
    waste = runs.counts[:, -1].sum() / runs.energy[-1]
    assert rows["waste_per_quantum"]["ensemble"] == pytest.approx(waste)
    assert rows["average_power"]["exact"] == pytest.approx(exact.energy[-1] / times[-1])


@pytest.mark.slow
def test_quiet_prints_nothing(capfd, empty_folder):
    assert main(["charge", *SMALL, "--quiet", "--out", "here"]) == 0
    assert capfd.readouterr() == ("", "")
    assert (empty_folder / "here" / "charge.png").exists()


@pytest.mark.slow
def test_photon_energies_are_weighed_with_omega_0(capsys):
    numbers = []
    for extra in ([], ["--omega-0", "1e4"]):
        main(["charge", *SMALL, *extra, "--json", "-"])
        numbers.append(json.loads(capsys.readouterr().out))
    battery = tb.Battery(10, 1.87, 100.0, gamma_plus=10.0)
    pump = 1e4 - battery.detuning
    weights = np.array([pump - 100.0, pump, pump + 100.0]) / 1e4
    waste = {row["name"]: row for row in numbers[1]["summary"]}["waste_per_quantum"]
    exact = numbers[1]["exact"]
    final = np.array(exact["counts"])[:, -1]
    assert waste["exact"] == pytest.approx(weights @ final / exact["energy"][-1])
    assert numbers[0]["summary"] != numbers[1]["summary"]
    message = error_of(["charge", *SMALL, "--omega-0", "50"], capsys)
    assert "`omega_0` must exceed the detuning plus omega_p" in message


@pytest.mark.slow
def test_another_runs_folder_is_not_overwritten(capsys, empty_folder):
    run = ["charge", *SMALL, "--out", "mine", "--quiet"]
    assert main(run) == 0
    before = (empty_folder / "mine" / "charge.png").read_bytes()
    assert main(run) == 0  # the same run again is no other run
    message = error_of([*run, "--theta", "1.5"], capsys)
    assert "theta 1.87 there, 1.5 now" in message
    assert "--force" in message
    assert (empty_folder / "mine" / "charge.png").read_bytes() == before
    assert main([*run, "--theta", "1.5", "--force"]) == 0
    assert (empty_folder / "mine" / "charge.png").read_bytes() != before


def test_a_picture_of_unknown_origin_is_not_overwritten(capsys, empty_folder):
    (empty_folder / "charge.png").write_text("mine")
    message = error_of(["charge", *SMALL, "--out", "."], capsys)
    assert "not written by trajbatt" in message
    assert (empty_folder / "charge.png").read_text() == "mine"


def test_json_does_not_destroy_files(capsys, empty_folder):
    precious = empty_folder / "precious.txt"
    precious.write_text("mine")
    for command in (["charge", *SMALL], ["steady"]):
        message = error_of([*command, "--json", "precious.txt"], capsys)
        assert "`json` must not hold another run's results" in message
        assert precious.read_text() == "mine"
    assert main(["steady", "-q", "--json", "numbers.json"]) == 0
    assert main(["steady", "-q", "--json", "numbers.json"]) == 0  # the same numbers again
    assert "theta 1.87 there" in error_of(
        ["steady", "--theta", "1", "--json", "numbers.json"], capsys
    )
    assert main(["steady", "-q", "--theta", "1", "--json", "numbers.json", "--force"]) == 0
    for name in ("charge.png", "run.json"):
        message = error_of(["charge", *SMALL, "--out", "a", "--json", f"a/{name}"], capsys)
        assert "`json` must be a file of its own" in message
    assert not (empty_folder / "a").exists()


@pytest.mark.slow
def test_an_interrupted_run_leaves_the_results_of_the_last_one(monkeypatch, empty_folder):
    assert main(["charge", *SMALL, "-q", "--out", "a"]) == 0
    before = {path.name: path.read_bytes() for path in (empty_folder / "a").iterdir()}

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("trajbatt.reports.summaries.summarise", interrupt)
    assert main(["charge", "--ntraj", "70", "-q", "--out", "a", "--force"]) == 130
    assert {path.name: path.read_bytes() for path in (empty_folder / "a").iterdir()} == before


def test_steady_prints_the_closed_forms(capsys):
    assert main(["steady"]) == 0
    captured = capsys.readouterr()
    state = tb.steady_state(tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0).charge())
    assert f"{state.energy / 100:.9g}" in captured.out
    assert f"{state.ergotropy / 100:.9g}" in captured.out
    assert "0.073070894" in captured.out
    assert captured.err == ""
    assert main(["steady", "--json", "-", "--quiet"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["energy"] == state.energy
    assert numbers["populations"] == state.populations.tolist()
    assert numbers["charging_time"] == pytest.approx(0.0730708948754)


def test_steady_warns_when_the_secular_approximation_is_doubtful(capsys):
    assert main(["steady", "--omega-p", "600"]) == 0
    assert "4.83 times N max(A, B, C)" in capsys.readouterr().err
    assert main(["steady", "--omega-p", "630"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["charge", "--theta", "4.2"], "`theta` must lie in [0, pi], but is 4.2"),
        (["charge", "--theta", "nan"], "`theta` must lie in [0, pi], but is nan"),
        (["charge", "--n-atoms", "0"], "`n_atoms` must be a positive integer, but is 0"),
        (["charge", "--ntraj", "0"], "`ntraj` must be a positive integer, but is 0"),
        (["charge", "--seed", "-1"], "`seed` must be a non-negative integer, but is -1"),
        (["charge", "--ratio", "-1"], "`ratio` must be a finite number, zero or positive"),
        (["charge", "--gamma-0", "inf"], "`gamma_0` must be a finite number, zero or positive"),
        (["charge", "--time", "0"], "`time` must be a finite number above zero, but is 0.0"),
        (["charge", "--omega-p", "-3"], "`omega_p` must be a finite number, zero or positive"),
        (["charge", "--omega-0", "0"], "`omega_0` must be a finite number above zero"),
        (
            ["charge", "--json", "no/such/folder.json"],
            "`json` must be in a folder, but no/such is none",
        ),
        (["charge", "--theta", "x"], "Invalid value for '--theta'"),
        (["charge", "--n-atom", "5"], "No such option: --n-atom"),
        (["chrage"], "No such command 'chrage'"),
        (["charge", "--out", ""], "`out` must name a folder, but is empty"),
        (["charge", "--json", ""], "`json` must name a file, but is empty"),
        (["charge", "--json", "."], "`json` must be a file, but . is a folder"),
        (["charge", "--time", "1e6"], "`time` must leave a trajectory fewer than 1e+08 photons"),
        (["charge", "--gamma-0", "1e308"], "must leave N^2 (A + B + C) finite"),
        (["charge", "-N", "99999999999999999999"], "`n_atoms` must be at most 10000000"),
        (["steady", "--theta", "0", "--ratio", "0"], "must have a unique steady state"),
    ],
)
def test_errors_are_one_line_and_status_2(arguments, message, capsys, empty_folder):
    assert message in error_of(arguments, capsys)
    assert list(empty_folder.iterdir()) == []


@pytest.mark.parametrize("theta", ["0", "1.5707963267948966"])
def test_charging_time_is_asked_for_at_x_1(capsys, theta):
    ratio = {"0": "0", "1.5707963267948966": "1"}[theta]
    message = error_of(["charge", "--theta", theta, "--ratio", ratio], capsys)
    assert "`time` must be given" in message


def test_a_folder_that_cannot_be_made(capsys, empty_folder):
    (empty_folder / "file").write_text("")
    message = error_of(["charge", *SMALL, "--out", "file/folder"], capsys)
    assert "`out` must be in a folder" in message


@pytest.mark.slow
def test_edges_of_the_command(capsys):
    for extra in (
        ["--n-atoms", "1"],
        ["--theta", "0", "--time", "1"],
        ["--theta", "3.141592653589793", "--time", "1"],
        ["--gamma-0", "0"],
        ["--ratio", "0"],
        ["--ntraj", "1"],
        ["--theta", "1.5707963267948966", "--ratio", "1", "--time", "0.5"],
    ):
        assert main(["charge", *SMALL, *extra]) == 0, extra
        assert "stored energy" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--help"], ["charge", "--help"], ["steady", "--help"]])
def test_help(words, capsys):
    assert main(words) == 0
    assert "Usage: trajbatt" in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"trajbatt {tb.__version__}\n"


@pytest.mark.slow
def test_a_full_disk_is_one_line():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "trajbatt", "steady"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "trajbatt: cannot write the output: No space left on device\n"


@pytest.mark.slow
def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "trajbatt", "steady"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "ergotropy" in done.stdout


@pytest.mark.slow
def test_import_is_light():
    code = "import sys, trajbatt; print(*(m for m in ('numba', 'matplotlib') if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == ""
