"""Clicks in Photon-HDF5 files."""

import sys

import h5py
import numpy as np
import pytest
from oracle.clicks import of_rows, same_clicks, some_clicks

import trajbatt as tb
from trajbatt import exchange


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
    same_clicks(exchange.read_photon_hdf5(tmp_path / "spots.h5"), clicks)


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
    same_clicks(exchange.read_photon_hdf5(path), expected)
    assert exchange.read_photon_hdf5(path, channels=["all"]).channels == ("all",)
    assert exchange.read_photon_hdf5(path, time_unit=0.1).time.tolist() == [15.0, 20.0, 50.0]
    photon_file(path, [7, 2, 7], acquisition_duration=8.0)
    found = exchange.read_photon_hdf5(path)
    assert (found.channels, found.channel.tolist()) == (("2", "7"), [1, 0, 1])
    assert found.duration == 7.95
    assert exchange.read_photon_hdf5(path, time_unit=2.0).duration == 3.975
    found = exchange.read_photon_hdf5(path, channels={2: "red", 7: "blue"})
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
    with pytest.raises(ValueError, match=r"such as 1=red, because the channels of .* 1, 2, 3"):
        exchange.read_photon_hdf5(path, channels=("red", "blue"))
    with pytest.raises(ValueError, match=r"`channels` must name the channels 1, 2, 3 of .*/bad"):
        exchange.read_photon_hdf5(path, channels={1: "red", 2: "blue"})
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
        with pytest.raises(ImportError, match="h5py is needed for this: pip install h5py"):
            call()


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
    assert exchange.read_photon_hdf5(path).duration == 4.95
    foreign_hdf5(path, drop=["setup/detectors/label"])
    assert exchange.read_photon_hdf5(path).channels == ("0", "2")
    named = {0: "H", 2: "V"}
    assert exchange.read_photon_hdf5(path, channels=named).channels == ("H", "V")


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


def test_spins_are_kept(tmp_path):
    battery = tb.Battery(6, 1.87, 60.0, local_plus=2.0, dephasing=3.0)
    clicks = tb.mcsolve(battery.charge(), [0.3], 5, seed=3, keep_clicks=True).clicks
    path = tmp_path / "noisy.h5"
    exchange.write_photon_hdf5(clicks, path)
    found = exchange.read_photon_hdf5(path)
    assert np.unique(found.spin).size > 1
    np.testing.assert_array_equal(found.spin, clicks.spin)
    with h5py.File(path, "r+") as file:
        spins = file["user/trajbatt/spin"][:-1]
        del file["user/trajbatt/spin"]
        file["user/trajbatt/spin"] = spins
    with pytest.raises(ValueError, match="must have as many numbers in user/trajbatt/spin as phot"):
        exchange.read_photon_hdf5(path)
