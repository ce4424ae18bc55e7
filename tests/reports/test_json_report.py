"""Numbers as JSON."""

import json

import numpy as np

from trajbatt.reports import json_report


def test_json_of_odd_numbers():
    odd = {"a": np.nan, "b": [np.inf, 1 + 2j], "c": np.array([1j, np.nan]), "d": np.int64(3)}
    text = json.dumps(json_report.as_json(odd), allow_nan=False)
    assert json.loads(text) == {"a": None, "b": [None, [1, 2]], "c": [[0, 1], [None, 0]], "d": 3}
