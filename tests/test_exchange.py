"""Clicks to and from arrays, files and QuTiP; models as QuTiP takes them."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import dense
import h5py
import numpy as np
import pytest
from scipy.linalg import expm

import trajbatt as tb
from trajbatt import exchange

NAMES = ("red", "center", "blue")
BATTERY = tb.Battery(3, 1.87, 30.0, 1.5, 10.0, 0.7)


def some_clicks(seed):
    """Clicks of any kind: few or many, of dark trajectories, with dark channels, at equal times."""
    rng = np.random.default_rng(seed)
    names = [NAMES, ("all",), ("red", "center", "blue", "dis"), ("H", "V")][seed % 4]
    sizes = rng.poisson([0.5, 3, 20][seed % 3], rng.integers(1, 9))
    duration = 10.0 ** rng.uniform(-6, 6)
    times = [np.sort(rng.random(size)) * duration for size in sizes]
    if seed % 5 == 0:
        times = [np.floor(8 * one / duration) * duration / 8 for one in times]
    return tb.Clicks(
        np.repeat(np.arange(sizes.size), sizes),
        np.concatenate(times),
        rng.integers(0, rng.integers(1, len(names) + 1), sizes.sum()).astype(np.int8),
        names,
        ntraj=sizes.size,
        duration=duration,
    )


def same(a, b, rounding=0.0):
    np.testing.assert_array_equal(a.trajectory, b.trajectory)
    np.testing.assert_allclose(a.time, b.time, rtol=0.0, atol=rounding)
    np.testing.assert_array_equal(a.channel, b.channel)
    assert a.channels == b.channels
    assert (a.first, a.ntraj) == (b.first, b.ntraj)
    assert a.duration == pytest.approx(b.duration, rel=1e-15)
    for name in ("trajectory", "time", "channel"):
        assert getattr(a, name).dtype == getattr(b, name).dtype


def of_rows(*rows, channels=NAMES, **more):
    trajectory, time, name = zip(*rows, strict=True)
    return tb.Clicks(
        np.array(trajectory),
        np.array(time, dtype=float),
        np.array([channels.index(one) for one in name], dtype=np.int8),
        channels,
        **more,
    )


# Arrays -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(24))
def test_round_trips(seed, tmp_path):
    clicks = some_clicks(seed)
    array = exchange.to_structured(clicks)
    assert array.dtype.names == ("trajectory", "time", "channel")
    assert array.channel.tolist() == [clicks.channels[i] for i in clicks.channel]
    known = {"channels": clicks.channels, "ntraj": clicks.ntraj, "duration": clicks.duration}
    same(exchange.from_structured(array, **known), clicks)

    exchange.write_csv(clicks, tmp_path / "clicks.csv")
    same(exchange.read_csv(tmp_path / "clicks.csv"), clicks)

    for unit in (1.0, 2.5e-6):
        exchange.write_photon_hdf5(clicks, tmp_path / "clicks.h5", time_unit=unit)
        back = exchange.read_photon_hdf5(tmp_path / "clicks.h5", time_unit=unit)
        same(back, clicks, rounding=1e-15 * clicks.duration)
    tick = clicks.duration / 1000
    exchange.write_photon_hdf5(clicks, tmp_path / "rough.h5", tick=tick)
    same(exchange.read_photon_hdf5(tmp_path / "rough.h5"), clicks, rounding=0.50001 * tick)


def test_trajectories_of_a_run_count_from_zero_in_files(tmp_path):
    runs = tb.mcsolve(BATTERY.charge(), [0.4], 60, seed=1, keep_clicks=True)
    part = runs.clicks.of_trajectories(20, 25)
    expected = replace(part, trajectory=part.trajectory - 20, first=0)
    exchange.write_csv(part, tmp_path / "part.csv")
    same(exchange.read_csv(tmp_path / "part.csv"), expected)
    exchange.write_photon_hdf5(part, tmp_path / "part.h5")
    same(exchange.read_photon_hdf5(tmp_path / "part.h5"), expected, rounding=1e-15)
    # Sixty trajectories of three channels have more detectors than a byte counts.
    exchange.write_photon_hdf5(runs.clicks, tmp_path / "all.h5")
    same(exchange.read_photon_hdf5(tmp_path / "all.h5"), runs.clicks, rounding=1e-15)


def structured(*rows):
    return np.array(
        list(rows), dtype=[("trajectory", np.int32), ("time", np.float64), ("channel", "U8")]
    )


def test_arrays_of_others():
    array = structured((4, 1.0, "blue"), (0, 3.0, "red"), (4, 2.5, "red"), (0, 3.0, "blue"))
    clicks = exchange.from_structured(array)
    # Sorted by trajectory; known channels by their frequency.
    expected = of_rows(
        (0, 3.0, "red"), (0, 3.0, "blue"), (4, 1.0, "blue"), (4, 2.5, "red"),
        channels=("red", "blue"), ntraj=5, duration=3.0,
    )  # fmt: skip
    same(clicks, expected)
    # Others as they come; without trajectories, of one.
    array = np.array(
        [("V", 1.0), ("blue", 1.5), ("H", 2.0)], dtype=[("channel", "U4"), ("time", "f4")]
    )
    clicks = exchange.from_structured(array)
    assert clicks.channels == ("blue", "V", "H")
    assert clicks.channel.tolist() == [1, 0, 2]
    assert (clicks.ntraj, clicks.duration) == (1, 2.0)
    clicks = exchange.from_structured(array, ("H", "V", "blue"), ntraj=3, duration=7)
    assert clicks.channel.tolist() == [1, 2, 0]
    assert (clicks.ntraj, clicks.duration) == (3, 7.0)
    # A time past the end by rounding is at the end.
    array = structured((0, 0.1 + 0.2, "red"))
    assert exchange.from_structured(array, duration=0.3).time[0] == 0.3


def test_structured_clicks_go_wherever_clicks_do():
    runs = tb.mcsolve(BATTERY.charge(), [0.4], 3, seed=1, keep_clicks=True)
    record = runs.clicks.of_trajectory(1)
    a, b = (
        tb.filter(BATTERY.charge(), one, [0.4]) for one in (record, exchange.to_structured(record))
    )
    assert a.log_likelihood == b.log_likelihood


@pytest.mark.parametrize(
    ("array", "more", "message"),
    [
        (np.zeros(3), {}, r"`array` must have the field 'time', but has \(\)"),
        (
            np.zeros(1, dtype=[("time", float), ("line", int)]),
            {},
            r"`array` must have the field 'channel', but has \('time', 'line'\)",
        ),
        (structured((-2, 1.0, "red")), {}, "clicks must have trajectories >= 0, but click 0 has -"),
        (
            structured((0, 1.0, "red"), (0, -0.5, "red")),
            {},
            "clicks must have finite times >= 0, but click 1 is at -0.5",
        ),
        (
            structured((0, 1.0, "red"), (0, np.nan, "red")),
            {},
            "clicks must have finite times >= 0, but click 1 is at nan",
        ),
        (structured((0, np.inf, "red")), {}, "clicks must have finite times >= 0, but click 0 is "),
        (
            structured((1, 1.0, "red"), (0, 2.0, "red"), (1, 0.5, "red")),
            {},
            "clicks must be in the order of time, but click 2 at 0.5 follows one at",
        ),
        (
            structured((0, 1.0, "red"), (0, 2.0, "green")),
            {"channels": NAMES},
            "clicks must be of the channels 'red', 'center', 'blue', but click 1 is of .*green",
        ),
        (
            structured((0, 1.0, "red"), (7, 2.0, "red")),
            {"ntraj": 7},
            "clicks must be of the trajectories 0 to 6, but click 1 has 7",
        ),
        (
            structured((0, 1.0, "red"), (0, 2.0, "red")),
            {"duration": 1.5},
            "clicks must end by 1.5, but click 1 is at 2.0",
        ),
        (structured((0, 1.0, "red")), {"ntraj": 0}, "`ntraj` must be a positive integer, but is 0"),
        (
            structured((0, 1.0, "red")),
            {"duration": -1.0},
            "`duration` must be a finite number, zero or positive, but is -1.0",
        ),
    ],
)
def test_bad_arrays(array, more, message):
    with pytest.raises((ValueError, TypeError), match=message):
        exchange.from_structured(array, **more)


# Text ---------------------------------------------------------------------------------------------


def test_the_lines_of_a_file(tmp_path):
    clicks = of_rows((2, 0.1, "red"), (4, 1 / 3, "blue"), first=2, ntraj=4, duration=2.0)
    exchange.write_csv(clicks, tmp_path / "clicks.csv")
    lines = (tmp_path / "clicks.csv").read_text().split("\n")
    assert lines == [
        f"# trajbatt {tb.__version__} clicks",
        "# channels: red, center, blue",
        "# ntraj: 4",
        "# duration: 2.0",
        "trajectory,time,channel",
        "0,0.1,red",
        "2,0.3333333333333333,blue",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("time,channel\n0.5,red\n1e0,blue\n", {},
         of_rows((0, 0.5, "red"), (0, 1.0, "blue"), channels=("red", "blue"))),
        ("channel , detector,time\r\nblue,7, .5\r\n", {},
         of_rows((0, 0.5, "blue"), channels=("blue",))),
        ("trajectory,time,channel\n3,2,V\n\n1,2,H\n# later\n1,2,V\n", {},
         of_rows((1, 2, "H"), (1, 2, "V"), (3, 2, "V"), channels=("V", "H"), ntraj=4)),
        ("# channels: red, blue\n# ntraj: 3\n# duration: 9\ntime,channel\n1,blue\n", {},
         of_rows((0, 1, "blue"), channels=("red", "blue"), ntraj=3, duration=9.0)),
        ("# channels: red, blue\n# ntraj: 3\n# duration: 9\ntime,channel\n1,blue\n",
         {"channels": ("blue", "red"), "ntraj": 2, "duration": 8.0},
         of_rows((0, 1, "blue"), channels=("blue", "red"), ntraj=2, duration=8.0)),
        ("# measured on Monday: run 7\n\ntime,channel\n", {"channels": ("a",), "duration": 3.0},
         of_rows((0, 1, "a"), channels=("a",), ntraj=1, duration=3.0).where(slice(0))),
    ],
)  # fmt: skip
def test_files_of_others(text, more, expected, tmp_path):
    (tmp_path / "clicks.csv").write_text(text)
    same(exchange.read_csv(tmp_path / "clicks.csv", **more), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"clicks\.csv must have a line that names its columns, but has none"),
        ("# only\n\n", "must have a line that names its columns, but has none"),
        ("0.1,red\n", r"must have the column 'time', but has 0\.1, red"),
        ("time;channel\n1;red\n", "must have the column 'time', but has time;channel"),
        ("time\n1\n", "must have the column 'channel', but has time"),
        ("time,channel\n1,red\n# x\nsoon,red\n", r"must hold a number .* but line 4 is 'soon,red'"),
        ("time,channel\n1,red\n\n2\n", "must hold a number .* but line 4 is '2'"),
        ("trajectory,time,channel\nx,1,red\n", "must hold a number .* but line 2 is 'x,1,red'"),
        ("time,channel\n-1,red\n", "clicks must have finite times >= 0, but line 2 is at -1.0"),
        ("time,channel\n2,red\n1,red\n", "must be in the order of time, but line 3 at 1.0"),
        ("# ntraj: 0\ntime,channel\n1,red\n", "`ntraj` must be a positive integer, but is 0"),
        (
            "# duration: 1\n# ntraj: 2\ntime,channel\n1,red\n2,red\n",
            "clicks must end by 1, but line 5 is at 2.0",
        ),
        (
            "# channels: red\ntime,channel\n1,red\n2,blue\n",
            "clicks must be of the channels 'red', but line 4 is of 'blue'",
        ),
    ],
)
def test_bad_files(text, message, tmp_path):
    (tmp_path / "clicks.csv").write_text(text)
    with pytest.raises((ValueError, TypeError), match=message):
        exchange.read_csv(tmp_path / "clicks.csv")


def test_files_that_are_not_there(tmp_path):
    for read in (exchange.read_csv, exchange.read_photon_hdf5):
        with pytest.raises(OSError, match="nothing"):
            read(tmp_path / "nothing")


@pytest.mark.parametrize(
    "write", [exchange.to_structured, exchange.write_csv, exchange.write_photon_hdf5]
)
def test_only_clicks_are_written(write, tmp_path):
    place = [] if write is exchange.to_structured else [tmp_path / "file"]
    with pytest.raises(TypeError, match="`clicks` must be the clicks of a run with keep_clicks"):
        write(None, *place)
    assert not list(tmp_path.iterdir())


# Photon-HDF5 --------------------------------------------------------------------------------------


def test_one_trajectory_as_the_format_has_it(tmp_path):
    clicks = of_rows((5, 0.25, "blue"), (5, 1.0, "red"), first=5, ntraj=1, duration=2.0)
    exchange.write_photon_hdf5(clicks, tmp_path / "one.h5", time_unit=1e-6, tick=1e-9)
    with h5py.File(tmp_path / "one.h5") as file:
        photons = file["photon_data"]
        assert photons["timestamps"].dtype == np.int64
        assert photons["timestamps"][:].tolist() == [250, 1000]
        assert photons["timestamps_specs/timestamps_unit"][()] == 1e-9
        assert photons["detectors"][:].tolist() == [2, 0]
        detectors = file["setup/detectors"]
        assert detectors["id"][:].tolist() == [0, 1, 2]
        assert detectors["label"][:].tolist() == [b"red", b"center", b"blue"]
        assert detectors["counts"][:].tolist() == [1, 0, 1]
        assert detectors["spot"][:].tolist() == [0, 0, 0]
        assert file["acquisition_duration"][()] == 2e-6
        assert file["identity/format_name"][()] == b"Photon-HDF5"
        assert file["identity/format_version"][()] == b"0.5"
        assert file["identity/software"][()] == b"trajbatt"
        assert file["identity/filename"][()] == b"one.h5"
        setup = {name: file[f"setup/{name}"][()] for name in file["setup"] if name != "detectors"}
        assert (setup["num_pixels"], setup["num_spots"], setup["num_spectral_ch"]) == (3, 1, 3)
        assert (setup["num_polarization_ch"], setup["num_split_ch"]) == (1, 1)
        assert not setup["modulated_excitation"]
        assert not setup["lifetime"]
        assert setup["excitation_cw"].tolist() == [True]

        # Every field says what it is.
        def described(_, item):
            assert item.attrs["TITLE"]

        file.visititems(described)
        assert file.attrs["TITLE"]
    # In seconds, if nothing else is asked for.
    np.testing.assert_allclose(
        exchange.read_photon_hdf5(tmp_path / "one.h5").time, [0.25e-6, 1e-6], rtol=1e-12
    )


def test_trajectories_are_spots(tmp_path):
    clicks = of_rows((0, 0.5, "b"), (2, 1.0, "a"), (2, 1.5, "b"), channels=("a", "b"), ntraj=4,
                     duration=2.0)  # fmt: skip
    exchange.write_photon_hdf5(clicks, tmp_path / "spots.h5", tick=0.5)
    with h5py.File(tmp_path / "spots.h5") as file:
        assert "photon_data" not in file
        stamps = [file[f"photon_data{i}/timestamps"][:].tolist() for i in range(4)]
        assert stamps == [[1], [], [2, 3], []]
        ids = [file[f"photon_data{i}/detectors"][:].tolist() for i in range(4)]
        assert ids == [[1], [], [4, 5], []]
        detectors = file["setup/detectors"]
        assert detectors["id"][:].tolist() == list(range(8))
        assert detectors["label"][:].tolist() == [b"a", b"b"] * 4
        assert detectors["spot"][:].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
        assert detectors["counts"][:].tolist() == [0, 1, 0, 0, 1, 1, 0, 0]
        assert file["setup/num_spots"][()] == 4
        assert file["setup/num_pixels"][()] == 8
    same(exchange.read_photon_hdf5(tmp_path / "spots.h5"), clicks)


def photon_file(path, detectors=None, timestamps=(3, 4, 10), **fields):
    with h5py.File(path, "w") as file:
        file["photon_data/timestamps"] = np.array(timestamps)
        file["photon_data/timestamps_specs/timestamps_unit"] = 0.5
        if detectors is not None:
            file["photon_data/detectors"] = np.array(detectors, dtype=np.uint8)
        for name, value in fields.items():
            file[name.replace("__", "/")] = value


def test_photon_files_of_others(tmp_path):
    path = tmp_path / "other.h5"
    photon_file(path)
    expected = of_rows((0, 1.5, "0"), (0, 2.0, "0"), (0, 5.0, "0"), channels=("0",))
    same(exchange.read_photon_hdf5(path), expected)
    assert exchange.read_photon_hdf5(path, channels=["all"]).channels == ("all",)
    assert exchange.read_photon_hdf5(path, time_unit=0.1).time.tolist() == [15.0, 20.0, 50.0]
    photon_file(path, [7, 2, 7], acquisition_duration=8.0)
    found = exchange.read_photon_hdf5(path)
    assert (found.channels, found.channel.tolist()) == (("2", "7"), [1, 0, 1])
    assert found.duration == 8.0
    assert exchange.read_photon_hdf5(path, time_unit=2.0).duration == 4.0
    found = exchange.read_photon_hdf5(path, channels=("red", "blue"))
    assert (found.channels, found.channel.tolist()) == (("red", "blue"), [1, 0, 1])
    # A detector that saw nothing is one, too.
    photon_file(path, [7, 2, 7], setup__detectors__id=np.array([2, 5, 7]))
    assert exchange.read_photon_hdf5(path).channels == ("2", "5", "7")
    photon_file(
        path,
        [7, 2, 7],
        setup__detectors__id=np.array([2, 5, 7]),
        setup__detectors__label=np.array([b"D", b"A", b"D"]),
    )
    found = exchange.read_photon_hdf5(path)
    assert (found.channels, found.channel.tolist()) == (("D", "A"), [0, 0, 0])


def test_bad_photon_files(tmp_path):
    path = tmp_path / "bad.h5"
    path.write_text("time,channel\n")
    with pytest.raises(ValueError, match=r"bad\.h5 must be a Photon-HDF5 file, but"):
        exchange.read_photon_hdf5(path)
    with h5py.File(path, "w") as file:
        file["other"] = 1
    with pytest.raises(ValueError, match=r"must be a Photon-HDF5 file, but has no group photon_da"):
        exchange.read_photon_hdf5(path)
    photon_file(path, timestamps=(3, 2, 4))
    with pytest.raises(ValueError, match=r"in the order of time, but click 1 at 1\.0 follows"):
        exchange.read_photon_hdf5(path)
    photon_file(path, [1, 2, 3])
    with pytest.raises(ValueError, match=r"`channels` must name the 3 detectors of .* but names 2"):
        exchange.read_photon_hdf5(path, channels=("red", "blue"))
    with pytest.raises(ValueError, match="`time_unit` must be a finite number above zero, but is"):
        exchange.read_photon_hdf5(path, time_unit=0.0)
    clicks = some_clicks(2)
    for more, message in (
        ({"tick": 0.0}, "`tick` must be a finite number above zero, but is 0.0"),
        ({"tick": clicks.duration / 2**64}, "`tick` must be at least .* for 64-bit timestamps"),
        ({"time_unit": -1.0}, "`time_unit` must be a finite number above zero, but is -1.0"),
    ):
        with pytest.raises(ValueError, match=message):
            exchange.write_photon_hdf5(clicks, tmp_path / "new.h5", **more)
    assert not (tmp_path / "new.h5").exists()


def test_without_h5py(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    for call in (
        lambda: exchange.write_photon_hdf5(some_clicks(1), tmp_path / "a.h5"),
        lambda: exchange.read_photon_hdf5(tmp_path / "a.h5"),
    ):
        with pytest.raises(ImportError, match=r"h5py is needed for this: pip install 'trajbatt\[n"):
            call()


# QuTiP --------------------------------------------------------------------------------------------


def test_clicks_of_a_qutip_result():
    result = SimpleNamespace(
        times=[0.0, 1.0, 2.0],
        col_times=[[0.5, 1.5], [], np.array([0.25])],
        col_which=[[2, 0], [], np.array([1])],
    )
    expected = of_rows((0, 0.5, "blue"), (0, 1.5, "red"), (2, 0.25, "center"), ntraj=3,
                       duration=2.0)  # fmt: skip
    same(exchange.from_qutip(result, NAMES), expected)
    same(exchange.from_qutip(result, NAMES, duration=3.0), replace(expected, duration=3.0))
    with pytest.raises(ValueError, match="`channels` must name 3 collapse operators or more, but "):
        exchange.from_qutip(result, ("a", "b"))
    dark = SimpleNamespace(times=[0.0, 1.0], col_times=[[], []], col_which=[[], []])
    found = exchange.from_qutip(dark, ("all",))
    assert (len(found), found.ntraj, found.duration) == (0, 2, 1.0)


class Operator:
    """As much of a Qobj as a bridge needs."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __add__(self, other):
        other = other.array if isinstance(other, Operator) else other * np.eye(len(self.array))
        return Operator(self.array + other)

    def __sub__(self, other):
        return self + (-1) * other

    def __mul__(self, other):
        return Operator(
            self.array @ other.array if isinstance(other, Operator) else self.array * other
        )

    __rmul__ = __mul__


