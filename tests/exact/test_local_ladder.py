"""Noise of single atoms and heat, exactly: against references, all atoms one by one, and limits."""

from dataclasses import replace

import numpy as np
import pytest
from oracle import atoms

import trajbatt as tb
from trajbatt.exact import block_windows, local_ladder
from trajbatt.exact.start import start

CASES = {case["parameters"]["name"]: case for case in atoms.load()["cases"]}
NOISY = {"local_0": 0.7, "local_plus": 2.0, "local_minus": 0.4, "dephasing": 0.6, "pump": 0.3}
HEAT = {"thermal_0": 0.3, "thermal_plus": 0.2, "thermal_minus": 0.5}


def battery(n_atoms, **given):
    return tb.Battery(n_atoms, 1.87, 10.0 * n_atoms, 1.0, 10.0, 1.0, **given)


@pytest.mark.parametrize("name", CASES)
def test_channels_are_the_jump_operators_of_the_reference(name):
    model, _ = atoms.of_case(CASES[name])
    told = [
        (one["name"], one["kind"] == "local", "-z+".index(one["op"]) - 1)
        for one in CASES[name]["jump_operators"]
    ]
    assert [(one.name, one.local, one.shift) for one in model.channels] == told
    rates = [one["rate"] for one in CASES[name]["jump_operators"]]
    np.testing.assert_allclose([one.rate for one in model.channels], rates, rtol=1e-13)
    assert (model.theta, model.frequency) == (
        CASES[name]["frame_theta"],
        pytest.approx(CASES[name]["frame_frequency"]),
    )


@pytest.mark.parametrize("name", CASES)
def test_reference(name):
    model, initial = atoms.of_case(CASES[name])
    known = CASES[name]["result"]
    found = tb.mesolve(model, CASES[name]["parameters"]["times"], initial)
    np.testing.assert_allclose(found.energy, known["energy"], atol=1e-10)
    np.testing.assert_allclose(found.energy_variance, known["variance"], atol=1e-10)
    np.testing.assert_allclose(found.dipole, np.array(known["dipole"]) @ [1, 1j], atol=1e-10)
    np.testing.assert_allclose(found.spin_square, known["J2"], atol=1e-10)
    counts = [known["counts"][channel] for channel in model.channel_names]
    np.testing.assert_allclose(found.counts, counts, atol=1e-10)
    for p, told in zip(found.spin_distribution, known.get("p_J_piqs", ()), strict=False):
        lengths = [str(model.n_atoms - 2 * i) for i in range(p.size)]
        np.testing.assert_allclose(p, [told[n] for n in lengths], atol=1e-5)


