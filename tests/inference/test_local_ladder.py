"""The filter and the fit with noise of single atoms: J is hidden, unless it is told."""

import numpy as np
import pytest
from oracle import atoms
from scipy.linalg import expm

import trajbatt as tb

NOISY = {"local_0": 0.7, "local_plus": 2.0, "local_minus": 0.4, "dephasing": 0.6}
RECORDS = {one["parameters"]["name"]: one for one in atoms.load()["records"]}


def battery(n_atoms, **given):
    return tb.Battery(n_atoms, 1.87, 10.0 * n_atoms, 1.0, 10.0, 1.0, **given)


def clicks_of(model, record, duration):
    names = model.channel_names
    return tb.Clicks(
        trajectory=np.zeros(len(record), dtype=int),
        time=np.array([time for time, _, _ in record]),
        channel=np.array([names.index(name) for _, name, _ in record], dtype=int),
        channels=names,
        duration=duration,
        spin=np.array([n for _, _, n in record], dtype=int),
    )


@pytest.mark.parametrize("kind", ["hidden", "resolved"])
@pytest.mark.parametrize("name", RECORDS)
def test_reference_records(name, kind):
    model, initial = atoms.of_case(RECORDS[name])
    times = RECORDS[name]["parameters"]["times"]
    clicks = clicks_of(model, RECORDS[name]["record"], times[-1])
    found = tb.filter(model, clicks, times, initial=initial, known_spin=kind == "resolved")
    for i, known in enumerate(RECORDS[name][kind]):
        assert found.log_likelihood[i] == pytest.approx(known["log_density"], abs=1e-10)
        assert found.energy[i] == pytest.approx(known["energy"], abs=1e-10)
        assert found.energy_variance[i] == pytest.approx(known["variance"], abs=1e-10)
        assert found.dipole[i] == pytest.approx(complex(*known["dipole"]), abs=1e-10)


def test_missed_photons_against_all_atoms_one_by_one():
    model = battery(3, **NOISY).charge()
    efficiency = {name: 0.3 if "side" not in name else 0.0 for name in model.channel_names}
    times, duration = np.array([0.1, 0.3]), 0.3
    record = [(0.04, "blue", 3), (0.12, "blue", 3), (0.2, "dephasing_up", 3)]
    clicks = clicks_of(model, record, duration)
    found = tb.filter(model, clicks, times, efficiency=efficiency)
    twin = atoms.Atoms(model)
    quiet = twin.generator({name: 1.0 - eta for name, eta in efficiency.items()})
    rho, now, i = twin.symmetric(tb.ground_state(3)), 0.0, 0
    for time, name, _ in [*record, (duration, None, None)]:
        while i < 2 and times[i] <= time:
            rho = (expm(quiet * (times[i] - now)) @ rho.ravel()).reshape(rho.shape)
            now, trace = times[i], np.trace(rho).real
            energy, variance, dipole, _ = twin.numbers(rho / trace)
            assert found.log_likelihood[i] == pytest.approx(np.log(trace), abs=1e-9)
            assert found.energy[i] == pytest.approx(energy, abs=1e-9)
            assert found.energy_variance[i] == pytest.approx(variance, abs=1e-9)
            assert found.dipole[i] == pytest.approx(dipole, abs=1e-9)
            i += 1
        rho = (expm(quiet * (time - now)) @ rho.ravel()).reshape(rho.shape)
        now = time
        if name:
            rho = efficiency[name] * sum(jump @ rho @ jump.conj().T for jump in twin.jumps[name])


def test_the_filter_knows_no_more_than_the_trajectory_and_is_right_on_average():
    model, times = battery(6, **NOISY).charge(), np.array([0.05, 0.1])
    runs = tb.mcsolve(model, times, ntraj=400, seed=7, keep_clicks=True)
    clicks = runs.clicks
    filters = [tb.filter(model, clicks.of_trajectory(i), times) for i in range(400)]
    exact = tb.mesolve(model, times)
    energies = np.array([one.energy for one in filters])
    error = energies.std(axis=0) / 20
    assert np.all(np.abs(energies.mean(axis=0) - exact.energy) < 4 * error)
    told = [
        tb.filter(model, clicks.of_trajectory(i), times, known_spin=True).energy for i in range(9)
    ]
    known = [runs.replay(i).energy for i in range(9)]
    np.testing.assert_allclose(told, known, atol=1e-9)
    assert np.abs(energies[:9] - known).max() > 1e-3


def test_stages():
    one = battery(4, **NOISY)
    steps = [(one.charge(), 0.1), (one.store(), 0.2), (one.discharge(1.0), 0.2)]
    protocol, times = tb.Protocol(steps), np.array([0.05, 0.2, 0.5])
    runs = tb.mcsolve(protocol, times, ntraj=20, seed=8, keep_clicks=True)
    for i in range(20):
        found = tb.filter(protocol, runs.clicks.of_trajectory(i), times, known_spin=True)
        np.testing.assert_allclose(found.energy, runs.replay(i).energy, atol=1e-9)
    blind = tb.filter(protocol, runs.clicks.of_trajectory(0).where(slice(0)), times, 0.0)
    np.testing.assert_allclose(blind.energy, tb.mesolve(protocol, times).energy, atol=1e-9)


def test_one_efficiency_is_that_of_what_emits():
    model = battery(4, **NOISY, thermal_0=0.5).charge()
    runs = tb.mcsolve(model, [0.2], ntraj=200, seed=9, keep_clicks=True)
    seen = tb.Detectors(efficiency=0.5).see(runs.clicks, seed=1, model=model)
    emits = np.array(model.channel_names)[model.photons == 1]
    assert {model.channel_names[c] for c in seen.channel} <= {*emits}
    assert seen.spin is None
    found = tb.filter(model, seen.of_trajectory(3), [0.2], efficiency=0.5)
    assert np.isfinite(found.log_likelihood[0])
    work = tb.daemonic_ergotropy(runs, efficiency=0.5, ntraj=20, seed=2)
    assert work.without_record[0] <= work.work[0] + 4 * work.work_sem[0]


def test_the_fit_finds_the_noise():
    model = battery(5, **NOISY).charge()
    clicks = tb.mcsolve(model, [0.3], ntraj=60, seed=10, keep_clicks=True).clicks
    wrong = model.with_parameters(local_plus=4.0)
    found = tb.fit(wrong, clicks, ("local_plus",))
    assert abs(found.values["local_plus"] - 2.0) < 4 * found.errors["local_plus"]
    assert found.errors["local_plus"] < 0.5
    assert found.converged


def test_what_cannot_be_is_said():
    model = battery(4, **NOISY).charge()
    clicks = clicks_of(model, [(0.01, "side_center", 6)], 0.1)
    with pytest.raises(ValueError, match=r"click 0 .* has probability zero"):
        tb.filter(model, clicks, [0.1], known_spin=True)
    seen = tb.Detectors().see(clicks)
    with pytest.raises(ValueError, match="`clicks` must tell their `spin`"):
        tb.filter(model, seen, [0.1], known_spin=True)