@pytest.fixture
def stand_in(monkeypatch):
    def jmat(j):
        j_z, j_plus = (one[::-1, ::-1] for one in dense.spin_operators(round(2 * j)))
        return [Operator(one) for one in ((j_plus + j_plus.T) / 2, (j_plus - j_plus.T) / 2j, j_z)]

    monkeypatch.setitem(sys.modules, "qutip", SimpleNamespace(jmat=jmat, Qobj=Operator))


DRIVEN = tb.Battery(3, 1.2, 20.0, 1.3, 1.3, 1.3)
MIXED = np.diag([0.4, 0.1, 0.0, 0.5]) + 0.1 * np.eye(4)[[3, 1, 2, 0]] * [[1j], [0], [0], [-1j]]
MODELS = {
    "charge": (BATTERY.charge(), None),
    "charge, complex": (BATTERY.charge(), tb.coherent_state(3, 1.0, 0.7)),
    "charge, steady": (BATTERY.charge(), tb.steady_state(BATTERY.charge())),
    "charge, mixed": (BATTERY.charge(), MIXED),
    "driven": (DRIVEN.charge(secular=False), None),
    "driven, complex": (DRIVEN.charge(secular=False), tb.coherent_state(3, 2.0, -0.4)),
    "driven, steady": (
        DRIVEN.charge(secular=False), tb.steady_state(DRIVEN.charge(secular=False)),
    ),
    "discharge": (BATTERY.discharge(0.8), None),
    "discharge, complex": (BATTERY.discharge(0.8), tb.coherent_state(3, 1.0, 0.7)),
    "store": (BATTERY.store(), MIXED),
}  # fmt: skip


