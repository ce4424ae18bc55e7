"""Waiting times and next photons in records, by hand."""

import numpy as np
import pytest
from oracle.clicks_by_hand import (
    NAMES,
    RECORDS,
    fraction,
    is_of,
    next_by_hand,
    same_estimate,
    tracks,
)

from trajbatt import photons


@pytest.mark.parametrize("clicks", RECORDS)
def test_next_clicks_by_hand(clicks):
    n = clicks.ntraj
    times = np.array([0.0, 0.125, 0.25, 1.0, 4.25])
    first = [min([at for at, _ in track], default=9.9) for track in tracks(clicks)]
    hits = np.sum(np.array(first)[:, None] <= times, axis=0)
    same_estimate(photons.first_click(clicks, times), fraction(hits, n))
    for start in (0.0, 1.0):
        later = [[name for at, name in track if at > start][:1] for track in tracks(clicks)]
        hits = [later.count([name]) for name in NAMES]
        same_estimate(photons.next_channel(clicks, start=start), fraction(hits, n))
    edges = np.array([0.0, 0.125, 0.25, 1.0])
    for a, b, window in [
        ("a", "b", (0.0, 3.25)),
        ("c", "c", (0.5, 2.0)),
        ("total", "a", (0.0, 3.25)),
        ("b", "total", (1.0, 3.25)),
    ]:
        start, stop = window
        for bins in (edges, edges[1:]):
            found = photons.waiting_time(clicks, bins, (a, b), start, stop)
            expected = [
                next_by_hand(
                    clicks,
                    a,
                    lambda delay, name, k=k, bins=bins, b=b: (
                        is_of(name, b) and bins[k] <= delay < bins[k + 1]
                    ),
                    start,
                    stop,
                )
                for k in range(len(bins) - 1)
            ]
            value, sem = zip(*expected, strict=True)
            width = np.diff(bins)
            same_estimate(found, (value / width, None if n == 1 else sem / width))
        expected = [
            next_by_hand(clicks, a, lambda _, name, c=c: name == c, start, stop) for c in NAMES
        ]
        value, sem = zip(*expected, strict=True)
        same_estimate(
            photons.next_channel(clicks, a, start, stop), (value, None if n == 1 else sem)
        )
    # By default the longest delay ends in the record.
    for found, expected in (
        (
            photons.waiting_time(clicks, edges, ("a", "b")),
            photons.waiting_time(clicks, edges, ("a", "b"), 0.0, 3.25),
        ),
        (photons.next_channel(clicks, "a"), photons.next_channel(clicks, "a", 0.0, 4.25)),
    ):
        np.testing.assert_array_equal(found, expected)
