"""Pictures on the user's own axes, of any results, and whole ones by `plot()`."""

import matplotlib
import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.figure import Figure

import trajbatt as tb

BATTERY = tb.Battery(6, 1.87, 60.0, gamma_plus=10.0)
MODEL = BATTERY.charge()
TIMES = np.linspace(0.0, BATTERY.charging_time, 161)


@pytest.fixture(scope="module")
def results():
    runs = tb.mcsolve(MODEL, TIMES, 20, seed=1, keep_clicks=True)
    exact = tb.mesolve(MODEL, TIMES)
    return (
        runs,
        exact,
        runs.replay(2, keep_states=True),
        tb.filter(MODEL, runs.clicks.of_trajectory(2), TIMES, 0.5),
    )


@pytest.fixture(autouse=True)
def agg():
    matplotlib.use("agg")
    yield
    matplotlib.pyplot.close("all")


def axes():
    from matplotlib import pyplot

    return pyplot.subplots()[1]


def test_artists_come_on_the_axes_that_are_given(results):
    runs, exact, one, found = results
    for draw, given in (
        (tb.plots.energy, results),
        (tb.plots.energy, (one,)),
        (tb.plots.counts, (runs, exact)),
        (tb.plots.clicks, (one,)),
        (tb.plots.clicks, (found,)),
        (tb.plots.energy_distribution, results),
    ):
        ax = axes()
        artists = draw(*given, ax=ax)
        assert artists
        assert all(isinstance(one, Artist) for one in artists)
        assert len(ax.figure.axes) == 1
        ax.figure.canvas.draw()


def test_what_is_drawn_is_what_there_is(results):
    runs, exact, one, _ = results
    ax = axes()
    (line,) = tb.plots.energy(exact, ax=ax)
    np.testing.assert_array_equal(line.get_ydata(), exact.energy / 6)
    (line,) = tb.plots.energy(one, ax=ax)
    np.testing.assert_array_equal(line.get_ydata(), one.energy / 6)
    (steps,) = tb.plots.energy_distribution(exact, index=3, ax=ax)
    np.testing.assert_array_equal(steps.get_ydata(), exact.energy_distribution[3])
    lines = tb.plots.counts(exact, ax=axes())
    np.testing.assert_array_equal(lines[2].get_ydata(), exact.counts[2])
    # Without axes there are new ones.
    before = matplotlib.pyplot.get_fignums()
    tb.plots.energy(runs)
    assert len(matplotlib.pyplot.get_fignums()) == len(before) + 1


def test_fast_oscillations_have_two_sides():
    fast = tb.Battery(6, 1.87, 1e5, gamma_plus=10.0).charge()
    exact = tb.mesolve(fast, TIMES)
    low, high = tb.plots.energy(exact, ax=axes())
    np.testing.assert_allclose(6 * low.get_ydata(), exact.energy_in_period[0], atol=1e-12)
    np.testing.assert_allclose(6 * high.get_ydata(), exact.energy_in_period[2], atol=1e-12)
    assert isinstance(exact.plot(), Figure)
    runs = tb.mcsolve(fast, TIMES, 3, seed=1)
    assert isinstance(runs.replay(0).plot(), Figure)


def test_results_have_a_picture_of_their_own(results):
    for one in results:
        assert isinstance(one.plot(), Figure)
    for model in (BATTERY.store(), tb.Battery(3, 1.0, 10.0).charge(secular=False)):
        exact = tb.mesolve(model, [0.0, 0.1])
        assert isinstance(exact.plot(), Figure)
    cycle = tb.Protocol([(MODEL, 0.1), (BATTERY.store(), 50.0), (BATTERY.discharge(), 0.1)])
    assert isinstance(tb.mesolve(cycle, np.linspace(0, 50.2, 30)).plot(), Figure)
    assert isinstance(tb.mcsolve(MODEL, [0.1], 1, seed=1).plot(), Figure)


def test_bad_arguments(results):
    _, exact, one, _ = results
    for call in (
        lambda: tb.plots.energy(),
        lambda: tb.plots.energy(MODEL),
        lambda: tb.plots.counts(one),
        lambda: tb.plots.clicks(exact),
    ):
        with pytest.raises(TypeError, match="must be"):
            call()
