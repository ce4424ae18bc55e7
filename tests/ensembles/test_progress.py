"""Bars: in a notebook, by its own display alone."""

import sys
import types

import pytest
from rich.console import Console

import trajbatt as tb
from trajbatt.ensembles import progress

MODEL = tb.Battery(50, 1.87, 500.0, gamma_plus=10.0).charge()


@pytest.fixture
def shown(monkeypatch):
    texts = []

    class Handle:
        def update(self, html):
            texts.append(html)

    def display(html, display_id):
        assert display_id is True
        texts.append(html)
        return Handle()

    fake = types.ModuleType("IPython.display")
    fake.HTML, fake.display = str, display
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", fake)
    monkeypatch.setattr(Console, "is_jupyter", True, raising=False)
    monkeypatch.setattr(progress, "Console", lambda stderr: types.SimpleNamespace(is_jupyter=True))
    return texts


def test_a_notebook_shows_how_far_a_run_is(shown):
    tb.mcsolve(MODEL, [0.1], 3000, seed=1, progress=True, threads=1)
    assert "3,000 of 3,000 trajectories" in shown[-1]
    assert shown[-1].startswith("<progress value='3000' max='3000'>")


def test_a_target_shows_what_it_will_take(shown):
    runs = tb.mcsolve(MODEL, [0.1], 10**6, seed=1, progress=True, target={"energy": 0.05})
    assert runs.ended == "target"
    assert "of 1,000,000" not in shown[-1]
