"""Every statistic of light that is known on paper: Poissonian, of inverted atoms, of no light."""

import numpy as np
import pytest
from scipy import stats

import trajbatt as tb


def test_one_atom_dephases_like_a_poissonian_source():
    # J_z^2 = 1/4: `center` clicks at a constant rate and tells nothing.
    battery = tb.Battery(1, 1.3, 7.0, gamma_0=3.0, gamma_plus=0.0, gamma_minus=0.0)
    model = battery.charge()
    rate, times = 0.75 * np.sin(1.3) ** 2, np.array([0.0, 0.4, 2.0])
    found = tb.counting.distribution(model, 2.0, "center")
    np.testing.assert_allclose(
        found, stats.poisson.pmf(np.arange(found.size), 2 * rate), atol=1e-12
    )
    moments = tb.counting.factorial_moments(model, 2.0, "center", 4, start=0.5)
    np.testing.assert_allclose(moments, (1.5 * rate) ** np.arange(1, 5), rtol=1e-7)
    np.testing.assert_allclose(tb.counting.fano(model, times[1:], "center"), 1.0, rtol=1e-9)
    pair = ("center", "center")
    np.testing.assert_allclose(tb.counting.g2(model, times, pair, at=0.3), 1.0, rtol=1e-11)
    found = tb.counting.waiting_time(model, times, pair, at=0.3)
    np.testing.assert_allclose(found, rate * np.exp(-rate * times), rtol=1e-11)
    np.testing.assert_allclose(tb.counting.next_channel(model, "center"), [0.0, 1.0, 0.0])


def test_inverted_atoms_emit_one_by_one():
    n, gamma = 6, 1.5
    model, start = tb.Battery(n, 1.0, 2.0).discharge(gamma), tb.excited_state(n)
    times = np.array([0.0, 0.1, 0.5])
    found = tb.counting.survival(model, times, initial=start)
    np.testing.assert_allclose(found, np.exp(-n * gamma * times), rtol=1e-12)
    # After one photon the atoms are superradiant: k(N - k + 1) of level k = N - 1.
    pair = ("all", "all")
    found = tb.counting.waiting_time(model, times, pair, start)
    rate = 2 * (n - 1) * gamma
    np.testing.assert_allclose(found, rate * np.exp(-rate * times), rtol=1e-12)
    assert tb.counting.g2(model, [0.0], pair, start)[0] == pytest.approx(2 - 2 / n, rel=1e-12)
    assert tb.counting.first_channels(model, n, start).item() == pytest.approx(1.0)
    assert tb.counting.first_channels(model, n + 1, start).item() == 0.0
    found = tb.counting.distribution(model, 200.0, "all", start)
    np.testing.assert_allclose(found[: n + 2], np.arange(n + 2) == n, atol=1e-11)
    atom = tb.Battery(1, 1.0, 2.0)
    antibunched = tb.counting.g2(atom.discharge(), [0.0], pair, tb.excited_state(1))
    assert antibunched[0] == 0.0
    model = tb.Battery(1, 1.2, 5.0).charge(secular=False)
    assert tb.counting.g2(model, [0.0], pair, at=0.7)[0] == pytest.approx(0.0, abs=1e-12)


def test_nothing_comes_of_a_channel_without_rate():
    model, start = tb.Battery(3, 0.0, 2.0, 1.0, 2.0, 3.0).charge(), tb.excited_state(3)
    nothing = np.arange(17) == 0
    for channel in ("red", "center"):
        np.testing.assert_allclose(
            tb.counting.distribution(model, 1.0, channel, start), nothing, atol=1e-13
        )
        assert np.all(np.isnan(tb.counting.fano(model, [0.5, 1.0], channel, start)))
        assert np.all(tb.counting.correlation(model, [0.0, 1.0], (channel, "blue"), start) == 0.0)
        assert np.all(np.isnan(tb.counting.g2(model, [0.0, 1.0], (channel, "blue"), start)))
        assert np.all(np.isnan(tb.counting.g2(model, [0.0, 1.0], ("blue", channel), start)))
        for pair in ((channel, "blue"), (channel, channel)):
            assert np.all(np.isnan(tb.counting.waiting_time(model, [0.0, 1.0], pair, start)))
        assert np.all(np.isnan(tb.counting.next_channel(model, channel, start)))
        assert np.all(np.isnan(tb.counting.survival(model, [0.0, 1.0], channel, start)))
    # The ground state is dark, and so is a charge without a drive or without a rate.
    for dark_model in (
        model,
        tb.Battery(3, 1.0, 0.0).charge(secular=False),
        tb.Battery(3, 0.0, 2.0).charge(secular=False),
        tb.Battery(3, 1.0, 2.0, 0.0, 0.0, 0.0).charge(secular=False),
        tb.Battery(3, 1.0, 2.0, 0.0, 0.0, 0.0).charge(),
    ):
        dark = dict(initial=tb.ground_state(3))
        assert np.all(tb.counting.next_channel(dark_model, **dark) < 1e-12)
        np.testing.assert_allclose(
            tb.counting.survival(dark_model, [0.0, 2.0], **dark), 1.0, rtol=1e-12
        )
        found = tb.counting.distribution(dark_model, 2.0, "total", **dark)
        np.testing.assert_allclose(found, np.arange(found.size) == 0, atol=1e-12)
        assert np.all(np.abs(tb.counting.intensity(dark_model, [0.0, 2.0], **dark)) < 1e-12)
    # Without a drive the inverted state empties, and the ground state stays dark.
    undriven = tb.Battery(3, 1.0, 0.0).charge(secular=False)
    half = np.diag([0.25, 0.0, 0.0, 0.75])
    for model in (undriven, tb.Battery(3, 1.0, 2.0).discharge()):
        for initial, expected in [(tb.excited_state(3), 1.0), (half, 0.75)]:
            following = tb.counting.next_channel(model, initial=initial)
            assert following[0] == pytest.approx(expected, abs=1e-12)
