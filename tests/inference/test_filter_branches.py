"""The filter of many atoms and of records that a model would hardly make."""

from types import SimpleNamespace

import numpy as np
import pytest
from oracle.branches import by_hand, dressed_ground_state

import trajbatt as tb
from trajbatt.numerics import spin


def test_ten_thousand_clicks_of_many_atoms():
    n = 2000
    model = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0).charge()
    one = tb.mcsolve(model, [0.02], 1, seed=1, keep_clicks=True).clicks
    clicks = SimpleNamespace(time=one.time[:10_000], channel=one.channel[:10_000].astype(int))
    assert clicks.time.size == 10_000
    times = np.array([0.3, 1.0]) * clicks.time[-1]
    found = tb.filter(model, clicks, times)
    for i, (energy, variance, likelihood) in enumerate(
        by_hand(model, *dressed_ground_state(model), clicks, times)
    ):
        assert found.energy[i] == pytest.approx(energy, abs=1e-8)
        assert found.energy_variance[i] == pytest.approx(variance, rel=1e-6)
        assert found.log_likelihood[i] == pytest.approx(likelihood, rel=1e-12)


@pytest.mark.parametrize("kind", ["of another model", "one by one", "at once", "all at the end"])
def test_untypical_records_do_not_overflow(kind):
    n, size = 300, 3000
    model = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0).charge()
    # All dressed levels alike, with all signs: no branch is negligible.
    rng = np.random.default_rng(3)
    sign = rng.choice([-1.0, 1.0], n + 1)
    initial = spin.rotation_matrix(n, model.theta) @ sign / np.sqrt(n + 1)
    time, channel = np.full(size, 0.1), np.resize([0, 1, 2, 2, 0], size)
    if kind == "of another model":
        other = tb.Battery(n, 1.2, 10.0 * n, 3.0, 1.0, 5.0).charge()
        one = tb.mcsolve(other, [0.2], 1, seed=1, keep_clicks=True).clicks
        time, channel = one.time[:size], one.channel[:size].astype(int)
        assert time.size == size
    elif kind == "one by one":
        time = np.sort(rng.uniform(0, 0.3, size))
    elif kind == "all at the end":
        time = np.full(size, 3.0)
    clicks = SimpleNamespace(time=time, channel=channel)
    times = np.array([0.5, 1.0]) * time[-1]
    found = tb.filter(model, clicks, times, initial=initial)
    log = np.full(n + 1, -0.5 * np.log(n + 1))
    expected = by_hand(model, log, sign, clicks, times)
    for i, (energy, variance, likelihood) in enumerate(expected):
        assert found.energy[i] == pytest.approx(energy, rel=1e-8)
        assert found.energy_variance[i] == pytest.approx(variance, rel=1e-6)
        assert found.log_likelihood[i] == pytest.approx(likelihood, rel=1e-10)


def test_a_record_of_another_battery():
    # A level that holds 1e-18 of the initial state may be the one that counts.
    n = 300
    other = tb.Battery(n, 1.2, 10.0 * n, 3.0, 1.0, 5.0).charge()
    one = tb.mcsolve(other, [0.12], 1, seed=1, keep_clicks=True).clicks
    clicks = SimpleNamespace(time=one.time, channel=one.channel.astype(int))
    model = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0).charge()
    found = tb.filter(model, clicks, [0.12])
    ((energy, variance, log),) = by_hand(model, *dressed_ground_state(model), clicks, [0.12])
    assert found.energy[0] == pytest.approx(energy, rel=1e-7)
    assert found.energy_variance[0] == pytest.approx(variance, rel=1e-5)
    assert found.log_likelihood[0] == pytest.approx(log, rel=1e-9)
