"""Photon-HDF5 files of other programs: read as they are meant, or refused."""

import os

import numpy as np
import pytest

import trajbatt as tb
from trajbatt import exchange

h5py = pytest.importorskip("h5py")

FIELDS = {
    "photon_data/timestamps": np.array([10, 20, 30, 2040]),
    "photon_data/timestamps_specs/timestamps_unit": 1e-3,
    "photon_data/detectors": np.array([1, 9, 3, 1]),
}
RED_BLUE = {1: "red", 3: "blue", 9: "mark"}


def write(path, drop=(), **more):
    with h5py.File(path, "w") as file:
        for name, value in (FIELDS | {k.replace("__", "/"): v for k, v in more.items()}).items():
            if name not in drop:
                file[name] = value


@pytest.fixture
def path(tmp_path):
    return tmp_path / "other.h5"


def test_markers_are_no_photons(path):
    specs = "photon_data__measurement_specs__detectors_specs__"
    write(path)
    assert len(exchange.read_photon_hdf5(path)) == 4
    write(path, **{f"{specs}non_photon_id1": np.array([9]), f"{specs}spectral_ch1": np.array([1])})
    clicks = exchange.read_photon_hdf5(path)
    assert (clicks.channels, clicks.channel.tolist()) == (("1", "3"), [0, 1, 0])
    more = {"setup__detectors__id": np.array([1, 3, 9])}
    write(path, **{f"{specs}non_photon_id2": 9}, **more)
    assert exchange.read_photon_hdf5(path).channels == ("1", "3")
    write(path, **{f"{specs}non_photon_id1": np.array([9.5])})
    with pytest.raises(ValueError, match="non_photon_id1 must be integers, but is float64"):
        exchange.read_photon_hdf5(path)


def test_rounded_durations_invent_no_darkness(path):
    for seconds, expected in ((2.0, 2.04), (2.1, 2.05), (5.0, 4.95), (0.0, 2.04)):
        write(path, acquisition_duration=seconds)
        assert exchange.read_photon_hdf5(path).duration == pytest.approx(expected)
    # Our own ones are exact.
    clicks = tb.Clicks([0], [0.1], [0], ("a",), duration=0.123456)
    exchange.write_photon_hdf5(clicks, path)
    assert exchange.read_photon_hdf5(path).duration == 0.123456


def spots(path, durations):
    more = {
        f"photon_data{i}__{name.removeprefix('photon_data/').replace('/', '__')}": value
        for i in range(2)
        for name, value in FIELDS.items()
    }
    write(path, drop=FIELDS, acquisition_duration=durations, **more)


def test_durations_of_spots_are_no_sum(path):
    spots(path, np.array([3.0, 3.0]))
    found = exchange.read_photon_hdf5(path)
    assert (found.ntraj, found.duration) == (2, 2.95)
    spots(path, np.array([1.0, 2.0]))  # all less than until the last photon
    assert exchange.read_photon_hdf5(path).duration == 2.04
    spots(path, np.array([3.0, 4.0]))
    with pytest.raises(ValueError, match=r"`duration` must be given, .* for 2.95 to 3.95 s"):
        exchange.read_photon_hdf5(path)
    assert exchange.read_photon_hdf5(path, duration=3.0).duration == 3.0
    spots(path, np.array([1.0, 1.0, 1.0]))
    with pytest.raises(ValueError, match="acquisition_duration has 3 numbers for 2 spots"):
        exchange.read_photon_hdf5(path)


def test_detectors_have_the_names_of_their_numbers(path):
    write(path)
    found = exchange.read_photon_hdf5(path, channels=RED_BLUE)
    assert [found.channels[i] for i in found.channel] == ["red", "mark", "blue", "red"]
    with pytest.raises(ValueError, match="say which numbers the names are of, such as 1=red"):
        exchange.read_photon_hdf5(path, channels=("red", "blue", "mark"))
    write(path, photon_data__detectors=np.array([0, 2, 2, 0]))
    found = exchange.read_photon_hdf5(path, channels=("red", "center", "blue"))
    assert found.channel.tolist() == [0, 2, 2, 0]
    with pytest.raises(ValueError, match="must name the channels 0, 2 of"):
        exchange.read_photon_hdf5(path, channels=("red", "blue"))
    labelled = {
        "setup__detectors__id": np.array([1, 3, 9]),
        "setup__detectors__label": np.array([b"blue", b"red", b"x"]),
    }
    write(path, **labelled)
    found = exchange.read_photon_hdf5(path, channels=("red", "blue", "x"))
    assert [found.channels[i] for i in found.channel] == ["blue", "x", "red", "blue"]
    for label, message in (
        (b"\xb5", r"its text b'\\xb5' is not in UTF-8"),
        (b"", "labels other than '' and 'total', but one is ''"),
        (b"total", "labels other than '' and 'total', but one is 'total'"),
    ):
        labels = np.array([b"blue", b"red", label], dtype="S5")
        write(path, **labelled | {"setup__detectors__label": labels})
        with pytest.raises(ValueError, match=f"other.h5 must .*{message}"):
            exchange.read_photon_hdf5(path)


