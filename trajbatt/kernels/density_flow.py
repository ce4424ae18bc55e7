"""Density matrices on their way, by explicit steps of adapted length.

A step goes as far as its error allows. What is between its ends is read off its polynomial, so that
the times at which a state is wanted do not make steps shorter.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel
from trajbatt.kernels.liouvillian import (
    ROWS,
    STAGES,
    derivative,
    place,
    prepare_between,
    read_between,
    step,
)
from trajbatt.kernels.moving_frame import AXES, go_on, orthonormalise, prepare

REACHED, NARROW, STUCK = 0, 1, 2


class Limits(NamedTuple):
    """What steps keep to.

    Attributes
    ----------
    tolerance : float
        Their root mean square error.
    stable : float
        The longest step.
    negligible : float
        The population of the highest level at which more levels are needed; 0 for never.
    end : float
        No step goes beyond.
    """

    tolerance: float
    stable: float
    negligible: float
    end: float


class Way(NamedTuple):
    """Where things are: the last step that was taken, all of it *in, out*.

    Attributes
    ----------
    clock : ndarray (3,), float64
        When the step began, when it ended, and how long the next one may be.
    has_between : ndarray (1,), bool
        Whether its polynomial is there.
    y, new : ndarray (size,), float64
        Where it began and ended.
    slopes : ndarray (ROWS, size), float64
        The first is the derivative of y, number STAGES that of `new`.
    between : ndarray (7, size), float64
    spare : *scratch* ndarray (size,), float64
    """

    clock: np.ndarray
    has_between: np.ndarray
    y: np.ndarray
    new: np.ndarray
    slopes: np.ndarray
    between: np.ndarray
    spare: np.ndarray

    @classmethod
    def at(cls, t, y, longest):
        """Return where nothing has been done yet."""
        return cls(
            clock=np.array([t, t, longest]),
            has_between=np.zeros(1, dtype=np.bool_),
            y=y.copy(),
            new=y.copy(),
            slopes=np.empty((ROWS, y.size)),
            between=np.empty((7, y.size)),
            spare=np.empty(y.size),
        )


@kernel
def top_weight(system, y):
    """Return the larger population of the highest two levels that are followed."""
    levels = system.levels
    return max(abs(y[place(levels - 1, levels - 1)]), abs(y[place(levels - 2, levels - 2)]))


@kernel
def begin(system, motion, method, way):
    """Write the derivative of `new`, where nothing has been done yet."""
    prepare(motion, system, method, way.clock[1], 0.0, 0, STAGES + 1)
    derivative(system, STAGES, way.new, way.slopes[STAGES])


@kernel
def take_step(system, motion, method, limits, way):
    """Take one step from the end of the last one; return how that ended, see `advance`."""
    clock, y, new, slopes = way.clock, way.y, way.new, way.slopes
    y[:] = new
    slopes[0] = slopes[STAGES]
    if motion.co_moving:
        motion.axes[0] = motion.axes[STAGES]
        orthonormalise(motion.axes[0])
    way.has_between[0] = False
    t = clock[1]
    while True:
        if clock[2] < 1e-12 * t:
            return STUCK
        left = limits.end - t
        parts = max(1, math.ceil(left / min(clock[2], limits.stable) * (1.0 - 1e-12)))
        h = left / parts
        prepare(motion, system, method, t, h, 0, STAGES + 1)
        error = step(system, method, h, y, slopes, new, way.spare)
        growth = 0.9 * (limits.tolerance / max(error, 1e-300)) ** (1 / 8)
        if error <= limits.tolerance:
            break
        clock[2] = h * max(0.2, growth) if growth == growth else 0.2 * h
    if limits.negligible > 0.0 and top_weight(system, new) > limits.negligible:
        new[:] = y
        slopes[STAGES] = slopes[0]
        motion.axes[STAGES] = motion.axes[0]
        return NARROW
    if growth > 1.0:
        clock[2] = max(clock[2], h * min(growth, 5.0))
    else:
        clock[2] = h * growth
    clock[0] = t
    clock[1] = limits.end if parts == 1 else t + h
    return REACHED


@kernel
def advance(system, motion, method, limits, way, target, out):
    """Write what is there at the time `target` to `out` (size,), after as many steps as it takes.

    Returns
    -------
    int
        `REACHED`; `NARROW`, when a step that needs more levels was not taken; or `STUCK`, when
        steps became too short.
    """
    clock = way.clock
    while clock[1] < target:
        ended = take_step(system, motion, method, limits, way)
        if ended != REACHED:
            return ended
    if clock[1] == target:
        out[:] = way.new
        return REACHED
    h = clock[1] - clock[0]
    if not way.has_between[0]:
        prepare(motion, system, method, clock[0], h, STAGES + 1, ROWS)
        prepare_between(system, method, h, way.y, way.new, way.slopes, way.spare, way.between)
        way.has_between[0] = True
    read_between(way.between, way.y, (target - clock[0]) / h, out)
    return REACHED


@kernel
def read_axes(motion, method, way, target, out):
    """Write the frame at a time within the last step to `out` (AXES,)."""
    if target == way.clock[1]:
        out[:] = motion.axes[STAGES]
        return
    out[:] = motion.axes[0]
    slopes, inner = np.empty((STAGES, AXES)), np.empty(AXES)
    go_on(motion, method, out, way.clock[0], target - way.clock[0], slopes, inner)


@kernel
def record(system, motion, method, limits, way, times, out, axes):
    """Write what is there at each of `times`, and the frame, to `out` (nt, size) and `axes`.

    Returns
    -------
    ended, n
        As `advance`, and how many of the times were reached.
    """
    for i in range(times.size):
        ended = advance(system, motion, method, limits, way, times[i], out[i])
        if ended != REACHED:
            return ended, i
        if motion.co_moving:
            read_axes(motion, method, way, times[i], axes[i])
    return REACHED, times.size
