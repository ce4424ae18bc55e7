"""Where a command writes, and whose results are already there.

A folder of results holds `run.json`, which says what run they are from; a JSON file says it itself.
Nothing is written before a run has ended, and then each file at once.
"""

import json
import os

from trajbatt.base import files

MANIFEST = "run.json"


def check(folder, files, json_file, provenance, force=False):
    """Find out, before anything is computed, whether the results of a run can be written.

    Parameters
    ----------
    folder : Path or None
    files : sequence of str
        What will be written there, beside the manifest.
    json_file : Path or None
    provenance : dict
        What is needed to repeat the run, as JSON has it.
    force : bool
        Overwrite the results of another run.

    Raises
    ------
    ValueError
        If another run's results, or a file of another kind, would be overwritten, or if something
        cannot be written.
    """
    if folder is not None:
        outputs = [folder / name for name in (MANIFEST, *files)]
        if not force and any(path.exists() for path in outputs):
            _compare("out", folder, _read(folder / MANIFEST), provenance)
        _check_writable("out", folder / MANIFEST)
        for path in outputs:
            if path.is_dir():
                raise ValueError(f"`out` must be a folder for files, but {path} is a folder")
        if json_file is not None and json_file.resolve() in [path.resolve() for path in outputs]:
            raise ValueError(f"`json` must be a file of its own, but {json_file} is an output")
    if json_file is not None:
        if json_file.is_dir():
            raise ValueError(f"`json` must be a file, but {json_file} is a folder")
        if json_file.is_file() and not force:
            _compare("json", json_file, _read(json_file), provenance)
        _check_writable("json", json_file, make_parents=False)


def write_results(folder, results, provenance):
    """Write the files of a run, {name: bytes}, and last its manifest."""
    (folder / MANIFEST).unlink(missing_ok=True)  # no moment at which it tells of other results
    for name, data in results.items():
        files.write(folder / name, data)
    files.write(folder / MANIFEST, (json.dumps(provenance, indent=1) + "\n").encode())


def _check_writable(argument, path, make_parents=True):
    parent = path.parent
    while make_parents and not parent.exists():
        parent = parent.parent
    target = path if path.exists() else parent
    if not parent.is_dir():
        raise ValueError(f"`{argument}` must be in a folder, but {parent} is none")
    if not os.access(target, os.W_OK):
        raise ValueError(f"`{argument}` must be writable, but {target} is not")


def _read(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def _compare(argument, place, found, wanted):
    difference = _difference(found, wanted)
    if difference:
        raise ValueError(
            f"`{argument}` must not hold another run's results, but {place} does ({difference}): "
            f"choose another with --{argument}, or --force to overwrite"
        )


def _difference(found, wanted):
    """Say in words how two provenances differ; empty if they do not."""
    if not isinstance(found, dict) or not isinstance(found.get("parameters"), dict):
        return "not written by trajbatt"
    for name in ("command", "version"):
        if found.get(name) != wanted[name]:
            return f"{name} {found.get(name)} there, {wanted[name]} now"
    there, now = found["parameters"], wanted["parameters"]
    for name in {**there, **now}:
        if there.get(name) != now.get(name):
            return f"{name} {there.get(name)} there, {now.get(name)} now"
    return ""