@pytest.mark.parametrize("case", MODELS)
def test_the_problem_is_that_of_mesolve(case, stand_in):
    model, initial = MODELS[case]
    problem = tb.to_qutip(model, initial)
    hamiltonian, jumps, observables, state = problem
    assert len(jumps) == len(model.channel_names)
    one, h, rho = np.eye(4), hamiltonian.array, state.array
    if rho.shape == (4, 1):
        rho = rho @ rho.conj().T
    assert np.trace(rho) == pytest.approx(1.0)
    liouvillian = -1j * (np.kron(h, one) - np.kron(one, h.T))
    for jump in jumps:
        square = jump.array.conj().T @ jump.array
        liouvillian = liouvillian + np.kron(jump.array, jump.array.conj())
        liouvillian = liouvillian - (np.kron(square, one) + np.kron(one, square.T)) / 2
    times = [0.0, 0.13, 0.4]
    rhos = [(expm(liouvillian * t) @ rho.ravel()).reshape(4, 4) for t in times]
    exact = tb.mesolve(model, times, initial, keep_states=True)
    energy, square, dipole = (
        np.array([np.trace(observables[name].array @ rho) for rho in rhos])
        for name in ("energy", "energy_squared", "dipole")
    )
    np.testing.assert_allclose(energy, exact.energy, atol=1e-8)
    np.testing.assert_allclose(square - energy**2, exact.energy_variance, atol=1e-7)
    np.testing.assert_allclose(dipole, exact.dipole, atol=1e-8)
    flipped = np.array(rhos)[:, ::-1, ::-1]
    np.testing.assert_allclose(flipped, exact.states, atol=1e-8)


