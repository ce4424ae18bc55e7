"""Cumulants of photon numbers in the long run, and their generating function."""

import importlib

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.counting import rates
from trajbatt.exact.stationary import generator_of

NOISE = {"local_0": 0.3, "local_plus": 0.2, "local_minus": 0.1, "dephasing": 0.2}
HEAT = {"thermal_0": 0.1, "thermal_plus": 0.2, "thermal_minus": 0.3}


def battery(n_atoms=4, **others):
    return tb.Battery(n_atoms, 1.87, 40.0, gamma_plus=3.0, **others)


MODELS = {
    "charge": battery().charge(),
    "warm": battery(**HEAT).charge(),
    "noisy": battery(3, **NOISE, **HEAT).charge(),
    "driven": tb.DrivenDicke(3, 2.0, 0.5),
    "warm driven": tb.DrivenDicke(2, 2.0, 0.5, thermal=0.3),
    "homodyne": tb.Homodyne(1.3, 0.4).of(tb.DrivenDicke(2, 2.0, 0.5)),
    "lines": tb.Homodyne(1.3, 0.4).of(battery(2).charge(), ("red",)),
}


def dense(model, channel, s):
    """Return the largest eigenvalue of the generator under a field, by LAPACK."""
    matrix, jumps, *_ = generator_of(model)
    matrix = matrix.toarray()
    for name, jump in zip(model.channel_names, jumps, strict=True):
        if channel in (name, "total"):
            matrix = matrix + np.expm1(s) * jump.toarray()
    return np.linalg.eigvals(matrix).real.max()


@pytest.mark.parametrize("name", MODELS)
def test_the_generating_function_is_an_eigenvalue(name):
    model = MODELS[name]
    s = np.array([0.0, -10.0, -3.0, 1.4, 0.3, 10.0])
    for channel in (model.channel_names[0], "total"):
        found = rates(model, channel).generating(s)
        known = [dense(model, channel, one) for one in s]
        np.testing.assert_allclose(found, known, rtol=1e-10, atol=1e-10 * model.largest_rate)


@pytest.mark.parametrize("name", MODELS)
def test_cumulants_are_its_derivatives(name):
    """By Cauchy's formula on a circle about s = 0."""
    model = MODELS[name]
    channel = model.channel_names[-1]
    found = rates(model, channel, 5).cumulants
    matrix, jumps, *_ = generator_of(model)
    n, radius = 32, 0.2
    circle = radius * np.exp(2j * np.pi * np.arange(n) / n)
    values, last = [], 0.0
    for s in circle:
        whole = matrix.toarray() + np.expm1(s) * jumps[-1].toarray()
        every = np.linalg.eigvals(whole)
        last = every[np.argmin(np.abs(every - (last if values else 0.1 * found[0])))]
        values.append(last)
    k = np.arange(1, 6)
    coefficients = np.fft.fft(values)[k] / n
    known = (coefficients / radius**k).real * np.array([1.0, 2.0, 6.0, 24.0, 120.0])
    np.testing.assert_allclose(found, known, rtol=1e-7, atol=1e-7 * found[0])


@pytest.mark.parametrize("name", ["charge", "noisy", "driven"])
def test_means_and_variances_are_those_of_long_windows(name):
    model, long = MODELS[name], 40.0
    exact = tb.mesolve(model, [long, 2 * long], tb.steady_state(model), covariances=True)
    for i, channel in enumerate(model.channel_names):
        found = rates(model, channel)
        mean = np.diff(exact.counts[i])[0] / long
        variance = np.diff(exact.counts_covariance[i, i])[0] / long
        np.testing.assert_allclose(found.cumulants[:2], [mean, variance], rtol=1e-7, atol=1e-9)
    wrong = rates(battery(3).charge(), "red").cumulants[:2]
    assert not np.allclose(wrong, [mean, variance], rtol=1e-2)


