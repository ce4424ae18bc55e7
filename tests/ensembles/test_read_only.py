"""Copy in, read-only out: nobody changes a result by writing to what it gave."""

import pickle

import numpy as np
import pytest
from oracle.runs import MODEL, TIMES, solve

import trajbatt as tb


def arrays_of(thing, name):
    if isinstance(thing, np.ndarray):
        yield name, thing
    elif hasattr(thing, "__dataclass_fields__"):
        for field in thing.__dataclass_fields__:
            yield from arrays_of(getattr(thing, field), f"{name}.{field}")
    elif isinstance(thing, tuple | list):
        for i, one in enumerate(thing):
            yield from arrays_of(one, f"{name}[{i}]")


ATTRIBUTES = [
    name
    for name in dir(tb.EnsembleResult)
    if not name.startswith("_") and isinstance(getattr(tb.EnsembleResult, name), property)
]
OTHERS = ["moments", "checkpoints", "final_counts", "clicks", "checkpoint_indices"]


@pytest.mark.parametrize("where", ["memory", "stored", "loaded", "pickled", "added"])
def test_nothing_that_is_written_to_changes_a_result(tmp_path, where):
    battery = tb.Battery(20, 1.87, 200.0)
    ket = tb.excited_state(20)
    options = dict(initial=ket, keep_clicks=True, e_ops=tb.observables.second_moments)
    call = dict(**options, store=None if where == "memory" else tmp_path)
    runs = tb.mcsolve(battery.discharge(), [0.0, 0.1, 0.2], 50, seed=1, **call)
    if where == "loaded":
        runs = tb.load(tmp_path)
    if where == "pickled":
        assert runs.clicks is not None
        runs = pickle.loads(pickle.dumps(runs))
    if where == "added":
        runs = runs + tb.mcsolve(battery.discharge(), [0.0, 0.1, 0.2], 50, seed=2, **options)
    ket[:] = 0.0
    for name in ATTRIBUTES + OTHERS:
        before = [(label, one.copy()) for label, one in arrays_of(getattr(runs, name), name)]
        for _, array in arrays_of(getattr(runs, name), name):
            try:
                array[...] = 3
            except ValueError as error:
                assert "read-only" in str(error)  # noqa: PT017
        after = list(arrays_of(getattr(runs, name), name))
        for (label, was), (_, now) in zip(before, after, strict=True):
            np.testing.assert_array_equal(was, now, err_msg=label)
    one = runs.replay(3)
    for label, array in arrays_of(one, "replay"):
        assert not array.flags.writeable, label


def test_initial_is_copied(tmp_path):
    model = tb.Battery(20, 1.87, 200.0).discharge()
    ket = tb.excited_state(20)
    matrix = np.outer(ket, ket)
    for initial in (ket, matrix):
        runs = tb.mcsolve(model, [0.1], 40, initial=initial, seed=1)
        expected = tb.mcsolve(model, [0.1], 40, initial=initial.copy(), seed=1).coherent_energy
        initial[:] = 0.0
        initial[0, ...] = 1.0
        np.testing.assert_array_equal(runs.coherent_energy, expected)
        with pytest.raises(ValueError, match="read-only"):
            runs.initial[:] = 0.0


def test_a_ratio_in_place_is_refused():
    counts = solve(20).counts
    with pytest.raises(ValueError, match="read-only"):
        counts /= 100


def test_a_dataset_may_be_changed():
    runs = solve(20)
    before = runs.counts.tolist()
    data = runs.to_xarray()
    data["counts"] *= 2
    data["counts"].values[:] = 0
    assert runs.counts.tolist() == before


@pytest.mark.parametrize("value", ["no", 0, 1, None, [True]])
def test_only_bools_are_bools(value):
    with pytest.raises(TypeError, match="`keep_clicks` must be True or False, but is"):
        tb.mcsolve(MODEL, TIMES, 5, seed=1, keep_clicks=value)
    assert tb.mcsolve(MODEL, TIMES, 5, seed=1, keep_clicks=np.True_).clicks is not None


@pytest.mark.parametrize(
    ("times", "kind"),
    [
        ([0, True], TypeError),
        (bytearray(b"12"), TypeError),
        (np.ma.array([0.0, 1.0], mask=[0, 1]), ValueError),
        ([10**400], TypeError),
        (["a"] * 200_000, TypeError),
    ],
)
def test_times_that_are_none(times, kind):
    with pytest.raises(kind, match="`tlist` must hold finite") as caught:
        tb.mcsolve(MODEL, times, 5, seed=1)
    assert len(str(caught.value)) < 500


def test_numbers_beyond_all_floats():
    from fractions import Fraction

    for value in (10**400, Fraction(10**400), 10**5000):
        with pytest.raises(ValueError, match="`rtol` must lie in") as caught:
            tb.mcsolve(MODEL, TIMES, 5, rtol=value)
        assert len(str(caught.value)) < 500


def test_results_add_by_sum():
    a, b = (tb.mcsolve(MODEL, TIMES, 20, seed=seed) for seed in (1, 2))
    assert sum([a, b]).energy.tolist() == (a + b).energy.tolist()
    with pytest.raises(TypeError):
        _ = 1 + a


def test_single_runs_and_findings_stay_read_only_in_pickles():
    runs = solve()
    for one in (runs.replay(0), tb.daemonic_ergotropy(runs), tb.first_passage(runs, 1.0)):
        again = pickle.loads(pickle.dumps(one))
        for label, array in arrays_of(again, type(one).__name__):
            if ".model" not in label and ".clicks" not in label:
                assert not array.flags.writeable, label
    exact = tb.mesolve(MODEL, TIMES)
    assert not exact.qfi.flags.writeable
    assert not exact.energy_distribution.flags.writeable
    assert not pickle.loads(pickle.dumps(exact)).energy_distribution.flags.writeable
