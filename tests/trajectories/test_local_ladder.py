"""Trajectories with noise of single atoms: conditional states, and averages against the twin."""

import numpy as np
import pytest
from oracle import atoms

import trajbatt as tb
from trajbatt.ensembles.plan import Plan
from trajbatt.states.initial import prepare
from trajbatt.trajectories.ladder import LadderEngine
from trajbatt.trajectories.local_ladder import LocalLadderEngine
from trajbatt.trajectories.records import ROW, Records

NOISY = {"local_0": 0.7, "local_plus": 2.0, "local_minus": 0.4, "dephasing": 0.6, "pump": 0.3}
HEAT = {"thermal_0": 0.3, "thermal_plus": 0.2, "thermal_minus": 0.5}
RECORDS = {one["parameters"]["name"]: one for one in atoms.load()["records"]}


def battery(n_atoms, **given):
    return tb.Battery(n_atoms, 1.87, 10.0 * n_atoms, 1.0, 10.0, 1.0, **given)


def by_hand(model, clicks):
    names = model.channel_names
    return Records(
        origin=np.zeros(1, dtype=np.int64),
        hidden=np.zeros(1, dtype=np.int64),
        offsets=np.array([0, len(clicks)]),
        time=np.array([time for time, _, _ in clicks]),
        channel=np.array([names.index(name) for _, name, _ in clicks], dtype=np.int8),
        spin=np.array([n for _, _, n in clicks], dtype=np.int32),
    )


@pytest.mark.parametrize("name", RECORDS)
def test_conditional_states_of_a_record(name):
    model, initial = atoms.of_case(RECORDS[name])
    mixture = prepare(model, initial)
    engine = LocalLadderEngine(model, mixture, products=True)
    records = by_hand(model, RECORDS[name]["record"])
    times = np.array(RECORDS[name]["parameters"]["times"])
    found = []
    for hidden in range(mixture.first[0], mixture.first[0] + mixture.offsets[1]):
        # Which branch is the hidden one does not matter, unless the record kills it.
        try:
            seen = engine.observe(records._replace(hidden=np.array([hidden])), times)
        except ZeroDivisionError:
            continue
        if np.all(np.isfinite(seen.samples)):
            found.append(seen)
    assert found
    for seen in found:
        rows = seen.samples[0]
        for i, known in enumerate(RECORDS[name]["resolved"]):
            energy = rows[ROW["jz"], i] + model.n_atoms / 2
            assert energy == pytest.approx(known["energy"], abs=1e-10)
            assert rows[ROW["jz_variance"], i] == pytest.approx(known["variance"], abs=1e-10)
            dipole = [rows[ROW["jx"], i], rows[ROW["jy"], i]]
            np.testing.assert_allclose(dipole, known["dipole"], atol=1e-10)
            assert known["p_J"][str(seen.spins[0, i])] == pytest.approx(1.0)


@pytest.mark.parametrize("n_atoms", [1, 2, 5, 40])
def test_averages_are_those_of_the_twin(n_atoms):
    model = battery(n_atoms, **NOISY, **HEAT).charge()
    times = np.linspace(0.0, battery(n_atoms).charging_time, 9)[1:]
    runs = tb.mcsolve(model, times, ntraj=4000, seed=5)
    exact = tb.mesolve(model, times)
    assert tb.compare(runs, exact).p_value > 1e-3
    p, known = runs.spin_distribution, exact.spin_distribution
    n = min(p.shape[1], known.shape[1])
    error = np.sqrt(np.maximum(known[:, :n] * (1 - known[:, :n]), 0.0) / 4000) + 1e-3
    assert np.all(np.abs(p[:, :n] - known[:, :n]) < 5 * error)
    np.testing.assert_allclose(runs.spin_square, exact.spin_square, rtol=0.05)


def test_another_noise_is_told_apart():
    model, times = battery(10, **NOISY).charge(), [0.05, 0.2]
    runs = tb.mcsolve(model, times, ntraj=4000, seed=5)
    other = tb.mesolve(model.with_parameters(local_plus=3.0), times)
    assert tb.compare(runs, other, other_model=True).p_value < 1e-6


