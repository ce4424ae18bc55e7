"""The folder that a command writes to, and whose results it may hold."""

import json
from pathlib import Path

MANIFEST = "run.json"


def claim(folder, provenance, files, force=False):
    """Make `folder` ready for the results of one run, before anything is computed.

    Parameters
    ----------
    folder : Path
    provenance : dict
        What is needed to repeat the run, as JSON has it.
    files : sequence of str
        The files that the command will write there.
    force : bool
        Overwrite the results of another run.

    Raises
    ------
    ValueError
        If the folder holds another run's results, naming what differs, or cannot be written.
    """
    folder = Path(folder)
    manifest = folder / MANIFEST
    if not force and any((folder / name).exists() for name in (MANIFEST, *files)):
        differing = _difference(_read(manifest), provenance)
        if differing:
            raise ValueError(
                f"`out` must not hold another run's results, but {folder} does ({differing}); "
                f"choose another folder with --out or overwrite it with --force"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        manifest.write_text(json.dumps(provenance, indent=1) + "\n")
    except OSError as error:
        raise ValueError(f"`out` must be a folder that can be written, but {error}") from None


def _read(manifest):
    try:
        return json.loads(manifest.read_text())
    except (OSError, ValueError):
        return None


def _difference(found, wanted):
    """Say in words how two provenances differ; empty if they do not."""
    if not isinstance(found, dict) or not isinstance(found.get("parameters"), dict):
        return f"without a readable {MANIFEST}"
    for name in ("command", "version"):
        if found.get(name) != wanted[name]:
            return f"{name} {found.get(name)} there, {wanted[name]} now"
    there, now = found["parameters"], wanted["parameters"]
    for name in {**there, **now}:
        if there.get(name) != now.get(name):
            return f"{name} {there.get(name)} there, {now.get(name)} now"
    return ""
