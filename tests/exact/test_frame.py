"""The driven Eq. (5) in the co-moving frame, against references and the whole density matrix."""

import numpy as np
import pytest
from oracle import dense, references

import trajbatt as tb
from trajbatt.exact import tensors
from trajbatt.numerics import frame


def large(case):
    return tb.Battery(case["n_atoms"], case["theta"], case["omega_p"]).charge(secular=False)


def name(case):
    return f"{case['n_atoms']}-{case['set'].replace(' ', '-')}"


@pytest.mark.parametrize("method", [None, "frame"])
@pytest.mark.parametrize("case", references.load_large(), ids=name)
def test_references_of_many_atoms(case, method):
    n = case["n_atoms"]
    exact = tb.mesolve(large(case), case["times"], covariances=True, method=method)
    assert exact.method == (method or ("tensors" if n == 100 else "frame"))
    dipole = np.array(case["dipole_real"]) + 1j * np.array(case["dipole_imag"])
    np.testing.assert_allclose(exact.energy, case["energy"], rtol=0, atol=2e-12 * n)
    np.testing.assert_allclose(exact.dipole, dipole, rtol=0, atol=2e-12 * n)
    np.testing.assert_allclose(exact.energy_variance, case["energy_variance"], 0, 1e-10 * n)
    most = max(case["counts"])
    np.testing.assert_allclose(exact.counts[0], case["counts"], rtol=0, atol=1e-11 * most)
    variance = np.array(case["counts_variance"])
    np.testing.assert_allclose(exact.counts_covariance[0, 0], variance, 0, 1e-9 * variance.max())


def test_references_miss_another_model():
    case = references.load_large()[0]
    model = large(case).with_parameters(theta=case["theta"] + 1e-7)
    exact = tb.mesolve(model, case["times"])
    assert np.abs(exact.energy - case["energy"]).max() > 2e-12 * case["n_atoms"]


DRIVES = [(1.2, 30.0), (np.pi / 2, 8.0), (np.pi / 2, 60.0), (2.4, 20.0), (0.3, 9.0)]


@pytest.mark.parametrize(("theta", "omega_p"), DRIVES)
@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_everything_against_a_dense_liouvillian(n, theta, omega_p):
    battery = tb.Battery(n, theta, omega_p, 0.7, 0.7, 0.7)
    model, times = battery.charge(secular=False), np.array([0.0, 0.03, 0.2, 0.9])
    _, j_plus = dense.spin_operators(n)
    twin = dense.Twin([dense.driving(battery, np.inf)])
    for initial in (tb.ground_state(n), tb.coherent_state(n, 2.0, 0.6), dense.mixed(n)):
        rho_0 = initial if initial.ndim == 2 else np.outer(initial, initial.conj())
        exact = tb.mesolve(model, times, initial, True, True, rtol=1e-12, method="frame")
        assert exact.method == "frame"
        whole = tb.mesolve(model, times, initial, True, rtol=1e-12, method="banded")
        for i, time in enumerate(times):
            rho = twin.evolve(rho_0, 0.0, time)
            np.testing.assert_allclose(exact.states[i], rho, atol=2e-11)
            assert exact.dipole[i] == pytest.approx(np.trace(rho @ j_plus), abs=2e-11)
            found = exact.energy_distribution[i]
            np.testing.assert_allclose(found, rho.diagonal().real, atol=2e-11)
        np.testing.assert_allclose(exact.counts, whole.counts, atol=2e-10)
        np.testing.assert_allclose(exact.counts_covariance, whole.counts_covariance, atol=2e-9)
        np.testing.assert_allclose(exact.products, whole.products, atol=1e-10)
        np.testing.assert_allclose(exact.energy_variance, whole.energy_variance, atol=1e-10)
        for what in ("ergotropy", "ergotropy_global", "capacity", "qfi"):
            close = {"atol": 1e-8 if what == "qfi" else 1e-9}
            np.testing.assert_allclose(getattr(exact, what), getattr(whole, what), **close)


