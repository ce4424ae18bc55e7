"""The filter against the trajectories' own states."""

import numpy as np
import pytest
from oracle.records import record

import trajbatt as tb


def batteries():
    charge = tb.Battery(60, 1.87, 600.0, gamma_plus=10.0)
    odd = tb.Battery(7, 0.9, 5.0, 0.3, 0.0, 2.0)
    small = tb.Battery(5, 1.2, 30.0)
    cycle = tb.Protocol(
        [
            (tb.Battery(20, 1.87, 200.0, gamma_plus=8.0).charge(), 0.15),
            (tb.Battery(20, 1.87, 200.0).store(), 0.05),
            (tb.Battery(20, 1.87, 200.0).discharge(), 0.2),
        ]
    )
    driven = tb.Protocol([(small.charge(secular=False), 0.4), (small.discharge(), 0.3)])
    large = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0)
    bright = tb.Protocol(
        [(large.charge(), large.charging_time), (large.store(), 0.06), (large.discharge(), 0.06)]
    )
    return [
        pytest.param(charge.charge(), None, 0.1, 1e-10, id="eq7"),
        pytest.param(charge.charge(), tb.coherent_state(60, 1.1, 2.0), 0.1, 1e-10, id="coherent"),
        pytest.param(odd.charge(), None, 2.0, 1e-10, id="halting"),
        pytest.param(charge.discharge(), tb.coherent_state(60, 0.7, 1.0), 0.1, 1e-10, id="eq5-off"),
        pytest.param(cycle, None, 0.4, 1e-10, id="cycle"),
        # What is dropped before another basis matters by its amplitude: 1e-18 is not little.
        pytest.param(bright, None, bright.duration, 1e-11, id="bright-cycle"),
        pytest.param(small.charge(secular=False), None, 1.0, 1e-10, id="eq5"),
        pytest.param(driven, tb.coherent_state(5, 2.0, 1.0), 0.7, 1e-10, id="driven-cycle"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "initial", "end", "close"), batteries())
def test_a_sampled_record_gives_back_its_trajectory(model, initial, end, close):
    times = np.linspace(0, end, 17)
    runs = tb.mcsolve(model, times, 4, initial=initial, seed=8, keep_clicks=True, rtol=1e-11)
    for i in range(runs.ntraj):
        one = runs.replay(i)
        assert len(one.clicks) > 0
        for clicks in (one.clicks, runs.clicks.of_trajectory(i)):
            found = tb.filter(model, clicks, times, initial=initial)
            np.testing.assert_allclose(found.energy, one.energy, atol=close)
            np.testing.assert_allclose(found.energy_variance, one.energy_variance, atol=10 * close)
            np.testing.assert_allclose(found.dipole, one.dipole, atol=10 * close)
        np.testing.assert_array_equal(found.purity, 1.0)
        np.testing.assert_array_equal(found.ergotropy, found.energy)


def test_another_model_reads_another_energy_off_the_record():
    # The negative control of the test above: one rate 5 % off.
    times = np.linspace(0, 0.1, 17)
    battery = tb.Battery(60, 1.87, 600.0, gamma_plus=10.0)
    one = tb.mcsolve(battery.charge(), times, 1, seed=8, keep_clicks=True).replay(0)
    for rates in [(1.05, 10.0, 1.0), (1.0, 10.5, 1.0), (1.0, 10.0, 1.05)]:
        found = tb.filter(tb.Battery(60, 1.87, 600.0, *rates).charge(), one.clicks, times)
        assert np.abs(found.energy - one.energy).max() > 1e-3


def test_a_mixture_is_filtered_as_a_whole():
    # Bayes: kets are weighed by the likelihood of the record under each.
    battery = tb.Battery(10, 1.5, 20.0, gamma_plus=4.0)
    cycle = tb.Protocol([(battery.charge(), 0.2), (battery.discharge(), 0.1)])
    kets = [tb.coherent_state(10, 0.4, 1.0), tb.coherent_state(10, 2.4, 0.2)]
    weights = 0.3, 0.7
    rho = sum(w * np.outer(ket, ket.conj()) for w, ket in zip(weights, kets, strict=True))
    for model in (battery.charge(), battery.discharge(), cycle):
        times = np.array([0.0, 0.1, 0.2, 0.25])
        one = tb.mcsolve(model, times, 1, initial=kets[1], seed=2, keep_clicks=True).clicks
        for efficiency in (1.0, 0.5):
            parts = [tb.filter(model, one, times, efficiency, ket) for ket in kets]
            whole = tb.filter(model, one, times, efficiency, rho)
            likelihoods = [
                w * np.exp(part.log_likelihood) for w, part in zip(weights, parts, strict=True)
            ]
            np.testing.assert_allclose(whole.log_likelihood, np.log(sum(likelihoods)), atol=1e-9)
            for name in ("energy", "dipole", "rates"):
                mean = sum(
                    p * getattr(part, name) for p, part in zip(likelihoods, parts, strict=True)
                ) / sum(likelihoods)
                np.testing.assert_allclose(getattr(whole, name), mean, atol=1e-8)
            assert whole.purity[0] < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 100, 300])
def test_narrow_states_between_stages(n):
    # Populations of most levels are zero, or less by rounding.
    battery = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0)
    short = tb.Protocol([(battery.charge(), 1e-9), (battery.discharge(), 1.0)])
    for efficiency in (1.0, 0.5):
        options = dict(initial=tb.excited_state(n), efficiency=efficiency)
        found = tb.filter(short, record(), [1e-9, 1.0], **options)
        assert found.energy[0] == pytest.approx(n)
    charge, discharge = (battery.charge(), battery.charging_time), (battery.discharge(), 6.0 / n)
    cycle = tb.Protocol([charge, discharge, charge])
    runs = tb.mcsolve(cycle, [cycle.duration], 3, seed=1, keep_clicks=True)
    for i in range(3):
        one = runs.replay(i)
        found = tb.filter(cycle, one.clicks, [cycle.duration])
        assert found.energy[0] == pytest.approx(one.energy[0], rel=1e-7)
