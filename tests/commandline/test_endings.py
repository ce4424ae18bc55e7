"""How a command ends: results first, then the screen, whatever happens to its streams."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import trajbatt as tb
from trajbatt.commandline import results_folder
from trajbatt.commandline.main import main

SMALL = ["charge", "-N", "4", "--ntraj", "20"]
HERE = [*SMALL, "--out", "a", "--json", "a.json"]


def shell(line, **options):
    """Run a line of bash, in which $T is the command line; return its status and its errors."""
    variables = {**os.environ, "T": f"{sys.executable} -m trajbatt", **options}
    done = subprocess.run(
        ["bash", "-c", line], env=variables, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


class Gone:
    """A stream whose reader has gone."""

    closed, encoding, name = False, "utf-8", "<gone>"

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")

    def flush(self):
        self.write("")

    def isatty(self):
        return False

    def fileno(self):
        raise OSError("no file")


def broken(monkeypatch, name):
    monkeypatch.setattr(sys, name, Gone())


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        HERE,
        ["discharge", "-N", "4", "--ntraj", "20", *HERE[-4:]],
        ["cycle", "-N", "4", "--ntraj", "20", *HERE[-4:]],
        ["secular", "-N", "4", *HERE[-4:]],
        ["show", "d", *HERE[-4:]],
        ["photons", "d", *HERE[-4:]],
        ["steady", *HERE[-2:]],
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_results_are_written_before_the_screen(command, name, monkeypatch, empty_folder):
    tb.mcsolve(tb.Battery(4, 1.87, 40.0).charge(), [0.05, 0.1], 20, seed=1, store="d")
    broken(monkeypatch, name)
    assert main(command) == 0
    assert json.loads((empty_folder / "a.json").read_text())["command"] == command[0]
    if command[0] != "steady":
        assert (empty_folder / "a" / f"{command[0]}.png").exists()
        assert (empty_folder / "a" / results_folder.MANIFEST).exists()


@pytest.mark.slow
def test_a_warning_that_nobody_reads_stops_nothing(monkeypatch, empty_folder):
    broken(monkeypatch, "stderr")
    assert main([*HERE, "--omega-p", "1"]) == 0
    assert (empty_folder / "a.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["| true", ">&-", ">&- 2>&-", "2>&-", "2>&1 | true"])
def test_a_reader_who_has_gone(ending, empty_folder):
    status, errors = shell(f"$T {' '.join(HERE)} {ending}; exit ${{PIPESTATUS[0]}}")
    assert (status, errors) == (0, "")
    assert json.loads((empty_folder / "a.json").read_text())["command"] == "charge"
    assert (empty_folder / "a" / "charge.png").exists()


@pytest.mark.slow
def test_closed_streams_and_what_needs_them():
    for line, words in (
        (f"$T {' '.join(SMALL)} --json - >&-", "`json` must be a file, because standard output"),
        ("$T steady >/dev/full", "cannot write the output: No space left on device"),
    ):
        status, errors = shell(line)
        assert status == 2
        assert errors.startswith(f"trajbatt: {words}")
        assert errors.count("\n") == 1
    assert shell("$T steady --theta 9 >&- 2>&-") == (2, "")
    assert shell("$T --help | true; exit ${PIPESTATUS[0]}") == (0, "")


def test_no_standard_output_at_all(monkeypatch, empty_folder):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    assert main(HERE) == 0
    for stream in (sys.stdout, sys.stderr):
        stream.close()
    assert (empty_folder / "a.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["[/a]", "[bold]b", "a[red]"])
def test_square_brackets_in_names(name, capsys, empty_folder):
    assert main([*SMALL, "--out", name]) == 0
    assert f"picture: {name}/charge.png" in capsys.readouterr().out
    assert (empty_folder / name / "charge.png").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
@pytest.mark.parametrize("option", ["--out", "--json"])
@pytest.mark.parametrize("place", ["/proc/x", "/proc/x/y", "x" * 250, "y/" + "x" * 300])
def test_places_that_cannot_be_written_to(option, place, monkeypatch, capsys, empty_folder):
    import trajbatt.commandline.presenting  # noqa: F401 - it binds what is replaced

    def compute(*_, **__):
        raise AssertionError("it was computed before it was refused")

    if option == "--json" and "y" in place:
        place = place.removeprefix("y/").removesuffix("/y")
    if option == "--out" and len(place) == 250:
        place *= 2
    monkeypatch.setattr("trajbatt.ensembles.mcsolve.mcsolve", compute)
    assert main([*SMALL, option, place]) == 2
    captured = capsys.readouterr()
    too_long = captured.err.endswith("File name too long\n")
    assert too_long or captured.err.startswith(f"trajbatt: `{option[2:]}` must be ")
    assert captured.err.count("\n") == 1
    assert list(empty_folder.iterdir()) == []


@pytest.mark.slow
def test_a_name_made_of_long_options_is_cut(capsys, empty_folder):
    deep = empty_folder / ("ü" * 100) / ("v" * 230)
    tb.mcsolve(tb.Battery(4, 1.87, 40.0).charge(), [0.05], 20, seed=1, store=deep)
    names = set()
    for trajectory in ("1", "2"):
        assert main(["show", str(deep), "--trajectory", trajectory]) == 0
        names.add(capsys.readouterr().out.split("picture: ")[1].strip())
    assert len(names) == 2  # two pictures, not one over the other
    assert all(len(Path(name).parent.name.encode()) <= 180 for name in names)


@pytest.mark.slow
def test_the_backend_of_a_notebook():
    line = f"$T {' '.join(HERE)} -q"
    assert shell(line, MPLBACKEND="module://no.such.backend") == (0, "")


@pytest.fixture
def interrupted(monkeypatch):
    """Let Ctrl-C come after 64 trajectories of any run."""
    import trajbatt.ensembles.run as run

    whole = run._tallies

    def broken_off(plan, *rest):
        for i, tally in enumerate(whole(plan, *rest)):
            if i == 1:
                raise KeyboardInterrupt
            yield tally

    def begin():
        monkeypatch.setattr(run, "_tallies", broken_off)

    def end():
        monkeypatch.setattr(run, "_tallies", whole)

    return begin, end


LONG = ["charge", "-N", "100", "--ntraj", "2000", "--out", "a", "--json", "a.json"]


@pytest.mark.slow
def test_what_was_finished_is_shown(interrupted, capsys, empty_folder):
    interrupted[0]()
    assert main(LONG) == 130
    captured = capsys.readouterr()
    numbers = json.loads((empty_folder / "a.json").read_text())
    done = numbers["ensemble"]["ntraj"]
    assert 0 < done < 2000
    assert numbers["parameters"]["finished"] == done
    assert numbers["parameters"]["ntraj"] == 2000
    assert f"interrupted: {done} of 2000 trajectories" in captured.out
    assert "stored energy per atom" in captured.out
    assert captured.err.splitlines()[-1] == "trajbatt: interrupted"
    assert (empty_folder / "a" / "charge.png").exists()
    # The whole run takes the place of its part, and the part never that of the whole.
    interrupted[1]()
    assert main(LONG) == 0
    whole = (empty_folder / "a.json").read_bytes(), (empty_folder / "a/charge.png").read_bytes()
    assert "finished" not in json.loads(whole[0])["parameters"]
    interrupted[0]()
    capsys.readouterr()
    for extra in ([], ["--force", "--theta", "1.5"]):
        assert main([*LONG, *extra]) == 130
        assert "a holds more results, which stay" in capsys.readouterr().out
        assert (empty_folder / "a.json").read_bytes() == whole[0]
        assert (empty_folder / "a/charge.png").read_bytes() == whole[1]


def test_a_store_keeps_what_was_finished(interrupted, capsys, empty_folder):
    interrupted[0]()
    assert main([*LONG, "--store", "d"]) == 130
    errors = capsys.readouterr().err
    assert "of 2000 trajectories are in d; the same command goes on with them" in errors
    assert not (empty_folder / "a").exists()


@pytest.mark.slow
@pytest.mark.parametrize("signals", [1, 5])
def test_ctrl_c_while_threads_are_in_the_kernels(signals, empty_folder):
    command = [sys.executable, "-m", "trajbatt", "charge", "--ntraj", "2000000000"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stderr=pipe, stdout=pipe, text=True, cwd=empty_folder)
    try:
        time.sleep(5.0)
        assert process.poll() is None
        for _ in range(signals):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "trajbatt: interrupted"
    # Another line may say how many trajectories had finished.
    assert errors.count("trajbatt: ") == errors.count("\n") <= 2


def test_warnings_are_one_line_without_source(monkeypatch, capsys):
    import warnings

    import trajbatt.states.steady_state as states

    original = states.steady_state

    def warn(*arguments):
        warnings.warn("something is odd", RuntimeWarning, stacklevel=1)
        return original(*arguments)

    monkeypatch.setattr(states, "steady_state", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["steady"]) == 0
    assert capsys.readouterr().err == "trajbatt: warning: something is odd\n"