@pytest.mark.parametrize("n", [60, 90])
@pytest.mark.parametrize(("theta", "drive"), [(0.5, 4.0), (1.2, 4.0), (2.0, 4.0), (np.pi / 2, 0.3)])
def test_the_frame_and_the_whole_matrix_agree(n, theta, drive):
    model = tb.Battery(n, theta, drive * n).charge(secular=False)
    times = np.linspace(0.0, 8.0 / n, 9)
    exact = tb.mesolve(model, times, covariances=True, method="frame")
    whole = tb.mesolve(model, times, covariances=True, method="banded")
    assert exact.method == "frame"
    assert whole.method == "banded"
    for what in ("energy", "energy_variance", "dipole", "energy_distribution"):
        found, expected = getattr(exact, what), getattr(whole, what)
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-10 * n)
    # N + 1 eigenvalues, noise of the whole matrix most of them, count up to N times in it.
    np.testing.assert_allclose(exact.ergotropy, whole.ergotropy, rtol=0, atol=1e-9 * n**2)
    np.testing.assert_allclose(exact.counts, whole.counts, rtol=1e-9)
    np.testing.assert_allclose(exact.counts_covariance, whole.counts_covariance, rtol=1e-8)


def test_a_state_that_spreads_is_solved_whole():
    # Inverted atoms: the direction in which they fall is not known.
    model, times = tb.Battery(60, 1.2, 120.0).charge(secular=False), np.linspace(0.0, 0.2, 5)
    exact = tb.mesolve(model, times, tb.excited_state(60), covariances=True)
    whole = tb.mesolve(model, times, tb.excited_state(60), covariances=True, method="banded")
    assert exact.method == "tensors"
    np.testing.assert_allclose(exact.energy, whole.energy, rtol=1e-11)
    np.testing.assert_allclose(exact.counts_covariance, whole.counts_covariance, rtol=1e-12)
    forced = tb.mesolve(model, times, tb.excited_state(60), covariances=True, method="frame")
    np.testing.assert_allclose(forced.energy_variance, whole.energy_variance, atol=60 * 2e-10)
    np.testing.assert_allclose(forced.counts_covariance, whole.counts_covariance, atol=1e-5)


def test_more_levels_and_atoms_than_there_can_be():
    model = tb.Battery(2500, np.pi / 2, 4.0 * 2500).charge(secular=False)
    with pytest.raises(ValueError, match="full density matrices are offered up to 2000"):
        tb.mesolve(model, [1e-4], keep_states=True)


@pytest.mark.parametrize("secular", [True, False])
def test_protocols_hand_the_frame_on(secular):
    battery, n = tb.Battery(64, 1.2, 250.0), 64
    other = tb.Battery(64, 0.8, 220.0)
    steps = [
        (battery.charge(secular=False), 0.05),
        (other.charge(secular=secular), 0.04),
        (battery.store(), 0.01),
        (battery.discharge(), 0.1),
    ]
    protocol, times = tb.Protocol(steps), np.linspace(0.0, 0.2, 21)
    exact = tb.mesolve(protocol, times, covariances=True, method="frame")
    whole = tb.mesolve(protocol, times, covariances=True, method="banded")
    assert exact.method == "frame and ladder"
    assert whole.method == "banded and ladder"
    for what in ("energy", "energy_variance", "dipole"):
        found, expected = getattr(exact, what), getattr(whole, what)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * n)
    np.testing.assert_allclose(exact.counts, whole.counts, atol=1e-8)
    covariances = exact.counts_covariance, whole.counts_covariance
    np.testing.assert_allclose(*covariances, rtol=0, atol=1e-7 * covariances[1].max())


def test_a_million_atoms():
    # Of N^2 gamma t << 1 photons or more the mean field rules, at any N alike.
    found = []
    for n in (10**5, 10**6):
        model = tb.Battery(n, 1.2, 2.0 * n).charge(secular=False)
        times = np.linspace(0.0, 6.0 / n, 5)
        found.append(tb.mesolve(model, times, rtol=1e-8))
    small, large = found
    np.testing.assert_allclose(small.energy / 1e5, large.energy / 1e6, atol=3e-5)
    np.testing.assert_allclose(small.energy_variance / 1e5, large.energy_variance / 1e6, atol=1e-4)
    np.testing.assert_allclose(small.counts / 1e5, large.counts / 1e6, atol=1e-4)
    assert large.ergotropy[-1] == pytest.approx(large.energy[-1], rel=1e-5)


@pytest.mark.parametrize("case", references.load_large()[:5], ids=name)
def test_tensors_agree_with_references(case):
    n = case["n_atoms"]
    exact = tb.mesolve(large(case), case["times"], method="tensors")
    assert exact.method == "tensors"
    dipole = np.array(case["dipole_real"]) + 1j * np.array(case["dipole_imag"])
    np.testing.assert_allclose(exact.energy, case["energy"], rtol=0, atol=1e-12 * n)
    np.testing.assert_allclose(exact.dipole, dipole, rtol=0, atol=1e-12 * n)
    np.testing.assert_allclose(exact.energy_variance, case["energy_variance"], 0, 1e-10 * n)
    most = max(case["counts"])
    np.testing.assert_allclose(exact.counts[0], case["counts"], rtol=0, atol=1e-12 * most)