def test_operators_one_by_one(stand_in):
    hamiltonian, jumps = dense.jump_operators(BATTERY)
    problem = tb.to_qutip(BATTERY.charge())
    np.testing.assert_allclose(problem.H.array[::-1, ::-1], hamiltonian, atol=1e-12)
    for found, expected in zip(problem.c_ops, jumps, strict=True):
        np.testing.assert_allclose(found.array[::-1, ::-1], expected, atol=1e-12)
    _, j_plus = dense.spin_operators(3)
    problem = tb.to_qutip(DRIVEN.charge(secular=False))
    np.testing.assert_allclose(
        problem.H.array[::-1, ::-1], dense.jump_operators(DRIVEN)[0], atol=1e-12
    )
    (found,) = problem.c_ops
    np.testing.assert_allclose(found.array[::-1, ::-1], np.sqrt(1.3) * j_plus.T, atol=1e-12)
    np.testing.assert_allclose(problem.psi0.array.ravel(), [0, 0, 0, 1], atol=1e-12)
    problem = tb.to_qutip(BATTERY.discharge(0.8), tb.excited_state(3))
    (found,) = problem.c_ops
    np.testing.assert_allclose(found.array[::-1, ::-1], np.sqrt(0.8) * j_plus.T, atol=1e-12)
    np.testing.assert_allclose(np.abs(problem.psi0.array.ravel()), [1, 0, 0, 0], atol=1e-12)
    assert tb.to_qutip(BATTERY.store()).c_ops == []


