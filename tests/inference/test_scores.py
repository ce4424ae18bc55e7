"""Exact scores of every kind of model, by kets there and back, or by derivatives of the state."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.inference import ket_paths, seen, tangent_records

BATTERY = tb.Battery(4, 1.87, 40.0, gamma_plus=3.0)
EVEN = tb.Battery(4, 1.87, 40.0)
NOISY = tb.Battery(3, 1.87, 40.0, gamma_plus=3.0, local_0=0.5, local_plus=1.0)
WARM = tb.Battery(4, 1.87, 40.0, thermal_0=0.3, thermal_plus=0.3, thermal_minus=0.3)
DRIVEN = EVEN.charge(secular=False)
CASES = {
    "Eq. (5)": ([(DRIVEN, 0.5)], ("theta", "omega_p", "gamma")),
    "on resonance": ([(tb.DrivenDicke(3, 2.0, 0.4), 3.0)], ("rabi", "gamma")),
    "Eq. (5), warm": ([(WARM.charge(secular=False), 0.5)], ("theta", "gamma", "thermal")),
    "ladders": (
        [(BATTERY.charge(), 0.3), (BATTERY.store(), 0.1), (BATTERY.charge(), 0.3)],
        ("theta", "omega_p", "gamma_plus", "gamma_0"),
    ),
    "a cycle": (
        [(BATTERY.charge(), 0.4), (BATTERY.store(), 0.1), (BATTERY.discharge(), 0.4)],
        ("theta",),
    ),
    "Eq. (7), then (5)": (
        [(BATTERY.charge(), 0.3), (DRIVEN, 0.2), (BATTERY.discharge(), 0.2)],
        ("theta", "omega_p"),
    ),
    "Eq. (5), then (7)": ([(DRIVEN, 0.2), (BATTERY.charge(), 0.3)], ("theta", "omega_p")),
    "from a start that hangs on them": (
        [(BATTERY.discharge(), 0.3), (BATTERY.charge(), 0.4)],
        ("theta", "omega_p"),
    ),
    "noise of single atoms": ([(NOISY.charge(), 0.4)], ("theta", "gamma_plus", "local_plus")),
    "noise in stages": (
        [(NOISY.charge(), 0.2), (NOISY.store(local=0.3), 0.05), (NOISY.charge(), 0.1)],
        ("omega_p", "local_plus"),
    ),
}
DETECTORS = {
    "all": {},
    "missed": {"efficiency": 0.6},
    "dark": {"efficiency": 0.6, "dark_rate": 2.0},
}


def model_of(steps):
    return tb.Protocol(steps) if len(steps) > 1 else steps[0][0]


def watched(steps, detectors, ntraj=3, initial=None):
    model, end = model_of(steps), sum(duration for _, duration in steps)
    clicks = tb.mcsolve(model, [end], ntraj, initial, seed=4, keep_clicks=True).clicks
    clicks = tb.Detectors(**detectors).see(clicks, 3, model=model)
    return model, clicks, {**detectors, "duration": end, "initial": initial}


@pytest.mark.parametrize("detectors", DETECTORS)
@pytest.mark.parametrize("name", CASES)
def test_they_are_what_differences_give(name, detectors, monkeypatch):
    steps, parameters = CASES[name]
    model, clicks, known = watched(steps, DETECTORS[detectors])
    exact = tb.score(model, clicks, parameters, **known)
    monkeypatch.setattr(seen, "_of_populations", lambda *_: None)
    monkeypatch.setattr(seen, "_ways", lambda *_: ())
    slow = tb.score(model, clicks, parameters, **known)
    np.testing.assert_allclose(exact, slow, rtol=1e-7, atol=1e-7 * (1.0 + np.abs(slow).max()))
    assert np.any(exact != slow)  # they are two ways


@pytest.mark.parametrize("name", ["Eq. (5)", "ladders", "Eq. (7), then (5)"])
def test_both_exact_ways_agree(name, monkeypatch):
    """Kets there and back, and derivatives of the density matrix, share nothing."""
    steps, parameters = CASES[name]
    start = tb.coherent_state(4, 0.7, 0.3)
    model, clicks, known = watched(steps, {}, initial=start)
    kets = tb.score(model, clicks, parameters, **known)
    monkeypatch.setattr(seen.PureRecords, "offers", staticmethod(lambda *_: False))
    matrices = tb.score(model, clicks, parameters, **known)
    np.testing.assert_allclose(kets, matrices, rtol=1e-9, atol=1e-9 * np.abs(kets).max())
    assert np.any(kets != matrices)


def test_long_steps_of_differences_are_wrong_where_phases_turn_fast(monkeypatch):
    battery = tb.Battery(30, 1.87, 400.0)
    steps = [(battery.charge(), 0.1), (battery.store(), 0.1), (battery.charge(), 0.1)]
    model, clicks, known = watched(steps, {}, 2)
    exact = tb.score(model, clicks, ["omega_p"], **known)
    monkeypatch.setattr(seen, "_ways", lambda *_: ())
    slow = tb.score(model, clicks, ["omega_p"], **known)
    np.testing.assert_allclose(exact, slow, rtol=1e-5)
    monkeypatch.setattr(seen, "LONGEST_STEP", 1e-2)
    monkeypatch.setattr(seen, "TURN", np.inf)
    assert np.abs(tb.score(model, clicks, ["omega_p"], **known) / exact - 1.0).max() > 1e-2


@pytest.mark.parametrize("detectors", ["all", "missed"])
def test_the_basis_turns(detectors, monkeypatch):
    """The negative control: without that scores of theta are others."""
    steps, _ = CASES["ladders"]
    model, clicks, known = watched(steps, DETECTORS[detectors])
    exact = tb.score(model, clicks, ["theta"], **known)
    if detectors == "all":
        monkeypatch.setattr(ket_paths.LadderPath, "_of_basis", lambda *_: 0.0)
    else:
        whole = tangent_records._tangents

        def at_rest(*arguments):
            system = whole(*arguments)
            system.turns = np.zeros_like(system.turns)
            return system

        monkeypatch.setattr(tangent_records, "_tangents", at_rest)
    other = tb.score(model, clicks, ["theta"], **known)
    assert np.abs(other - exact).max() > 1e-2 * np.abs(exact).max()


@pytest.mark.parametrize(
    ("name", "detectors"),
    [("Eq. (5)", "all"), ("Eq. (5)", "missed"), ("a cycle", "all"), ("a cycle", "missed")],
)
def test_a_fit_by_gradients_is_that_of_a_simplex(name, detectors, monkeypatch):
    steps, parameters = CASES[name]
    model, clicks, known = watched(steps, DETECTORS[detectors], 12)
    begin = model.with_parameters(theta=1.7)
    quick = tb.fit(begin, clicks, parameters[:1], **known)
    monkeypatch.setattr(seen, "_ways", lambda *_: ())
    slow = tb.fit(begin, clicks, parameters[:1], **known)
    assert quick.converged
    assert quick.log_likelihood == pytest.approx(slow.log_likelihood, abs=1e-4)
    found, error = quick.values["theta"], slow.errors["theta"]
    assert found == pytest.approx(slow.values["theta"], abs=0.02 * error)


def test_impossible_records_have_none():
    model = tb.Protocol([(BATTERY.store(), 0.1), (BATTERY.discharge(), 0.2)])
    clicks = tb.Clicks([0], [0.05], [0], model.channel_names, 0, 1)
    with pytest.raises(ValueError, match="has probability zero"):
        tb.score(model, clicks, ["theta"], duration=0.3)


def test_records_that_are_too_long_for_kets_at_all_nodes(monkeypatch):
    steps, parameters = CASES["Eq. (5)"]
    model, clicks, known = watched(steps, {})
    exact = tb.score(model, clicks, parameters, **known)
    monkeypatch.setattr("trajbatt.inference.pure_records.MOST_ELEMENTS", 10)
    slow = tb.score(model, clicks, parameters, **known)
    np.testing.assert_allclose(exact, slow, rtol=1e-7, atol=1e-6)
    assert np.any(exact != slow)
