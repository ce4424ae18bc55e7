"""Waiting times: the dense twin, integrals, trajectories, protocols."""

import numpy as np
import pytest
from oracle import dense
from oracle.windows import panels
from scipy import stats

import trajbatt as tb

CLOSE = 1e-9
CASES = dense.parameters()
TIMES = np.array([0.0, 0.0625, 0.25, 0.375, 0.5, 0.75, 1.0])  # and so boundaries of stages


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_next_photons_against_the_dense_twin(case):
    twin, names = case.twin, case.model.channel_names
    lasting = isinstance(case.model, tb.Protocol)
    for at in case.moments:
        before = twin.evolve(case.rho, 0.0, at)
        delays = TIMES[at + TIMES <= case.end]
        for after in (None, *names, "total"):
            rho = before if after is None else twin.clicked(before, at, after, later=True)
            options = dict(initial=case.initial, at=at)
            survival = tb.counting.survival(case.model, delays, after, **options)
            following = tb.counting.next_channel(case.model, after, **options)
            rate = np.trace(rho).real
            if rate == 0.0:
                assert np.all(np.isnan([*survival, *following]))
                continue
            if rate < 1e-20:  # zero but for the rounding of pi
                continue
            rho = rho / rate
            later = [twin.evolve(rho, at, at + tau, **twin.none()) for tau in delays]
            expected = [np.trace(state).real for state in later]
            np.testing.assert_allclose(survival, expected, atol=CLOSE)
            end = case.end if lasting else 1000.0
            expected = [twin.first(rho, at, end, name) for name in names]
            if case.name != "eq7-theta-pi":  # there sin(theta) is not quite zero
                np.testing.assert_allclose(following, expected, atol=CLOSE)
            for channel in case.channels if after else ():
                expected = [
                    twin.rate(state, at + tau, channel, later=tau == 0.0)
                    for state, tau in zip(later, delays, strict=True)
                ]
                found = tb.counting.waiting_time(case.model, delays, (after, channel), **options)
                np.testing.assert_allclose(found, expected, atol=CLOSE)


def settings():
    """Return models of some more atoms, a time to look at, and how long to wait."""
    battery, driven = tb.Battery(12, 1.87, 60.0, gamma_plus=5.0), tb.Battery(6, 1.2, 5.0)
    cycle = [(battery.charge(), 0.06), (battery.store(), 0.02), (battery.discharge(), 0.1)]
    return [
        pytest.param(battery.charge(), 0.05, 12.0, id="eq7"),
        pytest.param(battery.discharge(), 0.02, 60.0, id="discharge"),
        pytest.param(driven.charge(secular=False), 0.3, 16.0, id="eq5"),
        pytest.param(tb.Protocol(cycle), 0.03, 0.15, id="cycle"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "at", "wait"), settings())
def test_waiting_times_integrate_to_the_next_channel(model, at, wait):
    if isinstance(model, tb.Protocol):
        edges = [0.0, 0.03, 0.05, 0.15]  # delays; the rates jump where a stage ends
        points, weights = np.polynomial.legendre.leggauss(24)
        half = np.diff(edges)[:, None] / 2
        delays = (np.array(edges[:-1])[:, None] + half * (points + 1)).ravel()
        weights = (half * weights).ravel()
    else:
        delays, weights = panels(wait)
    names = model.channel_names
    for after in (*names[:2], "total"):
        density = [tb.counting.waiting_time(model, delays, (after, name), at=at) for name in names]
        following = tb.counting.next_channel(model, after, at=at)
        if after == "dis":
            assert np.all(np.isnan(density))
            assert np.all(np.isnan(following))
            continue
        np.testing.assert_allclose(np.array(density) @ weights, following, atol=1e-9)
        total = tb.counting.waiting_time(model, delays, (after, "total"), at=at)
        np.testing.assert_allclose(np.sum(density, axis=0), total, rtol=1e-9, atol=1e-12)
        left = tb.counting.survival(model, [wait], after, at=at)[0]
        assert total @ weights == pytest.approx(1.0 - left, abs=1e-9)


def test_trajectories_wait_like_this():
    battery = tb.Battery(5, 1.87, 50.0, gamma_plus=4.0)
    model, end = battery.charge(), 3.0
    clicks = tb.mcsolve(model, [end], 20_000, seed=11, keep_clicks=True).clicks
    first = clicks.offsets[:-1]
    assert np.all(np.diff(clicks.offsets) >= 2)
    pairs = clicks.channel[first], clicks.channel[first + 1]
    seen = np.zeros((3, 3))
    np.add.at(seen, pairs, 1)

    def p_values(model):
        two = tb.counting.first_channels(model).ravel()
        possible = two > 1e-12
        assert seen.ravel()[~possible].sum() == 0
        fit = stats.chisquare(seen.ravel()[possible], 20_000 * two[possible] / two.sum())
        times = np.linspace(0, end, 2001)
        cdf = tb.counting.first_click(model, times)
        waits = stats.kstest(clicks.time[first], lambda t: np.interp(t, times, cdf))
        return fit.pvalue, waits.pvalue

    assert min(p_values(model)) > 1e-3
    # Negative controls: one rate 15 % off, and all 10 %, which does not change the order.
    assert p_values(tb.Battery(5, 1.87, 50.0, gamma_0=1.15, gamma_plus=4.0).charge())[0] < 1e-6
    assert p_values(tb.Battery(5, 1.87, 50.0, 1.1, 4.4, 1.1).charge())[1] < 1e-6


