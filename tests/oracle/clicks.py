"""Clicks of any kind, and clicks row by row."""

import numpy as np
import pytest

import trajbatt as tb

NAMES = ("red", "center", "blue")


def some_clicks(seed):
    """Clicks of any kind: few or many, of dark trajectories, with dark channels, at equal times."""
    rng = np.random.default_rng(seed)
    names = [NAMES, ("all",), ("red", "center", "blue", "dis"), ("H", "V")][seed % 4]
    sizes = rng.poisson([0.5, 3, 20][seed % 3], rng.integers(1, 9))
    duration = 10.0 ** rng.uniform(-6, 6)
    times = [np.sort(rng.random(size)) * duration for size in sizes]
    if seed % 5 == 0:
        times = [np.floor(8 * one / duration) * duration / 8 for one in times]
    return tb.Clicks(
        np.repeat(np.arange(sizes.size), sizes),
        np.concatenate(times),
        rng.integers(0, rng.integers(1, len(names) + 1), sizes.sum()).astype(np.int8),
        names,
        ntraj=sizes.size,
        duration=duration,
    )


def same_clicks(a, b, rounding=0.0):
    np.testing.assert_array_equal(a.trajectory, b.trajectory)
    np.testing.assert_allclose(a.time, b.time, rtol=0.0, atol=rounding)
    np.testing.assert_array_equal(a.channel, b.channel)
    assert a.channels == b.channels
    assert (a.first, a.ntraj) == (b.first, b.ntraj)
    assert a.duration == pytest.approx(b.duration, rel=1e-15)
    for name in ("trajectory", "time", "channel"):
        assert getattr(a, name).dtype == getattr(b, name).dtype


def of_rows(*rows, channels=NAMES, **more):
    trajectory, time, name = zip(*rows, strict=True)
    return tb.Clicks(
        np.array(trajectory),
        np.array(time, dtype=float),
        np.array([channels.index(one) for one in name], dtype=np.int8),
        channels,
        **more,
    )


def structured(*rows):
    return np.array(
        list(rows), dtype=[("trajectory", np.int32), ("time", np.float64), ("channel", "U8")]
    )
