r"""A frame that turns with the mean spin, for density matrices of the driven Eq. (5).

Precedent: the moving basis of Schack, Brun and Percival, Phys. Rev. A 53, 2694 (1996). With R the
rotation into the frame and u, v, d = u x v the images of the bare axes, R+ J_x R = u J and so on,

    du/dt = -(Omega nu + k) x u,    nu = -sin(theta) u + cos(theta) d,    dv/dt likewise,
    k = gamma (N/2) (v_z u - u_z v),

the Hamiltonian and the mean field of the light are gone, and with c = u - i v

    d rho/dt = gamma D[A] rho,    R+ J_- R = A + s,    s = -(N/2) c_z,
    A = c_z (J_z + N/2) + (c_x - i c_y)/2 J_+ + (c_x + i c_y)/2 J_-.

With cos(beta) = d_z, sin(beta) = abs(c_z) and phases as in `trajbatt.kernels.liouvillian` A is

    sin(beta) (J_z + N/2) - (1 - cos(beta))/2 J_+ + (1 + cos(beta))/2 J_-.

The mean spin stays near the pole, so that few levels above it matter. Absorption of thermal light
is D[A+], and its mean field turns the frame the other way: k has the difference of the two rates.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel
from trajbatt.kernels.liouvillian import GHOSTS, ROWS, STAGES

AXES = 7  # numbers: u, v, and the integral of abs(c_z)^2
SHORT = 0.1  # of the shortest time of the frame: its own steps, accurate to rounding


class Motion(NamedTuple):
    """How angles, tables and frame change within a step.

    Attributes
    ----------
    frequency : float
        Omega.
    co_moving : bool
        Whether there is a frame; if not, what follows is empty.
    cos_theta, sin_theta : float
    half_spin : float
        N/2.
    net_rate : float
        The rate of emission less that of absorption.
    emission, absorption : float
        Square roots of the rates; there is a jump operator for the second if it is not zero.
    fastest : float
        The inverse of the shortest time in which the frame changes.
    drive : ndarray (2, 4), float64
        On a ramp, coefficients of theta and of Omega as polynomials of the time, ascending; else
        empty.
    raising : ndarray (levels,), float64
        <n+1|J_+|n>; the last is 0.
    order : ndarray (ROWS,), int64
        The stages in the order of time.
    axes : ndarray (ROWS, AXES), float64
        The frame in each stage; the first is where a step begins.
    """

    frequency: float
    co_moving: bool
    cos_theta: float
    sin_theta: float
    half_spin: float
    net_rate: float
    emission: float
    absorption: float
    fastest: float
    drive: np.ndarray
    raising: np.ndarray
    order: np.ndarray
    axes: np.ndarray


@kernel
def drive_at(motion, t):
    """Return Omega sin(theta) and Omega cos(theta) at the time `t`."""
    if motion.drive.shape[0] == 0:
        return motion.frequency * motion.sin_theta, motion.frequency * motion.cos_theta
    theta = frequency = 0.0
    for power in range(motion.drive.shape[1] - 1, -1, -1):
        theta = theta * t + motion.drive[0, power]
        frequency = frequency * t + motion.drive[1, power]
    return frequency * math.sin(theta), frequency * math.cos(theta)


@kernel
def turning(motion, t, axes, slope):
    """Write d/dt of `axes` (AXES,) at the time `t` to `slope`."""
    rabi, detuning = drive_at(motion, t)
    ux, uy, uz, vx, vy, vz = axes[0], axes[1], axes[2], axes[3], axes[4], axes[5]
    dx, dy, dz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    along_u = -rabi + motion.net_rate * motion.half_spin * vz
    along_v = -motion.net_rate * motion.half_spin * uz
    along_d = detuning
    x = along_u * ux + along_v * vx + along_d * dx
    y = along_u * uy + along_v * vy + along_d * dy
    z = along_u * uz + along_v * vz + along_d * dz
    slope[0] = z * uy - y * uz
    slope[1] = x * uz - z * ux
    slope[2] = y * ux - x * uy
    slope[3] = z * vy - y * vz
    slope[4] = x * vz - z * vx
    slope[5] = y * vx - x * vy
    slope[6] = uz * uz + vz * vz


@kernel
def orthonormalise(axes):
    """Take rounding off u and v."""
    length = math.sqrt(axes[0] ** 2 + axes[1] ** 2 + axes[2] ** 2)
    for i in range(3):
        axes[i] /= length
    along = axes[0] * axes[3] + axes[1] * axes[4] + axes[2] * axes[5]
    for i in range(3):
        axes[3 + i] -= along * axes[i]
    length = math.sqrt(axes[3] ** 2 + axes[4] ** 2 + axes[5] ** 2)
    for i in range(3):
        axes[3 + i] /= length


@kernel
def go_on(motion, method, now, t, duration, slopes, inner):
    """Take the axes `now` (AXES,) on from `t` for a time, by steps of their own.

    `slopes` (STAGES, AXES) and `inner` (AXES,) are scratch.
    """
    parts = math.ceil(duration * motion.fastest / SHORT)
    for p in range(parts):
        part = duration / parts
        begin = t + p * part
        for i in range(STAGES):
            inner[:] = now
            for j in range(i):
                weight = part * method.a[i, j]
                if weight != 0.0:
                    for x in range(AXES):
                        inner[x] += weight * slopes[j, x]
            turning(motion, begin + method.c[i] * part, inner, slopes[i])
        for j in range(STAGES):
            for x in range(AXES):
                now[x] += part * method.b[j] * slopes[j, x]


@kernel
def follow(motion, method, t, h):
    """Write the frame in each stage of a step of length h from `t` on."""
    slopes, inner = np.empty((STAGES, AXES)), np.empty(AXES)
    now, reached = motion.axes[0].copy(), 0.0
    for place in range(1, ROWS):
        stage = motion.order[place]
        part = (method.c[stage] - reached) * h
        go_on(motion, method, now, t + reached * h, part, slopes, inner)
        reached = method.c[stage]
        motion.axes[stage] = now


@kernel
def tabulate_jumps(motion, system, stage):
    """Write the angle and the tables of A in the frame of a stage to the system."""
    axes, raising = motion.axes[stage], motion.raising
    levels = raising.size
    jump, click, decay = system.jump[stage], system.click[stage], system.decay[stage]
    # c = u - i v, and c_m = (c_x + i c_y)/2
    slope = math.sqrt(axes[2] ** 2 + axes[5] ** 2)
    cosine = axes[0] * axes[4] - axes[1] * axes[3]
    c_z = complex(axes[2], -axes[5])
    c_m = 0.5 * complex(axes[0] + axes[4], axes[1] - axes[3])
    c_p = 0.5 * complex(axes[0] - axes[4], -axes[1] - axes[3])
    down, up = 0.5 * (1.0 + cosine), -0.5 * (1.0 - cosine)
    turn = c_m * c_z.conjugate() if down > -up else -(c_p * c_z.conjugate()).conjugate()
    if slope == 0.0:  # no phase, or any
        turn = c_m if down > -up else -c_p.conjugate()
    system.angles[stage] = -math.atan2(turn.imag, turn.real)
    decay[:] = 0.0
    for c in range(jump.shape[0]):
        amplitude = motion.emission if c == 0 else motion.absorption
        lower, raise_ = (down, up) if c == 0 else (up, down)
        system.shift[stage, c] = -motion.half_spin * slope * amplitude
        for n in range(levels):
            cell = 2 * (n + GHOSTS)
            below = raising[n - 1] if n > 0 else 0.0
            for part in range(2):
                jump[c, 0, cell + part] = amplitude * lower * below
                jump[c, 1, cell + part] = amplitude * slope * n
                jump[c, 2, cell + part] = amplitude * raise_ * raising[n]
        for n in range(levels):
            cell = 2 * (n + GHOSTS)
            for part in range(2):
                at = cell + part
                click[c, 0, at] = jump[c, 0, at] ** 2 + jump[c, 1, at] ** 2 + jump[c, 2, at] ** 2
                click[c, 1, at] = (
                    jump[c, 0, at + 2] * jump[c, 1, at] + jump[c, 1, at + 2] * jump[c, 2, at]
                )
                click[c, 2, at] = jump[c, 0, at + 4] * jump[c, 2, at]
                for q in range(3):
                    decay[q, at] += click[c, q, at]


@kernel
def prepare(motion, system, method, t, h, first, stop):
    """Write the angles and the tables of the stages `first` to `stop` of the step from t to t + h.

    Of a step that is new, the first of them is 0.
    """
    if motion.co_moving:
        if first == 0:
            follow(motion, method, t, h)
        for stage in range(first, stop):
            tabulate_jumps(motion, system, stage)
    else:
        for stage in range(first, stop):
            system.angles[stage] = motion.frequency * (t + method.c[stage] * h)