def test_what_qutip_does_not_take(stand_in):
    cycle = tb.Protocol([(BATTERY.charge(), 1.0), (BATTERY.discharge(), 1.0)])
    for wrong, name in ((cycle, "Protocol"), (BATTERY, "Battery"), (None, "NoneType")):
        with pytest.raises(TypeError, match=f"`model` must be a single model .* is a {name}"):
            tb.to_qutip(wrong)
    with pytest.raises(ValueError, match="`initial` must"):
        tb.to_qutip(BATTERY.charge(), np.zeros(7))


def test_without_qutip(monkeypatch):
    monkeypatch.setitem(sys.modules, "qutip", None)
    with pytest.raises(ImportError, match=r"qutip is needed for this: pip install 'trajbatt\[benc"):
        tb.to_qutip(BATTERY.charge())


@pytest.mark.parametrize("case", MODELS)
def test_qutip_agrees(case):
    qutip = pytest.importorskip("qutip")
    model, initial = MODELS[case]
    hamiltonian, jumps, observables, state = tb.to_qutip(model, initial)
    times = np.linspace(0.0, 0.4, 5)
    options = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 100_000, "progress_bar": ""}
    found = qutip.mesolve(hamiltonian, state, times, jumps, e_ops=observables, options=options)
    exact = tb.mesolve(model, times, initial)
    energy = np.array(found.e_data["energy"])
    np.testing.assert_allclose(energy, exact.energy, atol=1e-7)
    variance = np.array(found.e_data["energy_squared"]) - energy**2
    np.testing.assert_allclose(variance, exact.energy_variance, atol=1e-6)
    np.testing.assert_allclose(found.e_data["dipole"], exact.dipole, atol=1e-7)