def test_timestamps_are_subtracted_as_integers(path):
    first = 1_728_000_000_000_000_001  # 20 days of picoseconds
    stamps = np.array([0, 1, 3, 4], dtype=np.uint64) + np.uint64(first)
    for kind in (np.uint64, np.int64):
        write(
            path,
            photon_data__timestamps=stamps.astype(kind),
            photon_data__timestamps_specs__timestamps_unit=1.0,
            acquisition_duration=4e-12,
        )
        with pytest.raises(ValueError, match=f"`origin` must be given, .* begin at {first}, where"):
            exchange.read_photon_hdf5(path)
        found = exchange.read_photon_hdf5(path, origin=first)
        assert found.time.tolist() == [0.0, 1.0, 3.0, 4.0]
        assert tb.photons.counts(found).sum() == 4
        with pytest.raises(ValueError, match=f"must be >= `origin`, {first + 1}, but .* {first}"):
            exchange.read_photon_hdf5(path, origin=first + 1)
    write(path, photon_data__timestamps=np.array([0.5, 1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="timestamps in photon_data must be integers"):
        exchange.read_photon_hdf5(path)
    write(path, photon_data__detectors=np.array([0.5, 1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="photon_data/detectors must be integers, but is float64"):
        exchange.read_photon_hdf5(path)


def test_names_that_a_file_cannot_keep(tmp_path):
    for name in ("a\0", "\udcff", "a\nb"):
        clicks = tb.Clicks([0], [0.1], [0], (name,))
        with pytest.raises(ValueError, match="`clicks` must be of channels with printable names"):
            exchange.write_photon_hdf5(clicks, tmp_path / "a.h5")
    clicks = tb.Clicks([0], [0.1], [0], ("a",))
    odd = tmp_path / os.fsdecode(b"\xff.h5")
    exchange.write_photon_hdf5(clicks, odd)
    assert exchange.read_photon_hdf5(odd).channels == ("a",)
    # Names of models and of their parameters.
    channels = (tb.Channel("a/b: c", -1, 1.0), tb.Channel("\t", 1, 0.5))
    about = exchange.about_model(tb.LadderModel("hot\n: /", 2, 0.0, 0.0, channels))
    for write, name in ((exchange.write_csv, "a.csv"), (exchange.write_photon_hdf5, "a.h5")):
        write(clicks, tmp_path / name, about=about)
        assert exchange.read_about(tmp_path / name) == about
    assert about["rate_a_b_ c"] == 1.0


def test_spots_that_are_missing(path):
    write(path, photon_data2__timestamps=np.array([1]))
    with pytest.raises(ValueError, match="without a gap, but are photon_data, photon_data2"):
        exchange.read_photon_hdf5(path)


def replaced(path, name, make):
    write(path, drop=[name])
    with h5py.File(path, "a") as file:
        make(file)


def test_nothing_leads_to_other_files(path, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(32)))
    write(tmp_path / "further.h5")
    stamps = "photon_data/timestamps"

    def virtual(file):
        layout = h5py.VirtualLayout(shape=(4,), dtype="i8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "further.h5"), stamps, shape=(4,))
        file.create_virtual_dataset(stamps, layout)

    def external(file):
        file.create_dataset(stamps, (4,), "i8", external=[(os.fspath(secret), 0, 32)])

    def linked(file):
        file[stamps] = h5py.ExternalLink(str(tmp_path / "further.h5"), stamps)

    def soft(file):
        file["elsewhere"] = h5py.ExternalLink(str(tmp_path / "further.h5"), "/")
        file[stamps] = h5py.SoftLink(f"/elsewhere/{stamps}")

    for make, message in (
        (virtual, "is stored in another file, which is not read"),
        (external, "is stored in another file, which is not read"),
        (linked, "is a link, and links are not followed"),
        (soft, "is a link, and links are not followed"),
    ):
        replaced(path, stamps, make)
        with pytest.raises(ValueError, match=f"other.h5 must .* its {stamps} {message}"):
            exchange.read_photon_hdf5(path)
    # Negative control: the same field in the file itself.
    write(path)
    assert len(exchange.read_photon_hdf5(path)) == 4


def test_fields_that_declare_more_than_there_is(path):
    stamps = "photon_data/timestamps"

    def declared(file):
        file.create_dataset(stamps, (10**13,), "i8")

    def packed(file):
        field = file.create_dataset(stamps, (10**13,), "i8", chunks=(1000,), compression="gzip")
        field[:1000] = 0

    for make, message in (
        (declared, "declares 1e[+]13 values, but holds none"),
        (packed, "declares 1e[+]13 values, too many for the memory"),
    ):
        replaced(path, stamps, make)
        with pytest.raises(ValueError, match=f"other.h5 must .* its {stamps} {message}"):
            exchange.read_photon_hdf5(path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Photon-HDF5 WARNING")  # of fields that are not mandatory
@pytest.mark.filterwarnings("ignore:Closing remaining open file")
def test_the_validator_of_the_format_agrees(path):
    tables = pytest.importorskip("tables")
    validator = pytest.importorskip("phconvert.hdf5")
    clicks = tb.Clicks([0, 1, 1], [0.0, 0.2, 0.3], [0, 1, 1], ("a", "b"), ntraj=2, duration=1.0)
    about = exchange.about_model(tb.Battery(3, 1.2, 9.0).charge())
    for some in (clicks.of_trajectory(1), clicks):
        exchange.write_photon_hdf5(some, path, about=about)
        validator.assert_valid_photon_hdf5(str(path), warnings=False)
        assert exchange.read_about(path) == about
    wrong = path.with_name("wrong.h5")  # Negative control; the validator keeps files open.
    wrong.write_bytes(path.read_bytes())
    with h5py.File(wrong, "a") as file:
        del file["setup/num_spots"]
    with pytest.raises(validator.Invalid_PhotonHDF5):
        validator.assert_valid_photon_hdf5(str(wrong), warnings=False)
    tables.file._open_files.close_all()
