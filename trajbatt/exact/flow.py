"""Density matrices of the driven Eq. (5) on their way through time, as vectors of rows.

The arrays around `trajbatt.kernels.density_flow`: an explicit method of high order, that of Dormand
and Prince of order 8, with the coefficients from SciPy.
"""

import math
from functools import cache

import numpy as np

from trajbatt.models.banded import no_click_bands


@cache
def method():
    """Return the coefficients of the method."""
    from scipy.integrate import DOP853

    from trajbatt.kernels.liouvillian import Method

    c = np.concatenate((DOP853.C, [1.0], DOP853.C_EXTRA))
    return Method(
        DOP853.A, DOP853.B, c, DOP853.E3, DOP853.E5, np.array(DOP853.A_EXTRA), np.array(DOP853.D)
    )


def system(levels, bands, n, jumps=None, mixing=None, sources=(), weak=None, tangents=None):
    """Return the kernel's `System` of n matrices.

    Parameters
    ----------
    levels : int
    bands : ndarray (nc, 3, levels), or int
        The jump operators, complex if light is mixed with local oscillators; or how many there are,
        whose tables are made anew in each step.
    n : int
    jumps : array_like (nc, n, n), optional
    mixing : array_like (n, n), optional
    sources : sequence of int
    weak : tuple of (levels,) ndarray, optional
        The drive, and the least amplitudes, of a weak drive.
    tangents : tuple of (n, 3) and (levels,) ndarray, optional
        Of the kernel's `System`: `tangents` and `turn`.
    """
    from trajbatt.kernels.liouvillian import GHOSTS, LANES, ROWS, System

    width = levels + 2 * GHOSTS
    full, left, change = np.zeros((3, width, 2 * width + LANES))

    def cells(table):
        margins = [(0, 0)] * (table.ndim - 1)
        doubled = np.repeat(np.pad(table, [*margins, (GHOSTS, GHOSTS)]), 2, axis=-1)
        return np.pad(doubled, [*margins, (0, LANES)])[None]

    if isinstance(bands, int):
        jump, click = np.zeros((2, ROWS, bands, 3, 2 * width + LANES))
        decay, shift = np.zeros((ROWS, 3, 2 * width + LANES)), np.zeros((ROWS, bands))
        oscillator = np.zeros(bands)
    else:
        bands, oscillator = bands.real, bands[:, 1, 0].imag.copy()
        clicks = np.array([no_click_bands(one[None]) for one in bands])
        jump, click = cells(bands), cells(clicks)
        decay, shift = cells(clicks.sum(axis=0)), np.zeros((1, len(bands)))
    drive, least = (np.empty(0), np.empty(0)) if weak is None else weak
    n_channels = shift.shape[1]
    tangents, turn = (np.empty((0, 3)), np.empty(0)) if tangents is None else tangents
    return System(
        levels=levels,
        jump=jump,
        click=click,
        decay=decay,
        shift=shift,
        oscillator=oscillator,
        angles=np.zeros(ROWS),
        drive=drive,
        least=least,
        jumps=np.zeros((n_channels, n, n)) if jumps is None else np.asarray(jumps, dtype=float),
        mixing=np.zeros((n, n)) if mixing is None else np.asarray(mixing, dtype=float),
        tangents=tangents,
        turn=turn,
        sources=np.array(sources, dtype=np.int64),
        full=full,
        left=left,
        change=change,
        half=np.empty(levels * (levels + 1)),
        phases=np.empty(2 * levels),
    )


def turning(frequency):
    """Return the kernel's `Motion` of a basis at rest, in the interaction picture."""
    from trajbatt.kernels.moving_frame import Motion

    nothing = np.empty(0)
    return Motion(
        frequency=frequency,
        co_moving=False,
        cos_theta=1.0,
        sin_theta=0.0,
        half_spin=0.0,
        net_rate=0.0,
        emission=0.0,
        absorption=0.0,
        fastest=0.0,
        drive=nothing.reshape(0, 0),
        raising=nothing,
        order=nothing.astype(np.int64),
        axes=nothing.reshape(0, 0),
    )


def moving(model, axes, raising):
    """Return the kernel's `Motion` of the frame of a `FrameModel`.

    Parameters
    ----------
    model : FrameModel
    axes : ndarray (7,), float64
        Where the frame begins.
    raising : ndarray (levels,), float64
        <n+1|J_+|n>.
    """
    from trajbatt.kernels.liouvillian import ROWS
    from trajbatt.kernels.moving_frame import AXES, Motion

    frames = np.zeros((ROWS, AXES))
    frames[:] = axes
    return Motion(
        frequency=model.frequency,
        co_moving=True,
        cos_theta=math.cos(model.theta),
        sin_theta=math.sin(model.theta),
        half_spin=0.5 * model.n_atoms,
        net_rate=model.rate,
        emission=math.sqrt(model.rates[0]),
        absorption=math.sqrt(model.rate * model.thermal),
        fastest=model.fastest + model.rate * model.n_atoms,
        drive=np.empty((0, 4))
        if model.ramp is None
        else np.array([model.ramp.thetas, model.ramp.omegas]),
        raising=np.append(raising[:-1], 0.0),
        order=np.argsort(method().c, kind="stable"),
        axes=frames,
    )


class DensityFlow:
    """A vector of rows and scalars on its way.

    Parameters
    ----------
    system : trajbatt.kernels.liouvillian.System
    motion : trajbatt.kernels.moving_frame.Motion
    tolerance : float
        The root mean square error of a step.
    first : float
        The first guess at a step.
    stable : float
        The longest step.
    negligible : float
        The population of the highest level that asks for more of them; 0 for never.
    """

    def __init__(self, system, motion, tolerance, first, stable=math.inf, negligible=0.0):
        self.system, self.motion = system, motion
        self._limits = tolerance, stable, negligible
        self.step = first

    def begin(self, t, y):
        """Set the vector y (size,) at time `t`."""
        from trajbatt.kernels.density_flow import Way, begin

        self._way = Way.at(t, y, self.step)
        begin(self.system, self.motion, method(), self._way)

    @property
    def reached(self):
        """The time, the frame and the vector at the end of the last step."""
        from trajbatt.kernels.liouvillian import STAGES

        return self._way.clock[1], self.motion.axes[STAGES], self._way.new

    def advance(self, target, end):
        """Return the vector at the time `target`; it goes on, at most to `end`."""
        from trajbatt.kernels.density_flow import advance

        out = np.empty(self._way.y.size)
        ended = advance(*self._all(end), target, out)
        self._check(ended)
        return out

    def record(self, times):
        """Return the vectors (n, size) and the frames (n, AXES) at the first n of `times`.

        All of them, or those that were reached before more levels are needed.
        """
        from trajbatt.kernels.density_flow import record
        from trajbatt.kernels.moving_frame import AXES

        out, axes = np.empty((times.size, self._way.y.size)), np.empty((times.size, AXES))
        ended, n = record(*self._all(times[-1]), times, out, axes)
        self._check(ended)
        return out[:n], axes[:n]

    def _all(self, end):
        from trajbatt.kernels.density_flow import Limits

        return self.system, self.motion, method(), Limits(*self._limits, end), self._way

    def _check(self, ended):
        from trajbatt.kernels.density_flow import STUCK

        self.step = self._way.clock[2]
        if ended == STUCK:
            raise ArithmeticError(f"the steps became too short at t = {self._way.clock[1]:g}")
