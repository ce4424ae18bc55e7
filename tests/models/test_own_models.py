"""Models that users build from `LadderModel` and `Channel` work everywhere, with any names."""

import numpy as np
import pytest

import trajbatt as tb

# Eq. (7) of a battery, and the same under other names: every answer must be the same.
BATTERY = tb.Battery(12, 1.6, 90.0, gamma_0=0.8, gamma_plus=6.0)
KNOWN = BATTERY.charge()
NAMES = {"red": "heave", "center": "shake", "blue": "sink"}
OWN = tb.LadderModel(
    "hoist",
    12,
    1.6,
    90.0,
    [tb.Channel(NAMES[one.name], one.shift, one.rate) for one in KNOWN.channels],
)
HEAT = tb.LadderModel(
    "heat", 10, 0.0, 1.0, (tb.Channel("emit", -1, 1.3), tb.Channel("absorb", 1, 0.3))
)
TIMES = np.linspace(0.0, 0.2, 6)


def test_names_change_no_number():
    runs, own = (tb.mcsolve(model, TIMES, 50, seed=3, keep_clicks=True) for model in (KNOWN, OWN))
    np.testing.assert_array_equal(own.clicks.time, runs.clicks.time)
    np.testing.assert_array_equal(own.energy, runs.energy)
    assert own.channels == ("heave", "shake", "sink")
    assert own.replay(7).clicks.channels == own.channels
    exact, twin = (tb.mesolve(model, TIMES, covariances=True) for model in (KNOWN, OWN))
    np.testing.assert_array_equal(twin.counts_covariance, exact.counts_covariance)
    assert tb.compare(own, twin).p_value == tb.compare(runs, exact).p_value
    filtered, mine = (
        tb.filter(r.model, r.clicks.of_trajectory(4), TIMES, 0.5, dark_rate=1.0)
        for r in (runs, own)
    )
    np.testing.assert_array_equal(mine.energy, filtered.energy)
    assert mine.log_likelihood[-1] == filtered.log_likelihood[-1]
    fano, theirs = (
        tb.counting.fano(model, [0.2], name) for model, name in ((KNOWN, "blue"), (OWN, "sink"))
    )
    assert theirs == fano


@pytest.mark.slow
def test_fit_finds_the_rates_of_channels():
    runs = tb.mcsolve(HEAT, [2.0], 40, tb.excited_state(10), seed=1, keep_clicks=True)
    guess = HEAT.with_parameters(rate_emit=0.9, rate_absorb=0.5)
    found = tb.fit(guess, runs.clicks, ("rate_emit", "rate_absorb"), initial=tb.excited_state(10))
    assert found.converged
    assert found.model.name == "heat"
    for name, value in HEAT.parameters().items():
        if name.startswith("rate"):
            assert abs(found.values[name] - value) < 4 * found.errors[name]
            assert found.errors[name] < 0.1 * value
    with pytest.raises(ValueError, match="`parameters` must be 'theta', 'frequency', 'rate_emit'"):
        tb.fit(HEAT, runs.clicks, ("gamma_plus",))


def test_a_protocol_of_own_models():
    both = tb.Protocol(
        [(OWN, 0.1), (BATTERY.store(), 0.05), (OWN, 0.1), (BATTERY.discharge(), 0.1)]
    )
    assert both.channel_names == ("heave", "shake", "sink", "dis")
    times = np.linspace(0, both.duration, 8)
    runs, exact = tb.mcsolve(both, times, 2000, seed=1, keep_clicks=True), tb.mesolve(both, times)
    assert tb.compare(runs, exact).p_value > 1e-3
    seen = tb.filter(both, runs.replay(3).clicks, times)
    np.testing.assert_allclose(seen.energy, runs.replay(3).energy, atol=1e-9)
    # The rate of one channel, in both stages that have it; not of the discharge.
    faster = both.with_parameters(rate_sink=2.0)
    rates = [stage.model.rate_of(-1) for stage in faster.stages()]
    assert rates == [2.0, 0.0, 2.0, BATTERY.gamma_0]
