"""Runs and their plans: a run of some chunks, and all that a run holds."""

import numpy as np

import trajbatt as tb
from trajbatt.ensembles.plan import Plan, chunk_size
from trajbatt.states.initial import prepare

BATTERY = tb.Battery(200, 1.87, 2000.0, gamma_plus=10.0)
MODEL = BATTERY.charge()
TIMES = np.linspace(0, 0.02, 5)
CHUNK = chunk_size(MODEL)


def everything(runs):
    """Return the bytes of all that an ensemble holds."""
    arrays = [
        runs.moments.mean,
        runs.moments.comoment,
        runs.moments.third,
        runs.moments.fourth,
        runs.checkpoints.mean,
        runs.checkpoints.comoment,
        runs.final_counts,
    ]
    if runs.clicks is not None:
        arrays += [runs.clicks.trajectory, runs.clicks.time, runs.clicks.channel]
    return [array.tobytes() for array in arrays]


def files_of(folder):
    """Return time stamps and contents, but of the lock, which is empty."""
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.iterdir()
        if path.name != "lock"
    }


def solve(ntraj=5 * CHUNK + 30, keep_clicks=True, **options):
    return tb.mcsolve(MODEL, TIMES, ntraj, seed=7, keep_clicks=keep_clicks, **options)


def plan_of(model, times, initial=None, seed=7, method="banded", rtol=1e-6):
    return Plan(model, prepare(model, initial), np.array(times), seed, method, rtol, True)
