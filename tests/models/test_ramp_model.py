"""Drives that move within a stage, as models and protocols."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

import trajbatt as tb
from trajbatt import counting

BATTERY = tb.Battery(4, 0.6, 30.0)


def drive_of(ramp, time):
    """Return theta and Omega_P of a ramp at a time."""
    for model, duration in ramp.steps:
        if time <= duration + 1e-12:
            return [np.polyval(one[::-1], time) for one in model.drive]
        time -= duration
    raise AssertionError


def test_the_drive_is_the_spline():
    places, values = [0.0, 0.1, 0.25, 0.4], [0.6, 1.5, 1.2, 2.0]
    cubic = BATTERY.ramp(0.4, theta=(places, values), interpolation="cubic", secular=False)
    linear = BATTERY.ramp(0.4, theta=(places, values), omega_p=(30.0, 20.0, 40.0), secular=False)
    assert len(cubic.steps) == 3
    assert len(linear.steps) == 4  # a knot of omega_p at 0.2
    spline = CubicSpline(places, values)
    for time in np.linspace(0.0, 0.4, 23):
        np.testing.assert_allclose(drive_of(cubic, time), [spline(time), 30.0], rtol=1e-12)
        omega = np.interp(time, [0.0, 0.2, 0.4], [30.0, 20.0, 40.0])
        found = drive_of(linear, time)
        np.testing.assert_allclose(found, [np.interp(time, places, values), omega], rtol=1e-12)
    assert cubic.duration == pytest.approx(0.4, rel=1e-12)
    assert repr(linear) == "Protocol: charge for 0.4 in 4 stages; N = 4"
    assert max(model.fastest for model, _ in linear.steps) == pytest.approx(40.0)


def test_stores_keep_it(tmp_path):
    ramp = BATTERY.ramp(0.4, theta=(0.6, 2.0, 1.0), interpolation="cubic", secular=False)
    runs = tb.mcsolve(ramp, [0.1, 0.4], 20, seed=3, store=tmp_path / "run", keep_clicks=True)
    again = tb.load(tmp_path / "run")
    assert again.model == ramp
    np.testing.assert_array_equal(again.energy, runs.energy)
    more = tb.mcsolve(ramp, [0.1, 0.4], 30, seed=3, store=tmp_path / "run", keep_clicks=True)
    assert more.ntraj == 30


def test_fits_of_the_rate():
    ramp = BATTERY.ramp(0.4, theta=(0.6, 2.0), secular=False)
    runs = tb.mcsolve(ramp, [0.4], 8, seed=4, keep_clicks=True)
    found = tb.fit(ramp.with_parameters(gamma=4.0), runs.clicks, ("gamma",), duration=0.4)
    assert abs(found.values["gamma"] - 1.0) < 4.0 * found.errors["gamma"]
    assert abs(found.values["gamma"] - 4.0) > 4.0 * found.errors["gamma"]


def test_qutip_has_the_same():
    qutip = pytest.importorskip("qutip")
    model, duration = BATTERY.ramp(0.4, theta=(0.6, 2.0), secular=False).steps[0]
    times = np.linspace(0.0, duration, 4)
    hamiltonian, jumps, means, start = tb.to_qutip(model)
    options = {"rtol": 1e-10, "atol": 1e-12}
    found = qutip.mesolve(hamiltonian, start, times, jumps, e_ops=means, options=options)
    np.testing.assert_allclose(found.e_data["energy"], tb.mesolve(model, times).energy, atol=1e-8)


def moving(**others):
    return BATTERY.ramp(0.4, theta=(0.6, 2.0), secular=False, **others)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: moving(gamma_0=(1.0, 2.0)), "`stages` must be given for a ramp of `gamma_0`"),
        (
            lambda: tb.Battery(4, 0.6, 30.0, thermal_0=0.1, thermal_plus=0.1, thermal_minus=0.1)
            .ramp(0.4, theta=(0.6, 2.0), secular=False),
            "`stages` must be given for a ramp by Eq. \\(5\\) with thermal photons",
        ),
        (
            lambda: BATTERY.ramp(0.4, theta=(0.0, 3.0, 3.1, 0.0), interpolation="cubic",
                                 secular=False),
            "`theta` must lie in",
        ),
        (lambda: moving(omega_p=(30.0, -1.0)), "`omega_p` must be"),
        (lambda: tb.mcsolve(moving(), [0.4], 2, method="banded"), "give `stages` to the ramp"),
        (lambda: tb.mesolve(moving(), [0.4], method="tensors"), "give `stages` to the ramp"),
        (lambda: tb.mesolve(moving(), [0.5]), "`tlist` must end by the end of the protocol"),
        (lambda: tb.mesolve(moving().steps[0][0], [0.5]), "`tlist` must end by the end"),
        (lambda: tb.Protocol([(moving().steps[0][0], 0.5)]), "after the end of a ramp, 0.4"),
        (lambda: tb.Homodyne(beta=3.0).of(moving()), "give `stages` to the ramp"),
        (
            lambda: tb.quantum_information(moving().steps[0][0], ("gamma",), 0.4),
            "give `stages` to the ramp",
        ),
        (lambda: counting.spectrum(moving().steps[0][0], [0.0], "all"), "give `stages`"),
        (
            lambda: tb.mesolve(
                tb.Protocol(
                    [
                        (moving().steps[0][0], tb.until(clicks=("all", 2), at_most=0.3)),
                        (BATTERY.store(), 0.1),
                    ]
                ),
                [0.2],
            ),
            "give `stages` to the ramp",
        ),
        (
            lambda: tb.compare(
                tb.mcsolve(moving(), [0.4], 50, seed=1),
                tb.mesolve(BATTERY.ramp(0.4, theta=(0.6, 1.9), secular=False), [0.4]),
            ),
            "must solve the same model",
        ),
    ],
)  # fmt: skip
def test_what_is_not_offered(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def test_no_steady_state():
    with pytest.raises(TypeError, match="is a RampModel"):
        tb.steady_state(moving().steps[0][0])


@pytest.mark.parametrize("evenly", [True, False])
def test_knots_may_be_at_the_ends_of_the_range(evenly):
    """Rounding of the polynomials does not take them off it."""
    rng = np.random.default_rng(5)
    for _ in range(60):
        duration, n = 10.0 ** rng.uniform(-1.0, 1.0), int(rng.integers(3, 7))
        places = np.sort(np.append(rng.uniform(0.0, duration, n - 2), [0.0, duration]))
        omega, theta = rng.uniform(0.0, 30.0, n), rng.choice([0.0, np.pi, 1.0], n)
        omega[rng.integers(n)] = 0.0
        knots = {"omega_p": omega, "theta": theta}
        if not evenly:
            knots = {name: (places, values) for name, values in knots.items()}
        ramp = BATTERY.ramp(duration, secular=False, **knots)
        assert ramp.duration == pytest.approx(duration, rel=1e-12)
        assert len(ramp.steps) == n - 1
