"""The filter against reference records and a dense twin."""

import numpy as np
import pytest
from oracle import dense, references
from oracle.records import by_channel, check, detected, record, sampled
from scipy.linalg import expm

import trajbatt as tb


@pytest.mark.parametrize(
    "case",
    references.load()["records"],
    ids=lambda c: f"{c['model']}-N{c['N']}-{c['efficiency']}-{len(c['clicks'])}",
)
def test_reference_records(case):
    model, initial = references.of_record(case)
    at = case["cond"]
    times = [one["t"] for one in at]
    found = tb.filter(model, record(*case["clicks"]), times, case["efficiency"], initial)
    for name, key in [
        ("energy", "E"),
        ("energy_variance", "varE"),
        ("purity", "purity"),
        ("ergotropy", "ergotropy"),
        ("log_likelihood", "loglik_so_far"),
    ]:
        np.testing.assert_allclose(getattr(found, name), [one[key] for one in at], atol=1e-10)
    dipole = [complex(*one["Jp"]) for one in at]
    np.testing.assert_allclose(found.dipole, dipole, atol=1e-10)
    rates = [[one["rates"][name] for one in at] for name in model.channel_names]
    np.testing.assert_allclose(found.rates, rates, atol=1e-10)
    assert found.log_likelihood[-1] == pytest.approx(case["loglik"], abs=1e-10)


CASES = dense.parameters()
EFFICIENCIES = [[1.0], [0.6], [0.0], [0.3, 1.0, 0.0, 0.8]]  # of one channel after the other


