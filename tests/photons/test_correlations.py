"""Pairs of photons in records, by hand."""

import numpy as np
import pytest
from oracle.clicks_by_hand import (
    ALONE,
    DISTINCT,
    RECORDS,
    g2_by_hand,
    hand_made,
    is_of,
    next_by_hand,
    no_clicks,
    number,
    of_pairs,
    same_estimate,
    tracks,
)

from trajbatt import photons


@pytest.mark.parametrize("clicks", [*DISTINCT, *ALONE, no_clicks(4)])
def test_g2_by_hand(clicks):
    for a, b in [("a", "b"), ("b", "a"), ("c", "c"), ("total", "total"), ("a", "total")]:
        for edges in ([0.0, 0.125, 0.5, 1.25], [0.25, 1.0]):
            found = photons.g2(clicks, edges, (a, b))
            same_estimate(found, g2_by_hand(clicks, edges, a, b, 0.0, 4.25 - edges[-1]))
            found = photons.g2(clicks, edges, (a, b), 0.5, 2.5)
            same_estimate(found, g2_by_hand(clicks, edges, a, b, 0.5, 2.5))


@pytest.mark.parametrize("clicks", [one for one in RECORDS if one.ntraj > 1])
def test_g2_matrix_by_hand(clicks):
    edges = np.array([0.25, 1.0, 1.5, 4.25])
    for a, b in [("a", "b"), ("c", "c"), ("total", "total"), ("a", "total")]:
        n_a, n_b, both = (
            np.array([[f(track, k) for k in range(3)] for track in tracks(clicks)])
            for f in (
                lambda track, k, a=a: number(track, a, *edges[k : k + 2]),
                lambda track, k, b=b: number(track, b, *edges[k : k + 2]),
                lambda track, k, a=a, b=b: sum(
                    is_of(x, a) and is_of(x, b) and edges[k] < t <= edges[k + 1] for t, x in track
                ),
            )
        )
        across = np.einsum("pi,qj->pqij", n_a, n_b).astype(float)
        within = np.array([across[p, p] - np.diag(both[p]) for p in range(clicks.ntraj)])
        across[range(clicks.ntraj), range(clicks.ntraj)] = 0.0
        same_estimate(photons.g2_matrix(clicks, edges, (a, b)), of_pairs(within, across))


def test_many_trajectories_in_groups():
    clicks = hand_made(9, ntraj=150, most=8)
    edges = [0.0, 0.25, 1.0]
    found = photons.g2(clicks, edges, ("a", "total"))
    value, sem = g2_by_hand(clicks, edges, "a", "total", 0.0, 3.25)
    np.testing.assert_allclose(found.value, value, rtol=1e-12)
    assert np.all(np.abs(np.log(found.sem / sem)) < 0.4)
    value, sem = next_by_hand(clicks, "a", lambda _, name: name == "b", 0.0, 4.25)
    found = photons.next_channel(clicks, "a")
    assert found.value[1] == pytest.approx(value)
    assert abs(np.log(found.sem[1] / sem)) < 0.4
    one, other = (photons.g2_matrix(clicks, [0.0, 4.25], (c, "total")) for c in ("a", "total"))
    n = photons.counts(clicks)
    for found, a in ((one, n[:, 0]), (other, n.sum(axis=1))):
        pairs, total = a * (n.sum(axis=1) - 1), np.outer(a, n.sum(axis=1)).astype(float)
        np.fill_diagonal(total, 0.0)
        value, sem = of_pairs(pairs, total)
        assert found.value[0, 0] == pytest.approx(value)
        assert abs(np.log(found.sem[0, 0] / sem)) < 0.4