@pytest.mark.parametrize("case", ["charge", "driven", "discharge, complex"])
def test_clicks_of_qutip_have_the_exact_statistics(case):
    qutip = pytest.importorskip("qutip")
    model, initial = MODELS[case]
    hamiltonian, jumps, _, state = tb.to_qutip(model, initial)
    options = {"norm_t_tol": 1e-12, "norm_tol": 1e-4, "norm_steps": 50, "progress_bar": ""}
    times = [0.0, 0.2, 0.4]
    found = qutip.mcsolve(hamiltonian, state, times, jumps, ntraj=300, seeds=1, options=options)
    clicks = exchange.from_qutip(found, model.channel_names)
    assert clicks.channels == model.channel_names
    assert (clicks.ntraj, clicks.duration) == (300, 0.4)
    exact = tb.mesolve(model, times[1:], initial).counts
    for row, name in zip(exact, clicks.channels, strict=True):
        mean = tb.photons.mean(clicks, times[1:], name)
        assert np.abs((mean.value - row) / mean.sem).max() < 4
        assert np.abs((mean.value - 1.5 * row) / mean.sem).max() > 4
    # One of its trajectories tells the filter something.
    one = tb.filter(model, clicks.of_trajectory(0), times, initial=initial)
    assert np.all(np.isfinite(one.log_likelihood))