@pytest.mark.slow
@pytest.mark.parametrize("values", EFFICIENCIES, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_records_against_the_dense_twin(case, values):
    efficiency = by_channel(case.model.channel_names, values)
    rng = np.random.default_rng(1)
    times = np.array([0.0, 0.1, 0.25, 0.375, 0.75, case.end])
    n = 0
    for i, clicks in enumerate(sampled(case, 5, 4)):
        handed = [efficiency, list(efficiency.values())][i % 2] if len(values) > 1 else values[0]
        seen = detected(clicks, efficiency, rng)
        # At first only the last time: many clicks in one go, and stages without a time.
        check(case, seen, efficiency, times if i else times[-1:], handed)
        n += len(seen)
    assert n > 0 or values != [1.0] or case.name in ("closed", "eq7-theta-0")


# At the same time, at a time that is asked for, at the beginning, and where a stage ends.
RED_AND_BLUE = [(0.0, "center"), (0.25, "red"), (0.25, "blue"), (0.25, "red"), (1.0, "center")]

AWKWARD = {
    "eq7": RED_AND_BLUE,
    "eq7-mixed": RED_AND_BLUE,
    "eq7-theta-pi": [(0.0, "red"), (0.25, "red")],
    "eq7-one-atom": RED_AND_BLUE,
    "eq5": [(0.25, "all"), (0.25, "all"), (1.0, "all")],
    "eq5-one-atom": [(0.0, "all"), (0.25, "all"), (1.0, "all")],
    "discharge": [(0.0, "all"), (0.25, "all"), (0.25, "all")],
    "cycle": [
        *[(0.0, "center"), (0.25, "red"), (0.25, "blue"), (0.3, "dis"), (0.375, "dis")],
        *[(0.875, "all"), (1.0, "red"), (1.125, "blue"), (1.5, "dis"), (1.625, "dis")],
    ],
    "one-atom-cycle": [(0.5, "center"), (0.5, "blue"), (0.75, "red"), (1.25, "dis")],
}


@pytest.mark.parametrize("efficiency", [1.0, 0.7])
@pytest.mark.parametrize("case", [case for case in dense.cases() if case.name in AWKWARD])
def test_clicks_at_awkward_times(case, efficiency):
    by_name = dict.fromkeys(case.model.channel_names, efficiency)
    times = np.unique([0.0, 0.25, 0.5, 1.0, case.end])
    check(case, AWKWARD[case.name], by_name, times, efficiency)


@pytest.mark.parametrize(
    ("name", "end", "n", "values"),
    [
        ("eq7", 150.0, 400, [1.0]),
        ("eq7", 150.0, 400, [0.7, 1.0, 0.4]),
        pytest.param("eq5", 300.0, 200, [1.0], marks=pytest.mark.slow),
        pytest.param("eq5", 300.0, 200, [0.5], marks=pytest.mark.slow),
    ],
)
def test_many_clicks_against_the_dense_twin(name, end, n, values):
    (case,) = (case for case in dense.cases() if case.name == name)
    case = case._replace(initial=tb.ground_state(case.model.n_atoms), end=end)
    (clicks,) = sampled(case, 4, 1)
    assert len(clicks) > n
    efficiency = by_channel(case.model.channel_names, values)
    seen = detected(clicks[:n], efficiency, np.random.default_rng(5))
    times = np.array([0.0, 0.4, 0.7, 1.0]) * seen[-1][0]
    check(case, seen, efficiency, times, efficiency)


@pytest.mark.parametrize("end", [5.0, 50.0, pytest.param(200.0, marks=pytest.mark.slow)])
def test_dark_times_under_eq5(end):
    battery = tb.Battery(4, 1.2, 30.0)
    hamiltonian, jumps, _ = dense.driving(battery, np.inf)
    lost = hamiltonian - 0.5j * jumps["all"].conj().T @ jumps["all"]
    turn = expm(-1j * lost * end / 1000)
    psi, log = np.eye(5)[0], 0.0
    for _ in range(1000):
        psi = turn @ psi
        norm = np.linalg.norm(psi)
        psi, log = psi / norm, log + 2 * np.log(norm)
    found = tb.filter(battery.charge(secular=False), record(), [end])
    assert found.log_likelihood[0] == pytest.approx(log, abs=1e-6)
    assert found.energy[0] == pytest.approx(np.abs(psi) ** 2 @ np.arange(5), abs=1e-7)


@pytest.mark.slow
def test_a_dark_time_less_likely_than_numbers_go():
    # exp(-1070) is zero: what is rounding in the state must not grow as the likelihood falls.
    battery, end = tb.Battery(2, 1.2, 4.0), 1000.0
    hamiltonian, jumps, _ = dense.driving(battery, np.inf)
    lost = -1j * hamiltonian - 0.5 * jumps["all"].conj().T @ jumps["all"]
    # In the long run the mode that decays most slowly is all that is left.
    values, right = np.linalg.eig(lost)
    slowest = np.argmax(values.real)
    share = np.linalg.solve(right, np.eye(3)[0])[slowest]
    psi = share * right[:, slowest]
    log = 2.0 * (values[slowest].real * end + np.log(np.linalg.norm(psi)))
    assert log < -1000
    found = tb.filter(battery.charge(secular=False), record(), [end])
    assert found.log_likelihood[0] == pytest.approx(log, abs=1e-6)
    populations = np.abs(psi / np.linalg.norm(psi)) ** 2
    assert found.energy[0] == pytest.approx(populations @ np.arange(3), abs=1e-8)


def test_a_result_shows_itself():
    battery = tb.Battery(3, 1.87, 9.0, gamma_plus=4.0)
    cycle = tb.Protocol(
        [(battery.charge(), 0.5), (battery.store(), 0.2), (battery.discharge(), 0.3)]
    )
    found = tb.filter(cycle, record((0.1, "blue"), (0.2, "blue"), (0.9, "dis")), [0.5, 1.0], 0.5)
    card = str(found).splitlines()
    assert card[0] == "FilterResult: charge, store, discharge, N = 3"
    assert card[1].split(maxsplit=1) == ["clicks", "red 0, center 0, blue 2, dis 1"]
    assert len(card) == 5
    assert found.channels == ("red", "center", "blue", "dis")
    np.testing.assert_array_equal(found.efficiency, 0.5)
    np.testing.assert_array_equal(found.click_channel, [2, 2, 3])
    assert found.rates.shape == (4, 2)
    assert np.all(found.rates[3, 0] == 0.0)
    assert np.all(found.rates[:3, 1] == 0.0)
    stored = tb.filter(battery.store(), record(), [0.0, 1.0])
    assert "none" in str(stored)
    np.testing.assert_allclose(stored.log_likelihood, 0.0, atol=1e-12)
    np.testing.assert_allclose(stored.energy, stored.energy[0], rtol=1e-12)


def test_a_click_at_a_boundary_is_of_the_stage_that_can_emit_it():
    battery = tb.Battery(3, 1.87, 30.0, gamma_plus=5.0)
    cycle = tb.Protocol([(battery.charge(), 0.2), (battery.store(), 0.1), (battery.discharge(), 1)])
    start, end = cycle.stages()[2].start, cycle.duration
    found = tb.filter(cycle, record((start, "dis")), [end]).log_likelihood[0]
    just_after = tb.filter(cycle, record((start + 1e-9, "dis")), [end]).log_likelihood[0]
    assert found == pytest.approx(just_after, abs=1e-6)
    # One that the stage before can emit is its own, and one that neither can is impossible.
    end = cycle.stages()[0].end
    tb.filter(cycle, record((end, "red")), [0.5])
    with pytest.raises(
        ValueError, match=r"click 0 \(dis at .*\) has probability zero during 'char"
    ):
        tb.filter(cycle, record((end, "dis")), [0.5])
