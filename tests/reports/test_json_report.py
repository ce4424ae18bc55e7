"""Numbers as JSON."""

import json

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.reports import json_report

BATTERY = tb.Battery(10, 1.87, 100.0, gamma_plus=10.0)


def test_photon_energies():
    np.testing.assert_array_equal(json_report.photon_energies(BATTERY), 1.0)
    red, center, blue = json_report.photon_energies(BATTERY, 1000.0)
    assert center == pytest.approx(1 - BATTERY.detuning / 1000.0)
    assert blue - center == pytest.approx(center - red)
    assert blue - center == pytest.approx(0.1)
    with pytest.raises(ValueError, match="`omega_0` must exceed the detuning plus omega_p"):
        json_report.photon_energies(BATTERY, 50.0)


def test_json_of_odd_numbers():
    odd = {"a": np.nan, "b": [np.inf, 1 + 2j], "c": np.array([1j, np.nan]), "d": np.int64(3)}
    text = json.dumps(json_report.as_json(odd), allow_nan=False)
    assert json.loads(text) == {"a": None, "b": [None, [1, 2]], "c": [[0, 1], [None, 0]], "d": 3}
