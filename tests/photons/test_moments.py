"""Moments and rates of photon numbers in records, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from oracle.clicks_by_hand import NAMES, RECORDS, hand_made, number, same_estimate, tracks
from oracle.statistics import mean_and_sem

from trajbatt import photons
from trajbatt.photons import currents, moments


@pytest.mark.parametrize("clicks", RECORDS)
@pytest.mark.parametrize("start", [0.0, 1.5])
@pytest.mark.parametrize("block", [2, 65_536])
def test_moments_by_hand(clicks, start, block, monkeypatch):
    monkeypatch.setattr(moments, "BLOCK", block)
    monkeypatch.setattr(currents, "BLOCK", block)
    ends = np.array([1.5, 2.0, 3.1, 4.25])
    for channel in ("a", "total"):
        n = np.array([[number(one, channel, start, t) for t in ends] for one in tracks(clicks)])
        same_estimate(photons.mean(clicks, ends, channel, start), mean_and_sem(n))
        if clicks.ntraj == 1:
            assert np.isnan(photons.variance(clicks, ends, channel, start)).all()
            assert np.isnan(photons.fano(clicks, ends, channel, start)).all()
            continue
        variance, mu_4 = n.var(axis=0, ddof=1), np.mean((n - n.mean(axis=0)) ** 4, axis=0)
        sem = np.sqrt(np.maximum(mu_4 - variance**2, 0.0) / clicks.ntraj)
        same_estimate(photons.variance(clicks, ends, channel, start), (variance, sem))
        with np.errstate(invalid="ignore"):
            same_estimate(
                photons.fano(clicks, ends, channel, start), (variance / n.mean(axis=0), None)
            )
    edges = np.append(start, ends) if start < ends[0] else ends
    rates = [
        [
            [number(one, name, *edges[k : k + 2]) / (edges[k + 1] - edges[k]) for k in bins]
            for name in NAMES
        ]
        for bins in [range(edges.size - 1)]
        for one in tracks(clicks)
    ]
    same_estimate(photons.photocurrent(clicks, edges), mean_and_sem(rates))


def test_the_error_of_a_fano_factor_by_leaving_one_out():
    clicks = hand_made(8, ntraj=400, most=15)
    n = photons.counts(clicks, 3.0)[:, 1].astype(float)
    for numbers_ in (n, n**2):  # the second is skewed
        records = np.repeat(np.arange(400), numbers_.astype(int))
        some = replace(
            clicks,
            trajectory=records,
            time=np.linspace(0.1, 1.0, records.size),
            channel=np.zeros(records.size, dtype=np.int8),
            first=0,
        )
        without = np.array([np.delete(numbers_, i) for i in range(400)])
        factors = without.var(axis=1, ddof=1) / without.mean(axis=1)
        found = photons.fano(some, [2.0], "a")
        assert found.sem == pytest.approx(np.sqrt(399) * factors.std(), rel=0.05)
