"""Slopes of likelihoods with missed photons, against matrix exponentials and their differences."""

import numpy as np
import pytest
from scipy.linalg import expm

from trajbatt.kernels import missed_photons
from trajbatt.kernels.uniformization import Chain, Detection

LEVELS = 4
RNG = np.random.default_rng(3)
RATES, CHANGE = RNG.uniform(0.5, 2.0, (2, 2))
SQUARES = RNG.uniform(0.5, 3.0, (2, LEVELS))
SQUARES[0, -1] = SQUARES[1, 0] = 0.0  # off the ladder
SHIFTS, SHARES, DARK = np.array([1, -1]), np.array([[0.3, 0.2], [0.0, 0.6]]), np.array([0.1, 0.0])
START, CHANGE_OF_START = np.full(LEVELS, 0.25), np.array([0.3, -0.2, 0.1, -0.2])
TIMES, DETECTORS = np.array([0.2, 0.2, 0.9, 4.0]), np.array([0, 1, 1, 0])
RECORDS = np.array([0, 3, 4, 4]), TIMES, DETECTORS, np.array([1.5, 30.0, 2.0])


def matrix(rates, shares):
    """Return how populations move up and down, by these shares of the photons."""
    up, down = np.array(rates)[:, None] * np.array(shares)[:, None] * SQUARES
    return np.diag(up[:-1], -1) + np.diag(down[1:], 1)


def generator(rates):
    """Return d/dt of the populations, apart from dark counts."""
    return matrix(rates, 1.0 - SHARES.sum(axis=1)) - np.diag(rates @ SQUARES)


def exact(x):
    """Return the logarithms at a distance from the rates and the start."""
    rates, logs = RATES + x * CHANGE, []
    for i in range(3):
        y, t = START + x * CHANGE_OF_START, 0.0
        for n in range(RECORDS[0][i], RECORDS[0][i + 1]):
            y = expm(generator(rates) * (TIMES[n] - t)) @ y
            y = matrix(rates, SHARES[:, DETECTORS[n]]) @ y + DARK[DETECTORS[n]] * y
            t = TIMES[n]
        logs.append(np.log((expm(generator(rates) * (RECORDS[3][i] - t)) @ y).sum()))
    return np.array(logs)


def bands(rates, rate):
    """Return what is below, on and above the diagonal, in units of `rate`."""
    whole = generator(rates) / rate
    return np.diag(whole, -1).copy(), np.diag(whole).copy(), np.diag(whole, 1).copy()


RATE = float((RATES @ SQUARES).max())
DETECTION = Detection(RATES[:, None] * SQUARES, SHIFTS, SHARES, DARK)


def test_likelihoods():
    below, diagonal, above = bands(RATES, RATE)
    found = np.empty(3)
    chain = Chain(below, 1.0 + diagonal, above, RATE, LEVELS)
    missed_photons.likelihoods(chain, DETECTION, RECORDS, START, found)
    np.testing.assert_allclose(found, exact(0.0), rtol=1e-12)


def test_slopes():
    tables = np.zeros((6, LEVELS + 2))
    for rows, rates in ((tables[:3], RATES), (tables[3:], CHANGE)):
        rows[0, 2:-1], rows[1, 1:-1], rows[2, 1:-2] = bands(rates, RATE)
    tables[1, 1:-1] += 1.0
    changed = Detection(CHANGE[:, None] * SQUARES, SHIFTS, SHARES, 0.0 * DARK)
    found, rest = np.empty(3), (RECORDS, START, CHANGE_OF_START)
    missed_photons.slopes(tables, RATE, DETECTION, changed, *rest, found)
    h = 1e-3
    near, far = (exact(s) - exact(-s) for s in (h, 2.0 * h))
    slopes = (8.0 * near - far) / (12.0 * h)
    assert found == pytest.approx(slopes, rel=1e-8)
    missed_photons.slopes(tables, RATE, DETECTION, DETECTION, *rest, found)
    assert found != pytest.approx(slopes, rel=1e-2)
