"""Cards in notebooks: tables of what `repr` says."""

import html

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.base.cards import Card

MODEL = tb.Battery(4, 1.87, 40.0, gamma_plus=10.0).charge()
RUNS = tb.mcsolve(MODEL, [0.1, 0.2], 20, seed=1, keep_clicks=True)
EXACT = tb.mesolve(MODEL, [0.1, 0.2])


@pytest.mark.parametrize(
    "result",
    [
        RUNS,
        EXACT,
        RUNS.replay(1),
        tb.filter(MODEL, RUNS.clicks.of_trajectory(0), [0.2]),
        tb.daemonic_ergotropy(RUNS),
    ],
    ids=lambda one: type(one).__name__,
)
def test_cards_hold_what_repr_says(result):
    heading, *lines = repr(result).splitlines()
    found = result._repr_html_()
    assert f"<strong>{heading}</strong>" in found
    assert found.count("<tr>") == len(lines)
    for line in lines:
        assert html.escape(line.split("  ")[-1].strip()) in found


def test_other_text_stands_as_it_is():
    assert tb.compare(RUNS, EXACT)._repr_html_().startswith("<pre>")

    class Odd(Card):
        def __repr__(self):
            return "a <b>\nc & d"

    assert Odd()._repr_html_() == "<pre>a &lt;b&gt;\nc &amp; d</pre>"
    assert np.all(EXACT.energy > 0)
