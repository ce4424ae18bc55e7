"""The envelope of an exact energy that swings too fast to be followed.

Where H is diagonal, energy and dipole at one time tell it. Under the driven Eq. (5) what stands in
the one basis turns a little in it, too, so the equation is solved at a dozen times within a period
about each time, and slowly varying parts at 0, Omega and 2 Omega are fitted to these.
"""

import math

import numpy as np

from trajbatt.models.swing import Swing, is_followed, period, swing_of

SAMPLES = 12  # in a period
PHASES = 64  # at which the sides are looked for
ACCURACY = 1e-7  # finer than a line


def envelope(exact):
    """Return the `Swing` of a `MasterEquationResult`, or None where its times follow the energy.

    Parameters
    ----------
    exact : MasterEquationResult

    Returns
    -------
    Swing or None
        Its times are those of `exact`, or others in their place.
    """
    model, times = exact.model, exact.times
    if is_followed(model, times):
        return None
    if all(stage.model.oscillates_at == 0.0 for stage in model.stages(times[-1])):
        return swing_of(model, times, exact.energy, exact.dipole)
    parts = [_plan(stage, times) for stage in model.stages(times[-1])]
    wanted = np.unique(np.concatenate([around.ravel() for _, around in parts]))
    energy = exact.energy_at(wanted, max(exact.rtol, ACCURACY))
    found = [
        _fitted(centres, energy[np.searchsorted(wanted, around)])
        for centres, around in parts
        if centres.size
    ]
    return Swing(*(np.concatenate(rows) for rows in zip(*found, strict=True)))


def _plan(stage, times):
    """Return the centres (n,) in a stage, and the times about each, (n, SAMPLES) or (n, 1)."""
    wanted, _ = stage.select(times)
    own, lasting = times[wanted], period(stage.model)
    start, end = stage.start, min(stage.end, times[-1])
    if not math.isfinite(lasting) or end - start < lasting:
        return own, own[:, None]
    most = int(np.clip(40_000 / stage.model.n_atoms, 60, 400))
    picked = own[np.unique(np.linspace(0, own.size - 1, most).round().astype(int))]
    centres = np.unique(np.clip(picked, start + 0.5 * lasting, end - 0.5 * lasting))
    around = centres[:, None] + lasting * _places()
    return centres, np.clip(around, start, end)


def _places():
    """Return the places of the samples in a period, in its unit, (SAMPLES,)."""
    return (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5


def _fitted(centres, energy):
    """Return the `Swing` of energies (n, SAMPLES), or of those (n, 1) that do not swing."""
    if energy.shape[1] == 1:
        return Swing.about(centres, energy[:, 0], np.zeros(centres.size))
    s = _places()
    angle = 2.0 * np.pi * s
    cos, sin = np.cos(angle), np.sin(angle)
    design = [np.ones_like(s), s, cos, s * cos, sin, s * sin, np.cos(2 * angle), np.sin(2 * angle)]
    middle, _, c, _, s_, _, c2, s2 = np.linalg.pinv(np.array(design).T) @ energy.T
    phase = 2.0 * np.pi * np.arange(PHASES)[:, None] / PHASES
    turning = c * np.cos(phase) + s_ * np.sin(phase)
    turning += c2 * np.cos(2 * phase) + s2 * np.sin(2 * phase)
    return Swing(centres, middle, middle + turning.min(axis=0), middle + turning.max(axis=0))
