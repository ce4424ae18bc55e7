import numpy as np
import pytest

import trajbatt as tb


def test_one_atom_saturates_the_bound():
    # p_1 = exp(-t): P = -p_1 and I_E = p_1/(1 - p_1), so the bound is an equality.
    model = tb.Battery(1, 1.0, 0.0).discharge()
    times = np.array([0.1, 0.5, 2.0])
    fisher = tb.energy_fisher(model, times, initial=tb.excited_state(1))
    upper = np.exp(-times)
    np.testing.assert_allclose(fisher.power, -upper, rtol=1e-12)
    np.testing.assert_allclose(fisher.information, upper / (1 - upper), rtol=1e-12)
    np.testing.assert_allclose(fisher.bound, upper, rtol=1e-12)


def test_against_differences_of_density_matrices():
    n, step = 12, 1e-5
    battery = tb.Battery(n, 1.87, 120.0, gamma_plus=10.0)
    model = battery.discharge()
    middle = np.array([0.02, 0.1, 0.3])
    fisher = tb.energy_fisher(model, middle)
    exact = tb.mesolve(model, middle, keep_states=True)
    p = np.einsum("tkk->tk", exact.states).real
    around = [tb.mesolve(model, middle + d, keep_states=True) for d in (-step, step)]
    before, after = (np.einsum("tkk->tk", result.states).real for result in around)
    slope = (after - before) / (2 * step)
    np.testing.assert_allclose(fisher.information, (slope**2 / p).sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(fisher.power, slope @ np.arange(n + 1), rtol=1e-6)
    np.testing.assert_allclose(fisher.energy_variance, exact.energy_variance, rtol=1e-10)
    photons = tb.mesolve(model, middle + step).counts - tb.mesolve(model, middle - step).counts
    np.testing.assert_allclose(fisher.power, -photons[0] / (2 * step), rtol=1e-6)


def test_the_bound_holds_and_scales_as_the_paper_says():
    # At equal N gamma t: Delta E^2 ~ N and I_E ~ N^3, so the bound ~ N^2, as the power.
    peaks = []
    for n in (100, 200, 400):
        battery = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0)
        times = np.linspace(0.2, 6.0, 30) / n
        fisher = tb.energy_fisher(battery.discharge(), times)
        assert np.all(np.abs(fisher.power) <= fisher.bound * (1 + 1e-12))
        # Negative control: with three quarters of the information it would not hold.
        assert np.any(np.abs(fisher.power) > np.sqrt(0.75) * fisher.bound)
        peaks.append([fisher.energy_variance[4], fisher.information[4], -fisher.power[4]])
    exponents = np.log2(np.array(peaks[2]) / np.array(peaks[1]))
    np.testing.assert_allclose(exponents, [1.0, 3.0, 2.0], atol=0.05)


def test_bad_input():
    battery = tb.Battery(3, 1.0, 1.0)
    with pytest.raises(ValueError, match="`model` must be that of a discharge, in the bare basis"):
        tb.energy_fisher(battery.charge(), [0.1])
    with pytest.raises(TypeError, match="`model` must be a model such as"):
        tb.energy_fisher(battery, [0.1])
    with pytest.raises(ValueError, match=r"`tlist` must end by t = 0\.005 for 20000 atoms"):
        tb.energy_fisher(tb.Battery(20000, 1.0, 1.0).discharge(), [0.1, 10.0])


@pytest.mark.parametrize("n", [5, 60])
def test_the_bound_holds_although_most_populations_are_tiny(n):
    # Late, and early from the inverted state, populations of 1e-30 carry much of the score.
    model = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0).discharge()
    times = np.array([1e-9, 1e-4, 0.1, 2.0, 500.0 / n])
    for start in (None, tb.excited_state(n)):
        found = tb.energy_fisher(model, times, start)
        assert np.all(found.bound >= np.abs(found.power) * (1 - 1e-12))
    # At first one atom's worth: p_N = 1 - N t, p_(N-1) = N t, so I_E = N/t.
    assert found.information.size == times.size
    first = tb.energy_fisher(model, times[:1], tb.excited_state(n)).information[0]
    assert first == pytest.approx(n / 1e-9, rel=1e-5)
