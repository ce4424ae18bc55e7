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


WARM = tb.LadderModel(
    "warm",
    6,
    0.0,
    0.0,
    (tb.Channel("emit", -1, 1.3), tb.Channel("absorb", 1, 0.3)),
    coherent_rate=1.0,
)


def test_a_discharge_with_several_channels_in_a_protocol():
    # Both went by the name `dis`: the exact counts had the last of them only, the runs both.
    battery = tb.Battery(6, 1.87, 100.0, gamma_plus=10.0)
    protocol = tb.Protocol([(battery.charge(), battery.charging_time), (WARM, 0.5)])
    assert protocol.channel_names == ("red", "center", "blue", "emit", "absorb")
    times = np.linspace(0.0, protocol.duration, 9)
    exact = tb.mesolve(protocol, times, covariances=True)
    runs = tb.mcsolve(protocol, times, 2000, seed=1)
    assert tb.compare(runs, exact).p_value > 1e-3
    charged = tb.mesolve(battery.charge(), [battery.charging_time], keep_states=True).states[0]
    alone = tb.mesolve(WARM, [0.5], initial=charged, covariances=True)
    np.testing.assert_allclose(exact.counts[3:, -1], alone.counts[:, -1], rtol=1e-8)
    np.testing.assert_allclose(
        exact.counts_covariance[3:, 3:, -1], alone.counts_covariance[..., -1], rtol=1e-7
    )
    numbers = tb.counting.distribution(protocol, protocol.duration, "absorb")
    assert numbers @ np.arange(numbers.size) == pytest.approx(exact.counts[4, -1], rel=1e-8)
    # Nobody sees photons less surely than with an efficiency that is 1 but for rounding.
    reverse = tb.Protocol([(WARM, 0.1), (battery.charge(), 0.05)])
    clicks = tb.Clicks([0, 0], [0.05, 0.12], [0, 4], reverse.channel_names, ntraj=1, duration=0.15)
    sure, nearly = (
        tb.filter(reverse, clicks, [0.15], efficiency, tb.coherent_state(6, 1.2, 0.3))
        for efficiency in (1.0, 1.0 - 1e-12)
    )
    assert sure.energy[0] == pytest.approx(nearly.energy[0], rel=1e-9)
    assert sure.log_likelihood[0] == pytest.approx(nearly.log_likelihood[0], rel=1e-9)


def test_more_channels_than_a_byte_can_number():
    channels = tuple(tb.Channel(f"c{i}", 1, 0.1) for i in range(128))
    with pytest.raises(ValueError, match="`channels` must be at most 127, but are 128"):
        tb.LadderModel("many", 2, 1.0, 1.0, channels)
    halves = [tb.LadderModel("half", 2, 1.0, 1.0, part) for part in (channels[:70], channels[70:])]
    with pytest.raises(ValueError, match="`steps` must have at most 127 channels, but have 128"):
        tb.Protocol([(one, 1.0) for one in halves])


def test_classes_of_ones_own_are_not_stored(tmp_path):
    class Mine(tb.LadderModel):
        pass

    model = Mine("mine", 3, 1.0, 1.0, (tb.Channel("down", -1, 1.0),))
    assert tb.mcsolve(model, [0.1], 10, seed=1).ntraj == 10
    with pytest.raises(TypeError, match="`model` must be of a kind that can be written down"):
        tb.mcsolve(model, [0.1], 10, store=tmp_path / "store")
    assert not (tmp_path / "store").exists()