@pytest.mark.parametrize("n_atoms", [1, 2, 3, 4])
def test_all_atoms_one_by_one(n_atoms):
    model = battery(n_atoms, **NOISY, **HEAT).charge()
    ket = tb.coherent_state(n_atoms, 2.0, 0.4)
    times = np.array([0.0, 0.02, 0.11, 0.5])
    found = tb.mesolve(model, times, ket)
    twin = atoms.Atoms(model)
    for i, rho in enumerate(twin.evolve(twin.symmetric(ket), times)):
        energy, variance, dipole, square = twin.numbers(rho)
        assert found.energy[i] == pytest.approx(energy, abs=1e-10)
        assert found.energy_variance[i] == pytest.approx(variance, abs=1e-10)
        assert found.dipole[i] == pytest.approx(dipole, abs=1e-10)
        assert found.spin_square[i] == pytest.approx(square, abs=1e-10)
        covariance = found.spin_covariance[:, :, i]
        parts = np.array([twin.x, twin.y, twin.z])
        means = np.array([twin.mean(one, rho) for one in parts])
        second = np.array([[twin.mean(a @ b, rho) for b in parts] for a in parts])
        known = ((second + second.T) / 2 - np.outer(means, means)).real
        np.testing.assert_allclose(covariance, known, atol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_work_in_every_definition(name):
    model, initial = atoms.of_case(CASES[name])
    known = CASES[name]["result"]
    found = tb.mesolve(model, CASES[name]["parameters"]["times"], initial)
    for key, work in {
        "ergotropy_blocks_piqs": found.ergotropy,
        "ergotropy_global_piqs": found.ergotropy_global,
    }.items():
        if key in known:
            np.testing.assert_allclose(work, known[key], atol=2e-5)
    if "ergotropy_global" in known:
        np.testing.assert_allclose(found.ergotropy_global, known["ergotropy_global"], atol=1e-10)
    assert np.all(found.ergotropy_rotation <= found.ergotropy + 1e-10)
    assert np.all(found.ergotropy <= found.ergotropy_global + 1e-10)
    assert np.all(found.ergotropy <= found.capacity + 1e-10)


def test_stages_hand_over_all_blocks():
    one = battery(4, **NOISY)
    steps = [(one.charge(), 0.1), (one.store(local=0.5, dephasing=0.2), 0.3)]
    steps.append((one.discharge(1.0, local=0.0, dephasing=0.0), 0.2))
    times = np.array([0.05, 0.1, 0.3, 0.4, 0.5, 0.6])
    found = tb.mesolve(tb.Protocol(steps), times)
    rho = atoms.Atoms(steps[0][0]).symmetric(tb.ground_state(4))
    begin = 0.0
    for model, duration in steps:
        twin, end = atoms.Atoms(model), begin + duration
        inside = np.flatnonzero((times > begin) & (times <= end + 1e-12))
        *states, rho = twin.evolve(rho, [*(times[inside] - begin), duration])
        for i, state in zip(inside, states, strict=True):
            energy, variance, dipole, _ = twin.numbers(state)
            assert found.energy[i] == pytest.approx(energy, abs=1e-9)
            assert found.energy_variance[i] == pytest.approx(variance, abs=1e-9)
            assert found.dipole[i] == pytest.approx(dipole, abs=1e-9)
        begin = end


@pytest.mark.parametrize("n_atoms", [7, 90])
def test_storage_in_closed_form(n_atoms):
    one = battery(n_atoms)
    ket, times = tb.coherent_state(n_atoms, 1.1, 0.3), np.array([0.1, 0.6, 2.0])
    found = tb.mesolve(one.store(local=0.8, dephasing=0.3), times, ket)
    start = tb.mesolve(one.store(), [0.0], ket)
    left = np.exp(-0.8 * times)
    np.testing.assert_allclose(found.energy, left * start.energy, rtol=1e-11)
    variance = left**2 * start.energy_variance + left * (1 - left) * start.energy
    np.testing.assert_allclose(found.energy_variance, variance, rtol=1e-10)
    turned = np.sqrt(left) * np.exp((-0.3 + 1j * one.detuning) * times) * start.dipole
    np.testing.assert_allclose(found.dipole, turned, rtol=1e-10)


def test_local_only_gives_independent_atoms():
    given = {**NOISY, "thermal_plus": 0.4}
    one, many = (tb.Battery(n, 1.87, 20.0, 0.0, 0.0, 0.0, **given).charge() for n in (1, 70))
    times = np.array([0.05, 0.4, 3.0])
    single, found = tb.mesolve(one, times), tb.mesolve(many, times)
    p = single.energy
    np.testing.assert_allclose(found.energy, 70 * p, rtol=1e-10)
    np.testing.assert_allclose(found.energy_variance, 70 * p * (1 - p), rtol=1e-9)
    np.testing.assert_allclose(found.counts, 70 * single.counts, rtol=1e-9)


def test_for_one_atom_collective_and_local_are_the_same():
    times = [0.1, 0.5]
    local = tb.mesolve(
        tb.Battery(1, 1.2, 9.0, 0, 0, 0, local_0=1.0, local_plus=2.0, local_minus=3.0).charge(),
        times,
    )
    collective = tb.mesolve(tb.Battery(1, 1.2, 9.0, 1.0, 2.0, 3.0).charge(), times)
    np.testing.assert_allclose(local.energy, collective.energy, rtol=1e-11)
    np.testing.assert_allclose(local.counts, collective.counts, rtol=1e-11)


def test_little_noise_leaves_the_ladder():
    times = np.linspace(0.0, 0.02, 5)
    clean = tb.mesolve(battery(100).charge(), times)
    noisy = tb.mesolve(battery(100, local_0=1e-9).charge(), times)
    np.testing.assert_allclose(noisy.energy, clean.energy, atol=1e-7)
    np.testing.assert_allclose(noisy.energy_variance, clean.energy_variance, atol=1e-5)


@pytest.mark.parametrize("initial", [None, tb.excited_state(150)])
def test_windows_give_what_all_levels_give(monkeypatch, initial):
    model = battery(150, **NOISY).charge()
    times = np.linspace(0.0, battery(150).charging_time, 12)
    found = tb.mesolve(model, times, initial)
    monkeypatch.setattr(local_ladder, "FEW", np.inf)
    known = tb.mesolve(model, times, initial)
    np.testing.assert_allclose(found.energy, known.energy, atol=1e-9)
    np.testing.assert_allclose(found.energy_variance, known.energy_variance, atol=1e-7)
    np.testing.assert_allclose(found.counts, known.counts, rtol=1e-9)
    assert found.dropped < 1e-11


def test_a_window_that_nobody_widens_loses_the_state(monkeypatch):
    model = battery(150, **NOISY).charge()
    times = np.linspace(0.0, battery(150).charging_time, 12)
    monkeypatch.setattr(block_windows, "EDGE", np.inf)
    monkeypatch.setattr(block_windows, "LOST", np.inf)
    assert tb.mesolve(model, times).dropped > 1e-6


def test_what_blocks_were_left_out_is_said(monkeypatch):
    from trajbatt.exact import block_model

    model = battery(50, **NOISY).charge()
    assert tb.mesolve(model, [0.1]).dropped < 1e-11
    monkeypatch.setattr(block_model, "LEFT_OUT", 0.9)
    found = tb.mesolve(model, [0.05])
    assert found.dropped == pytest.approx(1.0 - found.spin_distribution.sum(), rel=1e-9)
    assert found.dropped > 1e-3


def test_sweeps_end_in_the_factors_of_the_whole(monkeypatch):
    model = battery(30, **NOISY).charge()
    stages, _ = start(model, None, 1.0)
    system = local_ladder.LocalLadderOrders(stages[0].model, 1e-10)
    b = np.random.default_rng(1).normal(size=system.layout.stop) + 0j
    by_sweeps = system.liouvillian.resolvent(3 + 4j, 0.02)(b)
    monkeypatch.setattr(local_ladder, "MOST_SWEEPS", 1)
    by_factors = system.liouvillian.resolvent(3 + 4j, 0.02)(b)
    np.testing.assert_allclose(by_sweeps, by_factors, atol=1e-14)


def test_after_a_long_time_noise_has_its_own_steady_state():
    model = battery(12, **NOISY).charge()
    late = tb.mesolve(model, [50.0, 5000.0])
    np.testing.assert_allclose(late.spin_distribution[0], late.spin_distribution[1], atol=1e-9)
    clean = tb.steady_state(battery(12).charge())
    assert abs(late.spin_length[1] - 6.0) > 1.0
    assert clean.energy / 12 - late.energy.max() / 12 > 0.05


def test_waste_is_emitted_less_absorbed():
    found = tb.mesolve(battery(6, **NOISY, **HEAT).charge(), [0.2])
    sign = [0 if "dephasing" in c or "pump" in c else -1 if "absorbed" in c else 1
            for c in found.channels]  # fmt: skip
    assert found.waste[0] == pytest.approx(sign @ found.counts[:, 0] / found.energy[0])
    assert np.count_nonzero(np.array(sign) < 0) == 6


def test_heat_alone_is_a_plain_ladder():
    model = battery(10, **HEAT).charge()
    assert isinstance(model, tb.LadderModel)
    one = battery(10, **HEAT)
    down, up, _ = one.dressed_rates
    assert one.gamma_net == pytest.approx(down - up)
    assert tb.steady_state(model).x == pytest.approx(down / up)


def test_rates_that_make_no_sense_are_refused():
    for name in (*NOISY, *HEAT):
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            battery(3, **{**NOISY, **HEAT, name: -0.1})
    with pytest.raises(ValueError, match="`dephasing_omega` must come with `dephasing`"):
        battery(3, dephasing_omega=0.3)
    with pytest.raises(ValueError, match="must be true with noise of single atoms"):
        replace(battery(3), gamma_plus=1.0, local_0=1.0).charge(secular=False)


def test_one_late_time_is_that_of_many():
    model, end = battery(400, **NOISY).charge(), battery(400).charging_time
    once = tb.mesolve(model, [end])
    often = tb.mesolve(model, np.linspace(0.0, end, 60))
    assert once.energy[0] == pytest.approx(often.energy[-1], abs=1e-7)
    assert once.energy_variance[0] == pytest.approx(often.energy_variance[-1], abs=1e-5)
    assert once.dropped < 1e-10


@pytest.mark.parametrize("way", ["charge", "discharge"])
def test_a_steady_state_with_noise_begins(way):
    one = battery(5, **NOISY)
    state = tb.steady_state(one.charge())
    model, times = getattr(one, way)(), [0.0, 0.1]
    exact = tb.mesolve(model, times, state, covariances=True)
    assert exact.energy[0] == pytest.approx(state.energy, abs=1e-11)
    assert exact.energy_variance[0] == pytest.approx(state.energy_variance, abs=1e-10)
    np.testing.assert_allclose(exact.spin_distribution[0], state.spin_distribution, atol=1e-12)
    if way == "charge":
        np.testing.assert_allclose(exact.energy, state.energy, atol=1e-9)
    runs = tb.mcsolve(model, times, 2000, state, seed=3)
    assert tb.compare(runs, exact).p_value > 1e-3
    p = tb.counting.distribution(model, 0.1, model.channel_names[0], initial=state)
    assert p @ np.arange(p.size) == pytest.approx(exact.counts[0, 1], rel=1e-8)
    with pytest.raises(ValueError, match="`initial` must have J = N/2"):
        tb.mesolve(battery(5).charge(), times, state)
