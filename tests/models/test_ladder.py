"""The channels of a ladder model."""

import math

import numpy as np
import pytest

import trajbatt as tb


def test_channels_carry_the_light_they_emit():
    # gamma_+ belongs to J'_- and to the blue photon, gamma_- to J'_+ and the red one.
    model = tb.Battery(4, 1.0, 5.0, gamma_0=2.0, gamma_plus=3.0, gamma_minus=5.0).charge()
    rates = {channel.name: (channel.shift, channel.rate) for channel in model.channels}
    assert rates == {
        "red": (+1, pytest.approx(5.0 * math.sin(0.5) ** 4)),
        "center": (0, pytest.approx(2.0 * math.sin(1.0) ** 2)),
        "blue": (-1, pytest.approx(3.0 * math.cos(0.5) ** 4)),
    }


def test_total_rate_is_the_quadratic_that_the_kernel_assumes():
    model = tb.Battery(9, 1.0, 5.0, gamma_0=2.0, gamma_plus=3.0, gamma_minus=5.0).charge()
    m = np.arange(10) - 4.5
    total = model.click_rates.sum(axis=0)
    const, slope, curvature = model.rate_polynomial
    np.testing.assert_allclose(total, const + slope * m + curvature * m**2, rtol=1e-12)
