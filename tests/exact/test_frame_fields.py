"""Photon numbers of the driven Eq. (5) in the frame, against whole matrices and trajectories."""

import numpy as np
import pytest
from scipy import stats

import trajbatt as tb
from trajbatt.exact import driven, frame_fields
from trajbatt.exact.fields import BandedFields
from trajbatt.exact.frame import FrameModel
from trajbatt.exact.spread import SpreadError
from trajbatt.states.initial import prepare

ANGLES = np.array([0.0, 0.02, 0.3, 1.0, np.pi, -0.3])


@pytest.mark.parametrize("thermal", [0.0, 0.3])
@pytest.mark.parametrize("n", [1, 2, 12])
def test_generating_function_is_that_of_whole_matrices(n, thermal):
    model = tb.DrivenDicke(n, rabi=1.2 * n, detuning=0.4 * n, thermal=thermal)
    rng = np.random.default_rng(1)
    fields = np.exp(1j * ANGLES)[:, None] * rng.uniform(0.7, 1.0, (6, len(model.channel_names)))
    fields[0] = 1.0
    times, mixture = np.array([0.0, 0.1, 0.8]), prepare(model, tb.coherent_state(n, 2.0, 0.5))
    found = {}
    for kind, one in (
        (frame_fields.FrameFields, FrameModel.of(model, n + 1)),
        (BandedFields, model),
    ):
        system = kind(one, fields, False)
        states = system.states(system.begin(mixture), times)
        found[kind] = np.array([system.generating(y) for y in states])
    ours, whole = found.values()
    np.testing.assert_allclose(ours, whole, rtol=0, atol=1e-11)
    np.testing.assert_allclose(ours[:, 0], 1.0, rtol=0, atol=1e-12)
    assert np.abs(ours[-1, 1:] - whole[-1, 0]).min() > 1e-3  # fields do make a difference


def test_what_is_spent_is_zero():
    n = 100
    model = FrameModel.of(tb.Battery(n, 1.2, 400.0).charge(secular=False), n + 1)
    system = frame_fields.FrameFields(model, np.array([[-1.0 + 0.0j], [1.0]]), False)
    entered = system.begin(prepare(model, tb.ground_state(n)))
    early, late = system.states(entered, np.array([0.002, 0.3]))
    assert early[0].real > 0.1
    assert late[0] == 0.0
    np.testing.assert_allclose([early[1], late[1]], 1.0, rtol=0, atol=1e-11)


def test_pairs_of_other_stages_are_left_to_whole_matrices():
    model = FrameModel.of(tb.Battery(60, 1.2, 240.0).charge(secular=False), 61)
    with pytest.raises(SpreadError):
        frame_fields.FrameFields(model, np.ones((1, 1)), True)
    with pytest.raises(SpreadError):
        frame_fields.FrameFields(model, np.ones((1, 1)), False).begin(np.zeros((1, 2, 61, 61)))


def test_numbers_of_sixty_atoms(monkeypatch):
    model, t = tb.Battery(60, 1.2, 240.0).charge(secular=False), 0.02

    def unable(*_):
        raise SpreadError

    with monkeypatch.context() as only_frame:
        only_frame.setattr(driven, "BandedFields", unable)
        found = tb.counting.distribution(model, t, "all")
    monkeypatch.setattr(driven, "FrameFields", unable)
    whole = tb.counting.distribution(model, t, "all")
    assert found.size == whole.size
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-12)


def test_numbers_of_many_atoms_are_those_of_trajectories():
    n = 2500  # too many for whole matrices
    model = tb.Battery(n, 1.2, 4.0 * n).charge(secular=False)
    numbers = tb.mcsolve(model, [1.5 / n], 300, seed=3, threads=1).final_counts[:, 0]
    for t, is_right in ((1.5 / n, True), (1.7 / n, False)):
        p = tb.counting.distribution(model, t, "all")
        exact = tb.mesolve(model, [t], covariances=True)
        k = np.arange(p.size)
        mean = p @ k
        assert mean == pytest.approx(exact.counts[0, 0], rel=1e-9)
        assert p @ (k - mean) ** 2 == pytest.approx(exact.counts_covariance[0, 0, 0], rel=1e-7)
        # Uniform where the law is right: a number's share below it, and a part of its own.
        below = np.cumsum(p) - p
        places = below[numbers] + np.random.default_rng(4).uniform(size=300) * p[numbers]
        assert (stats.kstest(places, "uniform").pvalue > 1e-3) == is_right
