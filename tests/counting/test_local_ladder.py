"""Exact photon statistics with noise of single atoms, against all atoms one by one and clicks."""

import numpy as np
import pytest
from oracle import atoms
from scipy.linalg import expm

import trajbatt as tb

NOISY = {"local_0": 0.7, "local_plus": 2.0, "local_minus": 0.4, "dephasing": 0.6, "pump": 0.3}
MODEL = tb.Battery(3, 1.87, 30.0, 1.0, 10.0, 1.0, **NOISY).charge()
PLACES = {name: i for i, name in enumerate(MODEL.channel_names)}


@pytest.fixture(scope="module")
def twin():
    found = atoms.Atoms(MODEL)
    found.start = found.symmetric(tb.ground_state(3))
    return found


def generating(twin, fields, t):
    end = expm(twin.generator(fields) * t) @ twin.start.ravel()
    return np.trace(end.reshape(twin.start.shape))


def circle(twin, channel, t, n=32):
    z = np.exp(2j * np.pi * np.arange(n) / n)
    return np.fft.fft([generating(twin, {channel: one}, t) for one in z]).real / n


@pytest.mark.parametrize("channel", ["blue", "side_blue", "dephasing"])
def test_distribution(twin, channel):
    known = circle(twin, channel, 0.4)
    found = tb.counting.distribution(MODEL, 0.4, channel)
    np.testing.assert_allclose(found[:20], known[: found.size][:20], atol=1e-11)


def test_covariances(twin):
    times = [0.1, 0.4]
    exact = tb.mesolve(MODEL, times, covariances=True)
    for i, t in enumerate(times):
        for name in ("blue", "side_blue"):
            p, k = circle(twin, name, t), np.arange(32)
            variance = p @ k**2 - (p @ k) ** 2
            found = exact.counts_covariance[PLACES[name], PLACES[name], i]
            assert found == pytest.approx(variance, abs=1e-9)
    both = tb.counting.joint_distribution(MODEL, 0.4, ("blue", "side_blue"))
    i, j = np.indices(both.shape)
    covariance = (both * i * j).sum() - (both * i).sum() * (both * j).sum()
    found = exact.counts_covariance[PLACES["blue"], PLACES["side_blue"], 1]
    assert found == pytest.approx(covariance, abs=1e-8)


def test_g2_and_the_next_photon(twin):
    delays, at = np.array([0.0, 0.05, 0.3]), 0.1
    found = tb.counting.g2(MODEL, delays, ("blue", "side_blue"), at=at)
    generator, shape = twin.generator(), twin.start.shape
    now = (expm(generator * at) @ twin.start.ravel()).reshape(shape)

    def rate(rho, name):
        return sum(np.trace(jump @ rho @ jump.conj().T).real for jump in twin.jumps[name])

    after = sum(jump @ now @ jump.conj().T for jump in twin.jumps["blue"])
    for delay, g2 in zip(delays, found, strict=True):
        pair = (expm(generator * delay) @ after.ravel()).reshape(shape)
        free = (expm(generator * delay) @ now.ravel()).reshape(shape)
        known = rate(pair, "side_blue") / (rate(now, "blue") * rate(free, "side_blue"))
        assert g2 == pytest.approx(known, rel=1e-9)
    dark = expm(twin.generator(dict.fromkeys(twin.jumps, 0.0)) * 0.2) @ after.ravel()
    left = np.trace(dark.reshape(shape)).real / np.trace(after).real
    survival = tb.counting.survival(MODEL, [0.2], after="blue", at=at)
    assert survival[0] == pytest.approx(left, rel=1e-9)


def test_stages_and_clicks():
    battery = tb.Battery(6, 1.87, 60.0, 1.0, 10.0, 1.0, **NOISY)
    steps = [(battery.charge(), 0.1), (battery.store(), 0.2), (battery.discharge(1.0), 0.2)]
    cycle, t = tb.Protocol(steps), 0.45
    clicks = tb.mcsolve(cycle, [t], ntraj=8000, seed=3).draw_clicks()
    for channel in ("blue", "side_all", "dis"):
        fano, sem = tb.photons.fano(clicks, [t], channel)
        assert abs(tb.counting.fano(cycle, [t], channel)[0] - fano[0]) < 4 * sem[0]
        p, error = tb.photons.distribution(clicks, t, channel)
        known = tb.counting.distribution(cycle, t, channel)
        assert np.all(np.abs(p[:3] - known[:3]) < 4.5 * error[:3])
    quieter = tb.Protocol([(steps[0][0].with_parameters(local_plus=1.0), 0.1), *steps[1:]])
    fano, sem = tb.photons.fano(clicks, [0.09], "side_blue")
    p, error = tb.photons.distribution(clicks, 0.09, "side_blue")
    assert abs(p[0] - tb.counting.distribution(quieter, 0.09, "side_blue")[0]) > 6 * error[0]


def test_detectors_see_what_is_emitted():
    detectors = tb.Detectors(efficiency=0.4)
    assert np.isnan(tb.counting.fano(MODEL, [0.3], "dephasing", detectors=detectors)[0])
    seen = tb.counting.distribution(MODEL, 0.3, "blue", detectors=detectors)
    known = tb.counting.distribution(MODEL, 0.3, "blue")
    k = np.arange(known.size)
    assert seen @ np.arange(seen.size) == pytest.approx(0.4 * (known @ k), rel=1e-9)
    none = tb.counting.distribution(MODEL, 0.3, "dephasing", detectors=detectors)
    assert none[0] == pytest.approx(1.0)


def test_lines_are_not_offered():
    with pytest.raises(ValueError, match="`model` must be of states with J"):
        tb.counting.spectrum(MODEL, [0.0, 1.0], "blue")


def test_a_window_of_first_photons_is_an_average_of_times():
    delays, window = np.array([0.0, 0.1]), (0.05, 0.15)
    found = tb.counting.correlation(MODEL, delays, ("blue", "side_blue"), at=window)
    nodes, weights = np.polynomial.legendre.leggauss(8)
    times = 0.1 + 0.05 * nodes
    each = [tb.counting.correlation(MODEL, delays, ("blue", "side_blue"), at=t) for t in times]
    np.testing.assert_allclose(found, 0.05 * weights @ each, rtol=1e-8)


def test_the_next_jump_is_of_some_channel(twin):
    found = tb.counting.next_channel(MODEL)
    # All that comes in a long time without another: integrals of rates under no jump.
    quiet = twin.generator(dict.fromkeys(twin.jumps, 0.0))
    left = np.linalg.solve(-quiet, twin.start.ravel()).reshape(twin.start.shape)
    known = [
        sum(np.trace(jump @ left @ jump.conj().T).real for jump in twin.jumps[name])
        for name in MODEL.channel_names
    ]
    np.testing.assert_allclose(found, known, atol=1e-10)
    after = tb.counting.next_channel(MODEL, after="side_blue", at=0.1)
    assert after.sum() == pytest.approx(1.0)
    soon = tb.counting.next_channel(MODEL, after="side_blue", at=0.1, until=50.0)
    np.testing.assert_allclose(after, soon, atol=1e-9)
