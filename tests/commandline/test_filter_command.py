"""`trajbatt export` says what photons come from, and `filter` follows that battery only."""

import json

import numpy as np
import pytest

import trajbatt as tb
from trajbatt import exchange
from trajbatt.commandline.main import main

BATTERY = tb.Battery(3, 1.2, 25.0, 1.5, 8.0, 1.0)
OPTIONS = ["-N", "3", "--theta", "1.2", "--ratio", "8", "--gamma-0", "1.5", "--omega-p", "25"]


def error_of(command, capsys):
    assert main(command) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def numbers_of(command, capsys):
    assert main([*command, "--json", "-", "--force"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def stored(empty_folder):
    """Return a function that stores a run and exports it."""

    def store(model, name, ntraj=1, **more):
        tb.mcsolve(model, [0.0, 0.3], ntraj, seed=1, store=f"run-{name}", **more)
        assert main(["export", f"run-{name}", name, "-q"]) == 0
        return name

    return store


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".h5"])
@pytest.mark.parametrize(
    ("make", "flag"),
    [
        (BATTERY.charge, []),
        (BATTERY.discharge, ["--discharge"]),
        (lambda: tb.Battery(3, 1.2, 25.0).charge(secular=False), ["--full"]),
    ],
)
def test_a_file_says_its_battery(suffix, make, flag, stored, capsys):
    if suffix == ".h5":
        pytest.importorskip("h5py")
    model = make()
    name = stored(model, f"a{suffix}")
    found = numbers_of(["filter", name, "--out", "out"], capsys)
    read = exchange.read_csv if suffix == ".csv" else exchange.read_photon_hdf5
    clicks = read(name)
    expected = tb.filter(model, clicks, [0.3])
    assert found["filter"]["energy"][-1] == pytest.approx(expected.energy[0])
    # Options that say the same change nothing; the others are refused.
    same = OPTIONS if flag != ["--full"] else ["-N", "3", "--omega-p", "25"]
    again = numbers_of(["filter", name, *same, *flag, "--out", "out"], capsys)
    assert again["filter"]["energy"] == found["filter"]["energy"]
    for more, message in (
        (["-N", "4"], f"`n_atoms` must be 3, as {name} says, or be left out, but is 4"),
        (["--theta", "1.21"], f"`theta` must be 1.2, as {name} says"),
        (["--ratio", "9"], "`ratio` must be "),
        (["--gamma-0", "7"], "`gamma_0` must be "),
        (["--omega-p", "24"], f"`omega_p` must be 25, as {name} says"),
        *(
            ([other], f"`{other[2:]}` must be left out, because {name} is of")
            for other in ("--full", "--discharge")
            if [other] != flag
        ),
    ):
        assert message in error_of(["filter", name, *more, "--out", "out"], capsys)


def test_a_file_that_does_not_say_its_battery(empty_folder, capsys):
    (empty_folder / "a.csv").write_text("# duration: 0.3\ntime,channel\n0,red\n0.1,blue\n")
    command = ["filter", "a.csv", "--out", "out"]
    assert (
        "a.csv does not say which battery its photons come from: "
        "give --n-atoms, --theta, --ratio, --gamma-0 and --omega-p"
    ) in error_of(command, capsys)
    assert "give --omega-p" in error_of([*command, *OPTIONS[:-2]], capsys)
    assert "give --n-atoms, --theta and --omega-p" in error_of([*command, "--full"], capsys)
    found = numbers_of([*command, *OPTIONS], capsys)
    clicks = exchange.read_csv("a.csv", channels=BATTERY.charge().channel_names)
    expected = tb.filter(BATTERY.charge(), clicks, [0.3])
    assert found["filter"]["energy"][-1] == pytest.approx(expected.energy[0])  # with that at t = 0
    assert found["filter"]["click_time"][0] == 0.0