# What others hand over ----------------------------------------------------------------------------


def test_one_trajectory_comes_back_as_one():
    clicks = of_rows((2, 0.1, "red"), (4, 1 / 3, "blue"), first=2, ntraj=4, duration=2.0)
    one = clicks.of_trajectory(4)
    back = exchange.from_structured(exchange.to_structured(one), one.channels, 1, one.duration)
    assert (back.ntraj, back.time.tolist()) == (1, [1 / 3])
    assert tb.photons.mean(back, [2.0], "blue").value == 1.0


def test_arrays_of_all_kinds():
    expected = exchange.from_structured(structured((0, 0.1, "red"), (2, 0.2, "blue")), NAMES)
    kinds = np.dtype([("trajectory", float), ("time", float), ("channel", "S6")])
    same(
        exchange.from_structured(np.array([(0, 0.1, b"red"), (2, 0.2, b"blue")], kinds), NAMES),
        expected,
    )
    kinds = np.dtype([("trajectory", int), ("time", float), ("channel", int)])
    same(exchange.from_structured(np.array([(0, 0.1, 0), (2, 0.2, 2)], kinds), NAMES), expected)
    frame = pytest.importorskip("pandas").DataFrame(
        {"trajectory": [0, 2], "time": [0.1, 0.2], "channel": ["red", "blue"]}
    )
    same(exchange.from_structured(frame, NAMES), expected)


@pytest.mark.parametrize(
    ("rows", "kinds", "more", "message"),
    [
        ([(0, 0.1, 7)], "i8,f8,i8", {}, "name of a channel each, or its number .* click 0 has 7"),
        ([(0, 0.1, 7)], "i8,f8,i8", {"channels": NAMES}, "of the channels 'red', .* is of 7"),
        (
            [(np.nan, 0.1, "red")],
            "f8,f8,U6",
            {},
            "whole numbers of trajectories, but click 0 has na",
        ),
        ([(0.5, 0.1, "red")], "f8,f8,U6", {}, "whole numbers of trajectories, but click 0 has 0.5"),
        ([(0, 0.1, None)], "i8,f8,O", {}, "must have the name of a channel each, .* has None"),
        ([(0, None, "red")], "i8,O,U6", {}, "must have a number for each time, but have object"),
        ([(0, 0.1, "red")], "i8,f8,U6", {"channels": "red"}, "`channels` must be a sequence of na"),
    ],
)
def test_arrays_of_no_kind(rows, kinds, more, message):
    names = ("trajectory", "time", "channel")
    array = np.array(rows, dtype=list(zip(names, kinds.split(","), strict=True)))
    with pytest.raises((ValueError, TypeError), match=message):
        exchange.from_structured(array, **more)
    with pytest.raises(ValueError, match="`array` must have the field 'time'"):
        exchange.from_structured([1, 2])