@pytest.mark.parametrize("n", [1, 2, 12])
@pytest.mark.parametrize(("theta", "omega_p"), DRIVES)
@pytest.mark.parametrize("initial", ["ground", "excited", "tilted"])
def test_tensors_and_the_whole_matrix_agree(n, theta, omega_p, initial):
    model, times = tb.Battery(n, theta, omega_p).charge(secular=False), np.linspace(0.0, 1.0, 7)
    start = {
        "ground": tb.ground_state(n),
        "excited": tb.excited_state(n),
        "tilted": tb.coherent_state(n, 2.0, 0.7),
    }[initial]
    exact = tb.mesolve(model, times, start, rtol=1e-12, method="tensors")
    whole = tb.mesolve(model, times, start, rtol=1e-12, method="banded")
    assert exact.method == "tensors"
    for what in ("energy", "energy_variance", "dipole", "products"):
        found, expected = getattr(exact, what), getattr(whole, what)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * n)
    np.testing.assert_allclose(exact.counts, whole.counts, atol=1e-10 * n)
    # What needs the state is solved in another way.
    np.testing.assert_allclose(exact.ergotropy, whole.ergotropy, atol=1e-8)


@pytest.mark.parametrize(
    ("n", "drive", "expected"),
    [(49, 4.0, "banded"), (50, 4.0, "tensors"), (60, 11.0, "frame"), (101, 4.0, "frame")],
)
def test_the_fastest_way_is_chosen(n, drive, expected):
    model, times = tb.Battery(n, 1.2, drive * n).charge(secular=False), [0.0, 0.01]
    assert tb.mesolve(model, times).method == expected
    # A state, and light that is warm, are more than tensors have.
    if expected == "tensors":
        assert tb.mesolve(model, times, keep_states=True).method == "frame"
        warm = tb.DrivenDicke(n, 200.0, 50.0, thermal=0.1)
        assert tb.mesolve(warm, times).method == "frame"


def driven_stages(name):
    """Return a protocol whose stages are driven in several ways, and how it is solved."""
    n = 60
    slow, fast = (tb.Battery(n, 1.2, drive * n).charge(secular=False) for drive in (4.0, 11.0))
    warm = tb.DrivenDicke(n, 200.0, 50.0, thermal=0.1)
    if name == "ramp":
        battery = tb.Battery(n, 1.2, 4.0 * n)
        return battery.ramp(0.03, theta=(0.6, 1.5), stages=5, secular=False), "tensors"
    stages, method = {
        "fast between": ((slow, fast, slow), "tensors"),
        "fast first": ((fast, slow), "frame"),
        "warm between": ((slow, warm, slow), "frame"),
        "dark at last": ((slow, tb.Battery(n, 1.2, 4.0 * n).discharge()), "frame and ladder"),
    }[name]
    return tb.Protocol([(model, 0.01) for model in stages]), method


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize(
    "name", ["ramp", "fast between", "fast first", "warm between", "dark at last"]
)
def test_driven_stages_hand_over_what_the_next_one_takes(name, mixed):
    protocol, method = driven_stages(name)
    times = np.linspace(0.0, 0.02, 11)
    initial = np.diag(np.r_[0.7, 0.0, 0.3, np.zeros(58)]).astype(complex) if mixed else None
    exact = tb.mesolve(protocol, times, initial)
    whole = tb.mesolve(protocol, times, initial, method="banded")
    assert exact.method == (method.replace("tensors", "frame") if mixed else method)
    for what in ("energy", "energy_variance", "dipole", "products", "counts"):
        np.testing.assert_allclose(getattr(exact, what), getattr(whole, what), 0, 1e-8)
    # Whole matrices go on through all stages where they are wanted.
    found = exact.energy_distribution
    np.testing.assert_allclose(found, whole.energy_distribution, rtol=0, atol=1e-9)