def test_what_is_shown(empty_folder, capsys):
    (empty_folder / "a.csv").write_text("# duration: 0.3\ntime,channel\n0.1,blue\n")
    assert main(["filter", "a.csv", *OPTIONS, "--out", "out"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "if nothing is observed" in shown
    assert "without photons" not in shown


def test_one_of_several_trajectories(stored, capsys):
    name = stored(BATTERY.charge(), "a.csv", ntraj=5)
    command = ["filter", name, "--out", "out"]
    assert f"`trajectory` must be given, because {name} has 5: 0 to 4" in error_of(command, capsys)
    assert "must be below the 5 of a.csv, but is 5" in error_of(
        [*command, "--trajectory", "5"], capsys
    )
    found = numbers_of([*command, "--trajectory", "4"], capsys)
    expected = tb.filter(BATTERY.charge(), exchange.read_csv(name).of_trajectory(4), [0.3])
    assert found["filter"]["energy"][-1] == pytest.approx(expected.energy[0])


def test_files_of_what_no_option_describes(stored, capsys):
    inverted = stored(BATTERY.discharge(), "a.csv", initial=tb.excited_state(3))
    assert "a.csv must be of a run with the initial state of its model" in error_of(
        ["filter", inverted, "--out", "out"], capsys
    )
    cycle = tb.Protocol([(BATTERY.charge(), 0.1), (BATTERY.discharge(2.0), 0.4)])
    name = stored(cycle, "b.csv")
    assert "b.csv must be of a charging or a discharge of a battery, but is of" in error_of(
        ["filter", name, *OPTIONS, "--out", "out"], capsys
    )
    about = exchange.read_about(name)
    assert (about["theta"], about["gamma"]) == (1.2, 2.0)
    assert about["stages"] == "charge 0.1; discharge 0.4"
    # A model of the user's has parameters of its own.
    heat = tb.LadderModel(
        "heat", 3, 0.4, 5.0, (tb.Channel("emit", -1, 1.3), tb.Channel("absorb", 1, 0.3))
    )
    name = stored(heat, "c.csv")
    assert "is of 'heat': tb.filter takes any model" in error_of(
        ["filter", name, *OPTIONS, "--out", "out"], capsys
    )
    about = exchange.read_about(name)
    parameters = {"theta": 0.4, "frequency": 5.0, "rate_emit": 1.3, "rate_absorb": 0.3}
    assert about == {"model": "heat", "n_atoms": 3, **parameters, "initial": "default"}


@pytest.mark.slow
def test_numbers_of_channels(empty_folder, capsys):
    (empty_folder / "a.csv").write_text("# duration: 0.3\ntime,channel\n0.1,1\n0.2,3\n")
    command = ["filter", "a.csv", *OPTIONS, "--out", "out"]
    found = numbers_of([*command, "--channels", "1=red, 2=center, 3=blue"], capsys)
    clicks = tb.Clicks([0, 0], [0.1, 0.2], [0, 2], ("red", "center", "blue"), duration=0.3)
    expected = tb.filter(BATTERY.charge(), clicks, [0.3])
    assert found["filter"]["energy"][-1] == pytest.approx(expected.energy[0])
    h5py = pytest.importorskip("h5py")
    with h5py.File("a.h5", "w") as file:
        file["photon_data/timestamps"] = np.array([100, 200])
        file["photon_data/timestamps_specs/timestamps_unit"] = 1e-3
        file["photon_data/detectors"] = np.array([1, 3])
        file["acquisition_duration"] = 0.35
    command_h5 = ["filter", "a.h5", *OPTIONS, "--out", "out"]
    again = numbers_of([*command_h5, "--channels", "1=red,2=center,3=blue"], capsys)
    assert again["filter"]["energy"][-1] == pytest.approx(expected.energy[0])
    assert "say which numbers the names are of, such as 1=red, because the channels of a.h5" in (
        error_of([*command_h5, "--channels", "red,center,blue"], capsys)
    )
    for names, message in (
        ("red,center,blue", "`channels` must say which numbers the names are of, such as 1=red"),
        ("1=red,blue", "or numbers with names, such as 1=red,2=blue, but is '1=red,blue'"),
        ("1=red,1=blue", "`channels` must give each number one name"),
        ("x=red", "or numbers with names"),
        ("1=red", "must name the channels 1, 3 of a.csv"),
    ):
        assert message in error_of([*command, "--channels", names], capsys)


@pytest.mark.slow
def test_files_that_were_changed(stored, capsys, empty_folder):
    name = stored(BATTERY.charge(), "a.csv")
    text = (empty_folder / name).read_text()
    command = ["filter", "b.csv", "--out", "out"]
    for old, new, message in (
        ("theta: 1.2", "theta: much", "b.csv must have a number for 'theta', but has 'much'"),
        ("# theta: 1.2\n", "", "b.csv must say 'theta' of its battery, but does not"),
        ("made_by: charge", "made_by: magic", "b.csv must have a model made by charge, "),
        ("n_atoms: 3", "n_atoms: -3", "`n_atoms` must be a positive integer, but is -3"),
    ):
        assert old in text
        (empty_folder / "b.csv").write_text(text.replace(old, new))
        assert message in error_of(command, capsys)
    # As a spreadsheet saves it.
    (empty_folder / "b.csv").write_text(text.replace("\n", ",,\r\n"))
    found, expected = (numbers_of(["filter", n, "--out", "out"], capsys) for n in ("b.csv", name))
    assert np.array_equal(found["filter"]["energy"], expected["filter"]["energy"])


def test_files_that_are_none(empty_folder, capsys):
    for name in ("none.csv", "none.h5"):
        assert f"cannot read {name}: No such file" in error_of(["filter", name, *OPTIONS], capsys)
    (empty_folder / "x.csv").write_bytes(b"time,channel\n0.1,\xff\n")
    assert "x.csv must be a text file in UTF-8" in error_of(["filter", "x.csv", *OPTIONS], capsys)
    (empty_folder / "folder").mkdir()
    assert "cannot read folder: Is a directory" in error_of(["filter", "folder", *OPTIONS], capsys)