def test_stages_of_other_bases():
    one = battery(5, **NOISY)
    steps = [(one.charge(), 0.1), (one.store(local=0.5), 0.3), (one.discharge(local=0.0), 0.2)]
    protocol, times = tb.Protocol(steps), [0.05, 0.1, 0.4, 0.5, 0.6]
    runs = tb.mcsolve(protocol, times, ntraj=4000, seed=6, keep_clicks=True)
    exact = tb.mesolve(protocol, times)
    assert tb.compare(runs, exact).p_value > 1e-3
    again = runs.replay(17)
    assert again.spin[-1] == (again.clicks.spin[-1] if len(again.clicks) else 5)
    ends = runs.clicks.where(runs.clicks.trajectory == 17)
    np.testing.assert_array_equal(ends.spin, again.clicks.spin)


def test_without_local_rates_states_are_those_of_the_ladder():
    model = battery(30, **HEAT).charge()
    mixture = prepare(model, tb.coherent_state(30, 2.0, 0.4))
    times = np.array([0.01, 0.05])
    ladder = LadderEngine(model, mixture, products=True)
    local = LocalLadderEngine(tb.LocalLadderModel.of(model), mixture, products=True)
    records = ladder.sample(np.random.default_rng(1), 5, times[-1])
    spin = np.full(records.time.size, 30, dtype=np.int32)
    known, found = ladder.observe(records, times), local.observe(records._replace(spin=spin), times)
    np.testing.assert_allclose(found.samples, known.samples, atol=1e-10)
    np.testing.assert_allclose(found.products, known.products, atol=1e-9)


def test_the_same_run_on_any_number_of_threads_and_from_a_store(tmp_path):
    model, times = battery(20, **NOISY).charge(), [0.02, 0.05]
    runs = tb.mcsolve(model, times, ntraj=3000, seed=2, threads=1, keep_clicks=True)
    stored = tb.mcsolve(
        model, times, ntraj=3000, seed=2, threads=2, keep_clicks=True, store=tmp_path / "run"
    )
    again = tb.load(tmp_path / "run")
    for other in (stored, again):
        np.testing.assert_array_equal(runs.energy, other.energy)
        np.testing.assert_array_equal(runs.clicks.spin, other.clicks.spin)
    assert again.model == model
    assert again.model.origin == model.origin


def test_buffers_that_grow_change_nothing(monkeypatch):
    model, times = battery(20, **NOISY).charge(), np.array([0.05])
    plan = Plan.of(model, None, times, seed=3, method="local_ladder", rtol=1e-6, keep_clicks=True)
    known = plan.engine.sample(plan.generator(0), 200, 0.05)
    monkeypatch.setattr(tb.LocalLadderModel, "typical_clicks", lambda self, t: 0.0)
    found = plan.engine.sample(plan.generator(0), 200, 0.05)
    for one, other in zip(found, known, strict=True):
        np.testing.assert_array_equal(one, other)


def test_light_of_single_atoms_only_is_independent():
    model = tb.Battery(12, 1.87, 20.0, 0.0, 0.0, 0.0, local_0=1.0, local_plus=3.0).charge()
    runs = tb.mcsolve(model, [0.7], ntraj=4000, seed=4)
    p = tb.mesolve(
        tb.Battery(1, 1.87, 20.0, 0, 0, 0, local_0=1.0, local_plus=3.0).charge(), [0.7]
    ).energy[0]
    assert abs(runs.energy[0] - 12 * p) < 4 * runs.energy_sem[0]
    assert abs(runs.energy_variance[0] - 12 * p * (1 - p)) < 4 * runs.energy_variance_sem[0]


def test_what_is_not_offered_is_said():
    model = battery(4, **NOISY).charge()
    with pytest.raises(ValueError, match="`method` must"):
        tb.mcsolve(model, [0.1], 4, method="banded")
    driven = tb.Battery(4, 1.87, 40.0).charge(secular=False)
    with pytest.raises(ValueError, match="same protocol as noise"):
        tb.mcsolve(tb.Protocol([(driven, 0.1), (model, 0.1)]), [0.2], 4)
    with pytest.raises(ValueError, match="same protocol as noise"):
        tb.mesolve(tb.Protocol([(driven, 0.1), (model, 0.1)]), [0.2])
