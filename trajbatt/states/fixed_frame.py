r"""The driven Eq. (5) in a frame that stands on the steady mean spin, on a few levels of it.

The mean field is at rest where the pole p of the frame, the mean spin being -(N/2) p, obeys

    Omega (n - p (p n)) + g p x z = 0,    g = gamma N/2,

with n = (-sin(theta), 0, cos(theta)) the axis of the drive. With q = p n that is

    p_y = Omega sin(theta) g/(Omega^2 q^2 + g^2),    p_x = -Omega q p_y/g,    p_z = cos(theta)/q,
    Omega^2 q^4 + (g^2 - Omega^2) q^2 - cos(theta)^2 g^2 = 0;

of its solutions the stable one has p_z > 0. In this frame (see `trajbatt.kernels.moving_frame`)

    d rho/dt = -i a [J_z, rho] + gamma D[A] rho,    A = R+ J_- R - s,

a sparse matrix of constants: its null vector is the steady state, and regression gives the light.
On resonance above the critical drive there is no such pole, and the state is not near any.
"""

import math
from functools import cached_property

import numpy as np

from trajbatt.numerics import frame

FEWEST, MOST = 24, 110  # levels
EQUATOR = 1e-9  # p_z of a pole that does not attract
EMPTY = 1e-14  # population of the highest levels that is nothing


def steady_pole(model):
    """Return the pole p (3,) of a `BandedModel`, or None if there is none."""
    n_z, n_x = math.cos(model.theta), -math.sin(model.theta)
    omega, g = model.frequency, 0.5 * model.rate * model.n_atoms
    split = omega**2 - g**2
    root = math.hypot(split, 2.0 * omega * g * n_z)
    if omega == 0.0 or root == 0.0:
        return np.array([0.0, 0.0, 1.0]) if omega == 0.0 else None
    q_square = (
        0.5 * (split + root) / omega**2 if split > 0.0 else 2.0 * (g * n_z) ** 2 / (root - split)
    )
    q = math.copysign(math.sqrt(q_square), n_z)
    p_y = -omega * n_x * g / (omega**2 * q_square + g**2)
    p_x = -omega * q * p_y / g
    rest = 1.0 - p_x**2 - p_y**2
    p_z = n_z / q if abs(q) > 0.1 else math.sqrt(max(rest, 0.0))
    return np.array([p_x, p_y, p_z]) if p_z > EQUATOR else None


class FixedFrame:
    """Eq. (5) on some levels of the frame.

    Parameters
    ----------
    model : BandedModel
    axes : ndarray (6,)
        Of the frame.
    levels : int

    Attributes
    ----------
    lowering : ndarray (levels, levels), complex128
        The bare J_- in the frame, cut to the levels.
    generator : scipy.sparse.csc_array (levels^2, levels^2), complex128
        Of the elements of the density matrix, row after row.
    """

    def __init__(self, model, axes, levels):
        from scipy.sparse import csc_array, diags_array, kron

        self.levels = levels
        u, v, d = frame.rows_of(axes)
        half = 0.5 * model.n_atoms
        turning = model.frequency * (math.cos(model.theta) * d - math.sin(model.theta) * u)
        turning += model.rate * half * (v[2] * u - u[2] * v)
        n, emission = np.arange(levels), model.rates[0]
        absorption = model.rate * model.thermal
        self.lowering = frame.lowering(model.n_atoms, axes, levels)
        jump = self.lowering + half * (u[2] - 1j * v[2]) * np.eye(levels)
        one, sparse = diags_array(np.ones(levels)), csc_array(jump)
        effective = csc_array(
            -1j * turning[2] * np.diag(n)
            - 0.5 * emission * jump.conj().T @ jump
            - 0.5 * absorption * jump @ jump.conj().T
        )
        self.generator = csc_array(
            emission * kron(sparse, sparse.conj())
            + absorption * kron(sparse.conj().T, sparse.T)
            + kron(effective, one)
            + kron(one, effective.conj())
        )
        self.rate = emission

    @property
    def diagonal(self):
        """Where the populations are among the elements."""
        return np.arange(self.levels) * (self.levels + 1)

    @cached_property
    def steady(self):
        """The steady state (levels, levels), complex128, of trace 1."""
        from scipy.sparse.linalg import splu

        matrix = self.generator.tolil()
        scale = np.abs(self.generator.diagonal()).max()
        matrix[0] = 0.0
        matrix[0, self.diagonal] = scale
        right = np.zeros(self.levels**2, dtype=complex)
        right[0] = scale
        found = splu(matrix.tocsc()).solve(right).reshape(self.levels, self.levels)
        return 0.5 * (found + found.conj().T)

    def trace_with(self, operator, x):
        """Return Tr(operator x) of elements x (levels^2,)."""
        return np.einsum("ij,ji->", operator, x.reshape(self.levels, self.levels))

    @property
    def jumped(self):
        """𝓙 of the steady state, gamma J_- rho J_+, (levels, levels)."""
        return self.rate * self.lowering @ self.steady @ self.lowering.conj().T

    def correlation(self, delays):
        """Return gamma^2 <J_+ J_+(tau) J_-(tau) J_-> over the square of the rate, (nt,)."""
        clicks = self.rate * self.lowering.conj().T @ self.lowering
        rate = self.trace_with(clicks, self.steady.ravel()).real
        x = self.jumped.ravel() / rate
        found = [self.trace_with(clicks, y).real for y in self._states(x, delays)]
        return np.array(found) / rate

    def _states(self, x, times):
        from scipy.sparse.linalg import expm_multiply

        now = 0.0
        for time in times:
            if time > now:
                x = expm_multiply(self.generator * (time - now), x)
                now = time
            yield x

    def spectrum(self, frequencies):
        """Return the density (nw,) and the elastic rate of the light, see `counting.spectrum`."""
        from scipy.sparse import eye_array
        from scipy.sparse.linalg import splu

        raised = self.lowering.conj().T
        mean = self.trace_with(self.lowering, self.steady.ravel())
        x = (self.lowering @ self.steady - mean * self.steady).ravel()
        one = eye_array(self.levels**2, dtype=complex)
        density = np.empty(frequencies.size)
        for i, frequency in enumerate(frequencies):
            # The trace of x is zero; what is steady of the solution, which rounding brings, goes.
            solve = splu((-1j * frequency * one - self.generator + 1e-14 * self.rate * one).tocsc())
            y = solve.solve(x)
            y -= y[self.diagonal].sum() * self.steady.ravel()
            density[i] = self.rate * self.trace_with(raised, y).real / math.pi
        return density, self.rate * abs(mean) ** 2


def fixed_frame(model):
    """Return the `FixedFrame` of a `BandedModel`, with as many levels as its state needs, and axes.

    Raises
    ------
    ValueError
        If there is no such frame, or too many levels are needed.
    """
    if model.rate == 0.0:
        raise ValueError("`model` must have a unique steady state, but its rate is zero")
    pole = steady_pole(model)
    if pole is None:
        raise ValueError(
            "`model` must have a steady state near its mean spin, but on resonance at or above "
            "the critical drive there is none"
        )
    axes, levels = frame.facing(-pole), min(FEWEST, model.n_levels)
    while True:
        found = FixedFrame(model, axes, levels)
        if levels == model.n_levels or found.steady.diagonal().real[-2:].max() < EMPTY:
            return found, axes
        levels = min(3 * levels // 2, model.n_levels)
        if levels > MOST:
            raise ValueError(
                "`model` must have a steady state near its mean spin, "
                f"but it spreads over more than {MOST} levels"
            )