@pytest.mark.slow
def test_delays_up_to_the_end_of_a_protocol():
    # at + delay is the end but for rounding.
    battery = tb.Battery(2, 1.87, 9.0)
    cycle = tb.Protocol([(battery.charge(), 0.3), (battery.discharge(), 0.4)])
    pair = ("total", "total")
    for at in np.round(np.arange(0.01, 0.7, 0.03), 2):
        delay = round(0.7 - at, 2)
        for function, argument in [
            (tb.counting.survival, None),
            (tb.counting.waiting_time, pair),
            (tb.counting.g2, pair),
        ]:
            near = function(cycle, [0.9999999 * delay], argument, at=at)
            for delays in ([delay], [0.0, delay]):
                found = function(cycle, delays, argument, at=at)
                assert found[-1] == pytest.approx(near[0], abs=1e-5)


def test_a_photon_at_a_boundary():
    # The stage that begins there rules, whatever the delays.
    battery = tb.Battery(3, 1.0, 1.0)
    cycle = tb.Protocol([(battery.charge(), 0.5), (battery.discharge(), 0.25)])
    for delays in ([0.0], [0.0, 0.1]):
        assert np.all(np.isnan(tb.counting.survival(cycle, delays, "red", at=0.5)))
        assert tb.counting.survival(cycle, delays, "dis", at=0.5)[0] == pytest.approx(1.0)
    np.testing.assert_array_equal(tb.counting.next_channel(cycle, at=0.75), 0.0)
    for at in (0.8, (0.7, 0.8)):
        with pytest.raises(ValueError, match="must"):
            tb.counting.next_channel(cycle, "dis", at=at)


def test_nobody_waits_for_long():
    model = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0).charge()
    assert tb.counting.survival(model, [0.0, 1e3])[1] == 0.0
    assert tb.counting.waiting_time(model, [0.0, 1e3], ("red", "blue"))[1] == 0.0
    assert tb.counting.first_click(model, [1e3])[0] == 1.0


def test_a_dark_ladder_at_theta_pi():
    # The sine of the rounded pi is not zero.
    model = tb.Battery(3, np.pi, 9.0).charge()
    assert tb.counting.survival(model, [1e3])[0] == pytest.approx(1.0)
    np.testing.assert_array_equal(tb.counting.next_channel(model), 0.0)


def test_rounding_is_no_photon():
    # The ground state is dark: amplitudes of 1e-16 must not be taken for a photon.
    for n_atoms in (1, 3, 10, 100):
        model = tb.Battery(n_atoms, 1.2, 5.0).charge(secular=False)
        counting = tb.counting
        assert np.all(np.isnan(counting.survival(model, [0.0, 0.1], "all")))
        assert np.all(np.isnan(counting.next_channel(model, "all")))
        assert np.all(np.isnan(counting.g2(model, [0.0], ("all", "all"))))
    # But a photon soon after is one.
    model = tb.Battery(2, 1.2, 5.0).charge(secular=False)
    assert tb.counting.survival(model, [0.0], "all", at=1e-3)[0] == pytest.approx(1.0)


@pytest.mark.parametrize("thermal", [0.0, 0.3])
def test_many_driven_atoms_in_a_frame(monkeypatch, thermal):
    model = tb.DrivenDicke(60, 200.0, 100.0, thermal=thermal)
    rate = tb.counting.intensity(model, [0.03])[0, 0]
    delays = np.linspace(0.3, 6.0, 4) / rate
    in_frame = tb.counting.survival(model, delays, at=0.03)
    density = tb.counting.waiting_time(model, delays, ("all", "all"), at=0.03)
    monkeypatch.setattr("trajbatt.exact.driven.FEW", 10**9)
    whole = tb.counting.survival(model, delays, at=0.03)
    np.testing.assert_allclose(in_frame, whole, rtol=1e-7, atol=1e-12)
    assert np.abs(tb.counting.survival(model, delays, at=0.02) - whole).max() > 1e-3
    expected = tb.counting.waiting_time(model, delays, ("all", "all"), at=0.03)
    np.testing.assert_allclose(density, expected, rtol=1e-6, atol=1e-8)  # rounding of the matrix


def test_what_is_rarest_keeps_its_digits():
    model = tb.DrivenDicke(5000, 20_000.0, 10_000.0)
    found = tb.counting.survival(model, [1e-6, 4e-6, 4e-5, 4e-3])
    assert 0.0 == found[3] < found[2] < 1e-15 < found[1] < found[0] < 1.0
