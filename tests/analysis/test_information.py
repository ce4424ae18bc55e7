"""What a record is worth: classical and quantum Fisher information."""

import numpy as np
import pytest

import trajbatt as tb

BATTERY = tb.Battery(3, 1.87, 30.0, gamma_plus=3.0)
NAMES = ("theta", "gamma_plus", "gamma_0")


def exponential(gamma, duration):
    """That of whether and when one atom decays."""
    return (1.0 - np.exp(-gamma * duration)) / gamma**2


def test_one_atom_that_discharges():
    model, excited = tb.Battery(1, 1.87, 9.0).discharge(0.7), tb.excited_state(1)
    known = exponential(0.7, 1.3)
    found = tb.fisher_information(model, ["gamma"], 1.3, 3000, excited, seed=1)
    assert abs(found.matrix[0, 0] - known) < 4.0 * found.sem[0, 0]
    assert found.sem[0, 0] < 0.05 * known
    assert abs(found.mean_score[0]) < 4.0 * found.mean_score_sem[0]
    assert found.errors(4)["gamma"] == pytest.approx(0.5 / np.sqrt(found.matrix[0, 0]))
    # When it decays is all that the light has: its amplitude is real.
    quantum = tb.quantum_information(model, ["gamma"], 1.3, excited)
    assert quantum[0, 0] == pytest.approx(known, rel=1e-6)
    # Half the photons seen: a decay is seen with p/2, not seen without its time.
    half = tb.fisher_information(model, ["gamma"], 1.3, 3000, excited, 0.5, seed=2)
    gone = 1.0 - np.exp(-0.7 * 1.3)
    slope = 1.3 * np.exp(-0.7 * 1.3)
    seen = 0.5 * (exponential(0.7, 1.3) - slope**2 / (1.0 - gone))
    lost = (0.5 * slope) ** 2 / (1.0 - 0.5 * gone)
    assert abs(half.matrix[0, 0] - seen - lost) < 4.0 * half.sem[0, 0]
    assert abs(half.matrix[0, 0] - known) > 4.0 * half.sem[0, 0]


def test_without_light_it_is_that_of_a_rotation():
    """4 T^2 Var(J_x) of a state that the drive alone turns."""
    model = tb.DrivenDicke(3, 2.0, 0.0, gamma=1e-9)
    found = tb.quantum_information(model, ["rabi"], 0.8)
    assert found[0, 0] == pytest.approx(3.0 * 0.8**2, rel=1e-6)


def test_scores_have_the_mean_zero_under_their_own_model():
    model = BATTERY.charge()
    found = tb.fisher_information(model, NAMES, 0.5, 600, seed=3)
    assert np.all(np.abs(found.mean_score) < 4.0 * found.mean_score_sem)
    assert np.all(np.abs(found.matrix - found.matrix.T) < 1e-12)
    other = tb.Battery(3, 1.87, 30.0, gamma_plus=6.0).charge()
    clicks = tb.mcsolve(other, [0.5], 600, seed=3, keep_clicks=True).clicks
    scores = tb.score(model, clicks, NAMES)
    sem = scores.std(axis=0) / np.sqrt(600)
    assert np.abs(scores.mean(axis=0) / sem).max() > 5.0


@pytest.mark.parametrize(
    ("model", "names"),
    [(BATTERY.charge(), NAMES), (tb.DrivenDicke(2, 2.0, 0.4), ("rabi", "detuning", "gamma"))],
)
def test_no_record_has_more_than_the_light(model, names):
    quantum = tb.quantum_information(model, names, 0.7)
    np.testing.assert_allclose(quantum, quantum.T)
    for efficiency in (1.0, 0.3):
        found = tb.fisher_information(model, names, 0.7, 300, efficiency=efficiency, seed=4)
        # Along each eigenvector of the difference, in units of the quantum information.
        scale = 1.0 / np.sqrt(np.diag(quantum))
        least = np.linalg.eigvalsh(scale[:, None] * (quantum - found.matrix) * scale)[0]
        assert least > -4.0 * (scale[:, None] * found.sem * scale).max()
    less = found.matrix
    more = tb.fisher_information(model, names, 0.7, 300, seed=4).matrix
    assert np.all(np.diag(more) > np.diag(less))


@pytest.mark.slow
def test_errors_of_a_fit_are_what_it_says():
    model = BATTERY.charge()
    found = tb.fisher_information(model, ("theta", "gamma_plus"), 0.5, 1000, seed=5)
    clicks = tb.mcsolve(model, [0.5], 400, seed=6, keep_clicks=True).clicks
    fitted = tb.fit(BATTERY, clicks, ("theta", "gamma_plus"))
    for name, error in found.errors(400).items():
        assert fitted.errors[name] == pytest.approx(error, rel=0.25)
    assert "theta" in repr(found)


def test_nothing_is_learnt_where_nothing_depends():
    model = BATTERY.charge()  # whose light does not depend on Omega_P
    found = tb.fisher_information(model, ["omega_p", "theta"], 0.3, 10, seed=1)
    assert found.matrix[0, 0] == pytest.approx(0.0, abs=1e-12)
    assert found.errors()["omega_p"] == np.inf or found.errors()["omega_p"] > 1e6


def test_bad_input():
    model = BATTERY.charge()
    for call, message in (
        (lambda: tb.fisher_information(model, ["theta"], 0.3, 1), "`ntraj` must be at least 2"),
        (lambda: tb.fisher_information(model, ["theta"], -0.3), "`duration` must be"),
        (lambda: tb.fisher_information(model, ["x"], 0.3), "`parameters` must be"),
        (lambda: tb.quantum_information(tb.DrivenDicke(61, 2.0), ["rabi"], 1.0), "at most 60"),
        (
            lambda: tb.quantum_information(
                tb.Battery(3, 1.87, 9.0, local_0=1.0).charge(), ["theta"], 0.1
            ),
            "J = N/2",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
