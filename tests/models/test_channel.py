"""Channels: the energy of their photons."""

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.models.channel import photon_energies

BATTERY = tb.Battery(10, 1.87, 100.0, gamma_plus=10.0)


def test_photon_energies():
    model = BATTERY.charge()
    np.testing.assert_array_equal(photon_energies(model), 1.0)
    red, center, blue = photon_energies(model, 1000.0)
    assert center == pytest.approx(1 - BATTERY.detuning / 1000.0)
    assert blue - center == pytest.approx(center - red)
    assert blue - center == pytest.approx(0.1)
    with pytest.raises(ValueError, match="`omega_0` must exceed the detuning plus omega_p"):
        photon_energies(model, 50.0)


@pytest.mark.parametrize("name", ["", "total"])
def test_names_that_stand_for_something_else(name):
    with pytest.raises(ValueError, match=f"`name` of a channel must not be '{name}'"):
        tb.Channel(name, -1, 1.0)