def test_many_inverted_atoms():
    # They spread over the sphere as they fall: neither frame nor whole matrix can follow.
    n = 2500
    model, times = tb.Battery(n, np.pi / 2, 100.0).charge(secular=False), np.array([0.5, 2.0]) / n
    exact = tb.mesolve(model, times, tb.excited_state(n), rtol=1e-8)
    assert exact.method == "tensors"
    runs = tb.mcsolve(tb.Battery(n, 0.0, 0.0).discharge(), times, 400, tb.excited_state(n), seed=1)
    # So weak a drive changes little in so short a time.
    np.testing.assert_allclose(exact.energy, runs.energy, atol=0.02 * n)
    with pytest.raises(ValueError, match="full density matrices are offered up to 2000"):
        tb.mesolve(model, times, tb.excited_state(n), covariances=True)


def test_methods_are_checked():
    model = tb.Battery(5, 1.2, 12.0).charge(secular=False)
    with pytest.raises(ValueError, match="`method` must be 'frame', 'tensors' or 'banded'"):
        tb.mesolve(model, [0.1], method="fram")
    ladder = tb.Battery(5, 1.2, 12.0).charge()
    with pytest.raises(ValueError, match="`method` must be left out without the driven Eq"):
        tb.mesolve(ladder, [0.1], method="frame")
    assert tb.mesolve(ladder, [0.1]).method == "ladder"
    assert tb.mesolve(model, [0.1]).method == "banded"


@pytest.mark.parametrize("polar", [0.0, 0.4, np.pi / 2, 2.9, np.pi])
@pytest.mark.parametrize("levels", [3, 8])
def test_kets_of_a_frame(polar, levels):
    n, rng = 7, np.random.default_rng(3)
    around, after = rng.uniform(0.0, 6.0, 2)

    def about_z(angle):
        cos, sin = np.cos(angle), np.sin(angle)
        return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])

    cos, sin = np.cos(polar), np.sin(polar)
    about_y = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    matrix = about_z(around) @ about_y @ about_z(after)
    kets = frame.kets(n, matrix, levels)
    j_z, j_plus = dense.spin_operators(n)
    spins = np.array([(j_plus + j_plus.T) / 2, (j_plus - j_plus.T) / 2j, j_z])
    np.testing.assert_allclose(kets.conj().T @ kets, np.eye(levels), atol=1e-13)
    for row, spin in zip(matrix, spins, strict=True):
        turned = np.einsum("a,aij->ij", row, spins)[:levels, :levels]
        np.testing.assert_allclose(kets.conj().T @ spin @ kets, turned, atol=1e-12)


@pytest.mark.parametrize("rtol", [1e-5, 1e-8])
@pytest.mark.parametrize("seed", range(6))
def test_tensors_are_as_accurate_as_is_asked(seed, rtol):
    rng = np.random.default_rng(seed)
    n, theta, drive = int(rng.integers(50, 101)), rng.uniform(0.05, 3.1), 10.0 ** rng.uniform(-1, 1)
    model, times = tb.Battery(n, theta, drive * n).charge(secular=False), np.geomspace(0.02, 5.0, 9)
    start = (tb.ground_state(n), tb.coherent_state(n, rng.uniform(0.0, 3.0), 1.0))[seed % 2]
    found = tb.mesolve(model, times / n, start, rtol=rtol, method="tensors")
    exact = tb.mesolve(model, times / n, start, rtol=1e-12, method="banded")
    for what in ("energy", "energy_variance", "dipole", "products", "counts"):
        np.testing.assert_allclose(
            getattr(found, what), getattr(exact, what), rtol=0, atol=3.0 * rtol * n, err_msg=what
        )


@pytest.mark.parametrize(
    ("theta", "drive", "start"), [(np.pi / 2, 0.5834, (0.0457, 5.6)), (3.1, 4.792, None)]
)
def test_tensors_of_the_hardest_states_found(monkeypatch, theta, drive, start):
    n, rtol = 70, 1e-8
    model, times = tb.Battery(n, theta, drive * n).charge(secular=False), np.geomspace(0.02, 20, 13)
    initial = None if start is None else tb.coherent_state(n, *start)

    def off(wanted):
        found = tb.mesolve(model, times / n, initial, rtol=wanted, method="tensors")
        return np.abs(found.energy_variance - exact).max()

    exact = tb.mesolve(model, times / n, initial, rtol=1e-12, method="tensors").energy_variance
    assert off(rtol) < rtol * n
    # Fewer ranks are not enough.
    for name in ("AT_POLE", "ELSEWHERE"):
        monkeypatch.setattr(tensors, name, (1.0, -1.0))
    assert off(rtol) > 10.0 * rtol * n