def test_trajectories_have_them():
    model, long = battery(20).charge(), 6.0
    runs = tb.mcsolve(model, [long], 4000, tb.steady_state(model), seed=4)
    counts = runs.final_counts[:, list(model.channel_names).index("blue")]
    found = rates(model, "blue")
    assert abs(counts.mean() / long - found.mean) < 4.5 * counts.std() / long / np.sqrt(4000)
    # What the window begins with is gone after about 1/Gamma; the rest is a few percent.
    assert counts.var() / counts.mean() == pytest.approx(found.fano, rel=0.12)
    assert abs(found.fano - 1.0) > 0.5


@pytest.mark.parametrize(
    "model",
    [
        battery(12, **NOISE, **HEAT).charge(),
        tb.DrivenDicke(6, 3.0, 0.5),
        tb.Homodyne(1.3, 0.4).of(tb.DrivenDicke(5, 2.0, 0.5)),
    ],
)
def test_large_matrices_find_the_same(model, monkeypatch):
    """By powers of the resolvent and ARPACK, where LAPACK would take too long."""
    s = np.array([-3.0, -1.0, 0.3, 1.0])
    known = rates(model).generating(s)
    monkeypatch.setattr(importlib.import_module("trajbatt.counting.rates"), "DENSE", 0)
    np.testing.assert_allclose(rates(model).generating(s), known, rtol=1e-9)


def test_many_atoms_have_a_limit():
    """The upper levels empty as x^-k: what clicks there depends on N by 1/N only."""
    few, many, more = (
        rates(tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0).charge(), "red").cumulants / n
        for n in (1000, 10_000, 100_000)
    )
    np.testing.assert_allclose(10.0 * (many - more) * (10.0 / 9.0), few - more, rtol=2e-2)
    np.testing.assert_allclose((few - many), 10.0 * (many - more), rtol=2e-2)


@pytest.mark.parametrize("seed", range(8))
def test_uncertainty_relations_of_populations(seed):
    rng = np.random.default_rng(seed)
    names = "gamma_0", "gamma_plus", "gamma_minus", *HEAT
    given = dict(zip(names, rng.uniform(0.1, 2.0, 6).tolist(), strict=True))
    model = tb.Battery(int(rng.integers(1, 7)), rng.uniform(0.3, 2.8), 50.0, **given).charge()
    for channel in (*model.channel_names, "total", "net"):
        found = rates(model, channel)
        assert found.kinetic_ratio > 1.0 - 1e-9 or np.isnan(found.kinetic_ratio)
        assert found.thermodynamic_ratio > 1.0 - 1e-9


def test_coherence_breaks_them():
    assert rates(MODELS["driven"]).kinetic_ratio < 0.97
    warm = rates(MODELS["warm driven"], "net")
    assert warm.thermodynamic_ratio < 1.0
    np.testing.assert_allclose(warm.net, warm.cumulants[:2])


def test_without_heat_entropy_has_no_bound():
    found = rates(MODELS["charge"], "red")
    assert np.isinf(found.entropy_production)
    assert np.isinf(found.thermodynamic_ratio)
    assert "Fano factor" in repr(found)
    assert np.isnan(rates(tb.Battery(3, 1.87, 9.0).discharge(), "all").fano)


def test_bad_arguments():
    model = MODELS["charge"]
    for call, message in (
        (lambda: rates(model, "violet"), "`channel` must be"),
        (lambda: rates(model, order=1), "`order` must be from 2 to 12, but is 1"),
        (lambda: rates(model, order=13), "`order` must be from 2 to 12, but is 13"),
        (lambda: rates(model).generating([np.nan]), "`s` must be from -10 to 10"),
        (lambda: rates(tb.DrivenDicke(151, 2.0)), "must be at most 150"),
        (lambda: rates(tb.Battery(601, 1.87, 9.0, local_0=1.0).charge()), "must be at most 600"),
        (lambda: rates(tb.Battery(3, 1.87, 9.0).store()), "unique steady state"),
        (lambda: rates(tb.Homodyne(np.inf).of(MODELS["driven"])), "`model` must have clicks"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="`s` must hold numbers"):
        rates(model).generating("a")
    with pytest.raises(TypeError, match="single model"):
        rates(tb.Protocol([(model, 1.0)]))
