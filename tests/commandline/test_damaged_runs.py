"""Stored runs that somebody has edited, or that cannot be read, and durations below rounding."""

import copy
import json

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.commandline.main import main

BATTERY = tb.Battery(4, 1.87, 40.0, gamma_plus=10.0)
VALUES = (None, -1, 10**400, "x", [], {}, True)


@pytest.fixture
def stored(empty_folder):
    tb.mcsolve(BATTERY.charge(), [0.0, 0.1], 20, seed=1, store="d", keep_clicks=True)
    return empty_folder / "d" / "run.json"


def places(tree, way=()):
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield (*way, key)
        if isinstance(value, dict | list):
            yield from places(value, (*way, key))


def edited(manifest):
    """Yield copies of a manifest, in each of which one thing is another or is not there."""
    for i, way in enumerate(places(manifest)):
        changed = copy.deepcopy(manifest)
        holder = changed
        for key in way[:-1]:
            holder = holder[key]
        if i % 3:
            holder[way[-1]] = VALUES[i % len(VALUES)]
        else:
            del holder[way[-1]]
        yield changed


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # which the store gives before
@pytest.mark.parametrize("command", ["show", "photons"])
def test_edited_manifests_are_one_line(command, stored, capsys, monkeypatch):
    monkeypatch.setattr("trajbatt.plots.style.as_bytes", lambda figure, kind: b"")
    manifest = json.loads(stored.read_text())
    refused = 0
    for changed in edited(manifest):
        stored.write_text(json.dumps(changed))
        status = main([command, "d", "-q", "--out", "a", "--force"])
        errors = capsys.readouterr().err
        assert (status, errors.count("\n")) in ((0, 0), (2, 1)), errors
        refused += status == 2
    assert refused > 0
    stored.write_text(json.dumps(manifest))  # the negative control
    assert main([command, "d", "-q", "--out", "b"]) == 0


@pytest.mark.parametrize("command", ["show", "photons"])
def test_a_manifest_that_cannot_be_read(command, stored, capsys):
    stored.unlink()
    stored.mkdir()  # root may read any file, but no folder as one
    assert main([command, "d"]) == 2
    assert capsys.readouterr().err == "trajbatt: cannot read d/run.json: Is a directory\n"
    assert main([command, ""]) == 2
    assert "`run` must name a folder" in capsys.readouterr().err


@pytest.mark.filterwarnings("error")
def test_stored_storage_is_shown_without_a_warning(capsys, empty_folder):
    store = BATTERY.store()
    tb.mcsolve(store, [0.0, 0.1, 0.2], 20, seed=1, store="one")
    tb.mcsolve(tb.Protocol([(store, 0.2), (store, 0.3)]), [0.0, 0.4], 20, seed=1, store="two")
    for run in ("one", "two"):
        assert main(["show", run, "--out", f"{run}-shown"]) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        assert "E/N" in captured.out


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["cycle", "--store-time", "1e-17"], "store_time"),
        (["cycle", "--charge-time", "5e-324", "--discharge-time", "1"], "charge_time"),
        (["cycle", "--discharge-time", "1e-17"], "discharge_time"),
        (["charge", "--time", "5e-324"], "time"),
        (["discharge", "--time", "5e-324"], "time"),
        (["secular", "--time", "5e-324"], "time"),
    ],
)
def test_durations_below_rounding_are_named(command, name, capsys, empty_folder):
    assert main([command[0], "-N", "4", *command[1:]]) == 2
    errors = capsys.readouterr().err
    assert f"`{name}` must be longer than rounding" in errors
    assert errors.count("\n") == 1
    assert list(empty_folder.iterdir()) == []


def test_hints_name_what_can_be_installed(monkeypatch):
    import builtins

    whole = builtins.__import__

    def without(name, *rest, **options):
        if name.split(".")[0] in ("xarray", "h5netcdf"):
            raise ImportError(f"No module named {name!r}", name=name)
        return whole(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    runs = tb.mcsolve(BATTERY.charge(), np.array([0.1]), 5, seed=1)
    with pytest.raises(ImportError, match="pip install xarray h5netcdf") as error:
        runs.to_xarray()
    assert "trajbatt[" not in str(error.value)  # which is in no index
