"""The notebooks run from top to bottom, and what they conclude is asserted in them."""

import json
import warnings
from pathlib import Path

import matplotlib
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))


def code_cells(path):
    return [one for one in json.loads(path.read_text())["cells"] if one["cell_type"] == "code"]


def test_there_are_five():
    assert len(NOTEBOOKS) == 5


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_are_stored_without_outputs(path):
    cells = code_cells(path)
    assert all(not one["outputs"] and one["execution_count"] is None for one in cells)
    assert any("assert " in "".join(one["source"]) for one in cells)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_run(path, tmp_path, monkeypatch):
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    source = "\n".join("".join(one["source"]) for one in code_cells(path))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
        exec(compile(source, str(path), "exec"), {"__name__": "__main__"})
    matplotlib.pyplot.close("all")
