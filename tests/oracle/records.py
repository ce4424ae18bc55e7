"""Records of clicks, made up or sampled, and their filter by the dense twin."""

from types import SimpleNamespace

import numpy as np
import pytest

import trajbatt as tb
from oracle import dense


def record(*clicks):
    return SimpleNamespace(
        time=np.array([time for time, _ in clicks]), channel=[name for _, name in clicks]
    )


def sampled(case, seed, ntraj):
    """Return the clicks (time, name) of some trajectories."""
    runs = tb.mcsolve(
        case.model, [case.end], ntraj, initial=case.initial, seed=seed, keep_clicks=True
    )
    return [
        [(t, case.model.channel_names[c]) for t, c in zip(one.time, one.channel, strict=True)]
        for one in (runs.clicks.of_trajectory(i) for i in range(ntraj))
    ]


def detected(clicks, efficiency, rng):
    """Return the clicks that detectors of some efficiency by channel see."""
    return [click for click in clicks if rng.random() < efficiency[click[1]]]


def check(case, clicks, efficiency, times, handed, dark=None):
    """Compare a filtered record with its dense twin."""
    found = tb.filter(case.model, record(*clicks), times, handed, case.initial, dark or 0.0)
    check_result(case, clicks, efficiency, found, dark)


def check_result(case, clicks, efficiency, found, dark=None, routes=None):
    """Compare a `FilterResult` with its dense twin."""
    times = found.times
    j_z, j_plus = dense.spin_operators(case.model.n_atoms)
    energy = j_z + case.model.n_atoms / 2 * np.eye(len(j_z))
    states = case.twin.filter(case.rho, clicks, times, efficiency, dark, routes)
    for i, (time, (rho, log)) in enumerate(zip(times, states, strict=True)):
        mean = np.trace(rho @ energy).real
        levels = np.linalg.eigvalsh(rho)
        passive = levels[::-1] @ np.arange(levels.size)
        for name, expected in [
            ("energy", mean),
            ("energy_variance", np.trace(rho @ energy @ energy).real - mean**2),
            ("dipole", np.trace(rho @ j_plus)),
            ("log_likelihood", log),
            ("purity", np.trace(rho @ rho).real),
            ("ergotropy", mean - passive),
        ]:
            assert getattr(found, name)[i] == pytest.approx(expected, abs=1e-9), name
        rates = [case.twin.rate(rho, time, name) for name in case.model.channel_names]
        np.testing.assert_allclose(found.rates[:, i], rates, atol=1e-9)


def by_channel(names, values):
    """Return a number for each channel; short lists begin again."""
    return dict(zip(names, np.resize(values, len(names)).tolist(), strict=True))
