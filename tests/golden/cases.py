"""Runs whose clicks must never change: one for each trajectory engine and kind of start."""

import numpy as np

import trajbatt as tb

BATTERY = tb.Battery(20, 1.87, 200.0, gamma_plus=10.0)
LARGE = tb.Battery(3000, 1.87, 30000.0, gamma_plus=10.0)  # of 16 trajectories a chunk
NOISE = {"local_0": 0.5, "local_plus": 4.0, "local_minus": 0.5, "dephasing": 0.4, "pump": 0.2}
NOISY = tb.Battery(20, 1.87, 200.0, 1.0, 10.0, 1.0, **NOISE, thermal_0=0.3)
EQUAL = tb.Battery(15, 1.2, 50.0)
SKEWED = np.diag([0.0, 0.5, 0.25, 0.25, *[0.0] * 17])


def _cycle(battery, secular=True):
    return tb.Protocol(
        [(battery.charge(secular), 0.2), (battery.store(), 0.05), (battery.discharge(), 0.1)]
    )


def _times(end):
    return np.linspace(0.0, end, 7)


# name: model, times, arguments of mcsolve
CASES = {
    "ladder": (BATTERY.charge(), _times(0.3), {}),
    "ladder-many-chunks": (LARGE.charge(), _times(2e-4), {}),
    "ladder-coherent": (
        BATTERY.charge(),
        _times(0.2),
        {"initial": tb.coherent_state(20, 1.0, 0.7)},
    ),
    "ladder-mixture": (BATTERY.charge(), _times(0.2), {"initial": SKEWED}),
    "discharge": (BATTERY.discharge(), _times(0.2), {}),
    "discharge-inverted": (BATTERY.discharge(2.0), _times(0.2), {"initial": tb.excited_state(20)}),
    "local-noise": (NOISY.charge(), _times(0.3), {}),
    "store": (BATTERY.store(), _times(0.2), {}),
    "mcwf": (BATTERY.charge(), _times(0.2), {"method": "mcwf"}),
    "banded": (EQUAL.charge(secular=False), _times(0.4), {}),
    "banded-ladder": (BATTERY.charge(), _times(0.1), {"method": "banded"}),
    "protocol": (_cycle(BATTERY), _times(0.35), {}),
    "protocol-mixed": (_cycle(EQUAL, secular=False), _times(0.35), {}),
    "protocol-mcwf": (_cycle(BATTERY), _times(0.35), {"method": "mcwf"}),
    "protocol-one-stage": (
        tb.Protocol([(BATTERY.discharge(), 0.2)]),
        _times(0.2),
        {},
    ),
}
NTRAJ = 20


def run(name, **options):
    """Return the ensemble of a case."""
    model, times, arguments = CASES[name]
    return tb.mcsolve(model, times, NTRAJ, seed=7, keep_clicks=True, **arguments, **options)


def exact(name):
    """Return the exact twin of a case, with count covariances."""
    model, times, arguments = CASES[name]
    return tb.mesolve(model, times, arguments.get("initial"), covariances=True)


def numbers(name):
    """Return what of a case must stay, a dict of arrays."""
    runs, twin = run(name), exact(name)
    one = runs.replay(3)
    return {
        "trajectory": runs.clicks.trajectory.astype(np.int16),
        "time": runs.clicks.time,
        "channel": runs.clicks.channel,
        "energy": runs.energy,
        "energy_variance": runs.energy_variance,
        "dipole": runs.dipole,
        "counts": runs.counts,
        "energy_sem": runs.energy_sem,
        "replay_energy": one.energy,
        "replay_variance": one.energy_variance,
        "replay_dipole": one.dipole,
        "exact_energy": twin.energy,
        "exact_variance": twin.energy_variance,
        "exact_dipole": twin.dipole,
        "exact_counts": twin.counts,
        "exact_covariance": twin.counts_covariance,
    }