def test_names_that_a_text_file_cannot_keep(tmp_path):
    for name in ("a,b", " a", "", "a\nb"):
        clicks = tb.Clicks([0], [0.1], [0], (name,))
        with pytest.raises(ValueError, match="`clicks` must be of channels with plain names"):
            exchange.write_csv(clicks, tmp_path / "clicks.csv")
    assert not list(tmp_path.iterdir())
    clicks = tb.Clicks([0], [0.1], [0], ("grün",))
    exchange.write_csv(clicks, tmp_path / "clicks.csv")
    assert exchange.read_csv(tmp_path / "clicks.csv").channels == ("grün",)


def test_text_files_with_numbers_of_channels(tmp_path):
    (tmp_path / "clicks.csv").write_text("time,channel\n0.1,0\n0.2,2\n")
    clicks = exchange.read_csv(tmp_path / "clicks.csv", channels=NAMES)
    assert [clicks.channels[i] for i in clicks.channel] == ["red", "blue"]
    with pytest.raises(ValueError, match="but line 3 is of 2"):
        exchange.read_csv(tmp_path / "clicks.csv", channels=("H", "V"))
    # Names that are numbers are names.
    assert exchange.read_csv(tmp_path / "clicks.csv", channels=("2", "0")).channel.tolist() == [
        1,
        0,
    ]
    for text, message in (
        (
            "trajectory,time,channel\n0.5,1,red\n",
            "whole numbers of trajectories, but line 2 has 0.5",
        ),
        (
            "trajectory,time,channel\n1,2,red\n0,1,red\n1,1,red\n",
            "but line 4 at 1.0 follows one at",
        ),
    ):
        (tmp_path / "clicks.csv").write_text(text)
        with pytest.raises(ValueError, match=message):
            exchange.read_csv(tmp_path / "clicks.csv")


def foreign_hdf5(path, drop=(), **more):
    """Write a file of two detectors as another program would."""
    h5py = pytest.importorskip("h5py")
    fields = {
        "photon_data/timestamps": np.array([10_000_000, 2_040_000_000]),
        "photon_data/timestamps_specs/timestamps_unit": 1e-9,
        "photon_data/detectors": np.array([0, 2]),
        "setup/detectors/id": np.array([0, 2]),
        "setup/detectors/label": np.array([b"red", b"blue"]),
        "acquisition_duration": 2.0,
    }
    with h5py.File(path, "w") as file:
        for name, value in {**fields, **{k.replace("__", "/"): v for k, v in more.items()}}.items():
            if name not in drop:
                file[name] = value


def test_a_duration_that_another_program_has_rounded(tmp_path):
    path = tmp_path / "other.h5"
    foreign_hdf5(path)
    clicks = exchange.read_photon_hdf5(path)
    assert (clicks.duration, clicks.channels) == (clicks.time[-1], ("red", "blue"))
    assert exchange.read_photon_hdf5(path, duration=3.0).duration == 3.0
    foreign_hdf5(path, acquisition_duration=5.0)
    assert exchange.read_photon_hdf5(path).duration == 5.0
    foreign_hdf5(path, drop=["setup/detectors/label"])
    assert exchange.read_photon_hdf5(path).channels == ("0", "2")
    assert exchange.read_photon_hdf5(path, channels=("H", "V")).channels == ("H", "V")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"photon_data__detectors": np.array([0])}, r"shapes \(2,\) and \(1,\)"),
        ({"photon_data__timestamps": np.zeros((2, 2))}, r"shapes \(2, 2\)"),
        ({"setup__detectors__label": np.array([b"red"])}, "has 1 labels for 2 detectors"),
        ({"photon_data__timestamps_specs__timestamps_unit": 0.0}, "timestamps_unit .* is 0.0"),
        ({"photon_data__timestamps_specs__timestamps_unit": b"ns"}, "could not convert"),
        ({"drop": ["setup/detectors/id"]}, "has 2 labels for 0 detectors"),
        ({"drop": ["photon_data/timestamps"]}, "it has no timestamps in photon_data"),
    ],
)
def test_files_of_other_programs_that_are_damaged(change, message, tmp_path):
    path = tmp_path / "other.h5"
    foreign_hdf5(path, **change)
    with pytest.raises(ValueError, match=f"must be a Photon-HDF5 file, but.*{message}"):
        exchange.read_photon_hdf5(path)


def test_names_in_any_alphabet(tmp_path):
    pytest.importorskip("h5py")
    clicks = tb.Clicks([0, 0], [0.1, 0.2], [0, 1], ("θ", "грн"), duration=1.0)
    exchange.write_photon_hdf5(clicks, tmp_path / "θ.h5")
    back = exchange.read_photon_hdf5(tmp_path / "θ.h5")
    assert (back.channels, back.channel.tolist()) == (("θ", "грн"), [0, 1])
