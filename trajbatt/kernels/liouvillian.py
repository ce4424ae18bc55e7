r"""The driven Eq. (5) as an ordinary differential equation, and a step of its solution.

In the basis of H = Omega J'_z the jump operator L is tridiagonal and real, so the Liouvillian is

    d rho/dt = L rho L+ - (L+ L rho + rho L+ L)/2 = A L+ - (L+ A + rho L+ L)/2,     A = L rho,

a few sums of neighbouring rows and cells, in the picture that rotates with H. In the interaction
picture, which is integrated, element (i, j) differs by the phase exp(i (i - j) Omega t). A weak
drive -Omega_R J_x may stand beside H, see `trajbatt.exact.weak_drive`.

A density matrix is given by its lower half, row after row: i + 1 elements of row i = 0..N. All
numbers are real: the real and the imaginary part of an element stand side by side. To apply the
Liouvillian a density matrix is unfolded to a full one, of which only the lower half and `GHOSTS`
diagonals above it are worked on, with `GHOSTS` elements of zeros around.

What is integrated is, one after the other: one or more Hermitian matrices y_a, which obey

    dy_a/dt = 𝓛 y_a + 𝓙 sum_b jumps_ab y_b + sum_b mixing_ab y_b,     𝓙 y = L y L+;

and, where y_0 is rho and the y_{1+a} are the parts V_a of it that have seen photons of tag a, each
counted once (see `trajbatt.exact.counts`), the mean photon count and the second moments of the
tagged counts.

Nothing here is shared with the kernels of the trajectories.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel

GHOSTS = 3
STAGES = 12
FIRST = 4  # cell of a row at which the loops begin
LANES = 16  # of which their length is a multiple; rows are longer by so many cells


class System(NamedTuple):
    """The equation; cells = 2 (levels + 2 GHOSTS) + LANES.

    Attributes
    ----------
    levels : int
        N + 1.
    jump : ndarray (3, cells), float64
        <k + s|L|k> for s = -1, 0, 1, each twice, with zeros around.
    click : ndarray (3, cells), float64
        <k + q|L+ L|k> for q = 0, 1, 2, each twice, with zeros around.
    frequency : float
        Omega.
    drive : ndarray (levels,), float64
        Omega_R/2 <k+1|J_+|k>; empty without such a drive.
    least : ndarray (levels,), float64
        With the drive, square roots of populations that are known to a part of themselves.
    jumps, mixing : ndarray (n, n), float64
        Of the n matrices.
    source : int
        The tag of the photons; -1 if they are not counted, and there are no scalars.
    full, left, change : *scratch* ndarray (levels + 2 GHOSTS, cells), float64
        Zeros to begin with.
    half : *scratch* ndarray (levels (levels + 1),), float64
    phases : *scratch* ndarray (2 levels,), float64
    """

    levels: int
    jump: np.ndarray
    click: np.ndarray
    frequency: float
    drive: np.ndarray
    least: np.ndarray
    jumps: np.ndarray
    mixing: np.ndarray
    source: int
    full: np.ndarray
    left: np.ndarray
    change: np.ndarray
    half: np.ndarray
    phases: np.ndarray


class Method(NamedTuple):
    """The coefficients of an explicit method with two error estimates, as SciPy has them.

    Attributes
    ----------
    a : ndarray (STAGES, STAGES)
    b, c : ndarray (STAGES,)
    error_3, error_5 : ndarray (STAGES+1,)
    """

    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    error_3: np.ndarray
    error_5: np.ndarray


@kernel
def place(i, j):
    """Return where element (i, j) of a lower half begins."""
    return i * (i + 1) + 2 * j


@kernel
def tabulate(phases, angle):
    """Write exp(i j angle), j = 0, 1, ..., to `phases` (2 levels,)."""
    phases[0] = 1.0
    phases[1] = 0.0
    cos, sin = math.cos(angle), math.sin(angle)
    for j in range(2, phases.size, 2):
        phases[j] = cos * phases[j - 2] - sin * phases[j - 1]
        phases[j + 1] = cos * phases[j - 1] + sin * phases[j - 2]


@kernel
def turn_row(source, at, target, to, phases, i, sign):
    """Write row i of a lower half, times exp(i sign (i - j) angle), to another array."""
    first, second, one = np.uint64(at), np.uint64(to), np.uint64(1)
    row_cos, row_sin = phases[2 * i], phases[2 * i + 1]
    for j in range(np.uint64(0), np.uint64(2 * i + 2), 2):
        cos = row_cos * phases[j] + row_sin * phases[j + one]
        sin = sign * (row_sin * phases[j] - row_cos * phases[j + one])
        real, imag = source[first + j], source[first + j + one]
        target[second + j] = cos * real - sin * imag
        target[second + j + one] = cos * imag + sin * real


@kernel
def unfold(y, at, levels, phases, full):
    """Write the lower half at y[at] and its ghosts to `full`, in the picture that rotates."""
    for i in range(levels):
        row = full[i + GHOSTS]
        turn_row(y, at + place(i, 0), row, 2 * GHOSTS, phases, i, -1.0)
        row[2 * (i + GHOSTS) + 1] = 0.0  # rounding must not grow in what cannot be there
        for q in range(1, min(GHOSTS, i) + 1):
            full[i + GHOSTS - q, 2 * (i + GHOSTS)] = row[2 * (i + GHOSTS - q)]
            full[i + GHOSTS - q, 2 * (i + GHOSTS) + 1] = -row[2 * (i + GHOSTS - q) + 1]


@kernel
def fold(full, levels, phases, out, at):
    """Write the lower half of `full` to out[at], in the interaction picture."""
    for i in range(levels):
        turn_row(full[i + GHOSTS], 2 * GHOSTS, out, at + place(i, 0), phases, i, 1.0)


@kernel
def whole(stop):
    """Round the end of a row up, so that the loops over rows have no remainder."""
    return FIRST + (stop - FIRST + LANES - 1) // LANES * LANES


@kernel
def multiply(jump, full, i, stop, left):
    """Write row i of A = L rho to `left`, up to the cell `stop`."""
    row, one, first = np.uint64(i), np.uint64(1), np.uint64(FIRST)
    down, level, up = jump[0, 2 * i + 2], jump[1, 2 * i], jump[2, 2 * i - 2]
    for c in range(first, np.uint64(stop)):
        left[row, c] = down * full[row + one, c] + level * full[row, c] + up * full[row - one, c]


@kernel
def combine(jump, click, damping, full, left, i, stop, change):
    """Write row i of A L+ - damping (L+ A + rho L+ L)/2 to `change`, with A in `left`."""
    row, one, two, four = np.uint64(i), np.uint64(1), np.uint64(2), np.uint64(4)
    first = np.uint64(FIRST)
    half = 0.5 * damping
    down, level, up = half * jump[0, 2 * i], half * jump[1, 2 * i], half * jump[2, 2 * i]
    for c in range(first, np.uint64(stop)):
        change[row, c] = (
            (jump[0, c + two] * left[row, c + two] + jump[1, c] * left[row, c])
            + jump[2, c - two] * left[row, c - two]
        ) - ((down * left[row - one, c] + level * left[row, c]) + up * left[row + one, c])
    for c in range(first, np.uint64(stop)):
        change[row, c] -= half * (
            (click[0, c] * full[row, c] + click[1, c] * full[row, c + two])
            + (click[1, c - two] * full[row, c - two] + click[2, c] * full[row, c + four])
            + click[2, c - four] * full[row, c - four]
        )


@kernel
def turn_by_drive(drive, full, i, change):
    """Add row i of i [Omega_R J_x, rho] to `change`."""
    row = i + GHOSTS
    for j in range(i + 1):
        cell = 2 * (j + GHOSTS)
        real = imag = 0.0
        for down, level, sign, other, at in (
            (i > 0, i - 1, 1.0, row - 1, cell),
            (i + 1 < drive.size, i, 1.0, row + 1, cell),
            (j > 0, j - 1, -1.0, row, cell - 2),
            (j + 1 < drive.size, j, -1.0, row, cell + 2),
        ):
            if down:
                real += sign * drive[level] * full[other, at]
                imag += sign * drive[level] * full[other, at + 1]
        change[row, cell] -= imag
        change[row, cell + 1] += real


@kernel
def apply(system, damping, y, at, angle, out, to):
    """Write the Liouvillian of the lower half at y[at] to out[to].

    `angle` is Omega t. With `damping` 0 it is that of the jumps alone, else 1.
    """
    levels, jump, full = system.levels, system.jump, system.full
    left, change, phases = system.left, system.change, system.phases
    tabulate(phases, angle)
    unfold(y, at, levels, phases, full)
    for i in range(GHOSTS, levels + GHOSTS):
        multiply(jump, full, i, whole(2 * (i + GHOSTS)), left)
    for i in range(GHOSTS, levels + GHOSTS):
        combine(jump, system.click, damping, full, left, i, whole(2 * (i + 1)), change)
    if damping != 0.0 and system.drive.size > 0:
        for i in range(levels):
            turn_by_drive(system.drive, full, i, change)
    fold(change, levels, phases, out, to)


@kernel
def click_rate(system, y, at, angle):
    """Return Tr(L+ L rho) of the lower half at y[at]."""
    rate = 0.0
    for q in range(min(3, system.levels)):
        cos, sin = math.cos(q * angle), math.sin(q * angle)
        order = 0.0
        for k in range(system.levels - q):
            cell = at + place(k + q, k)
            order += system.click[q, 2 * (k + GHOSTS)] * (cos * y[cell] + sin * y[cell + 1])
        rate += order if q == 0 else 2.0 * order
    return rate


@kernel
def trace(levels, y, at):
    """Return the trace of the lower half at y[at]."""
    total = 0.0
    for k in range(levels):
        total += y[at + place(k, k)]
    return total


@kernel
def add_matrices(weights, y, out, at):
    """Add sum_b weights_b y_b to `out[at:]`, which is as long as one matrix."""
    size = y.size // weights.size
    for b in range(weights.size):
        if weights[b] != 0.0:
            for i in range(size):
                out[at + i] += weights[b] * y[b * size + i]


@kernel
def derivative(system, t, y, out):
    """Write d/dt of everything that is integrated to `out`."""
    angle = system.frequency * t
    size = system.half.size
    n = system.jumps.shape[0]
    matrices = y[: n * size]
    for a in range(n):
        at = a * size
        if np.any(system.jumps[a] != 0.0):
            system.half[:] = 0.0
            add_matrices(system.jumps[a], matrices, system.half, 0)
            apply(system, 0.0, system.half, 0, angle, system.half, 0)
            apply(system, 1.0, y, at, angle, out, at)
            for i in range(size):
                out[at + i] += system.half[i]
        else:
            apply(system, 1.0, y, at, angle, out, at)
        add_matrices(system.mixing[a], matrices, out, at)
    if system.source >= 0:
        count(system, angle, y, out)


@kernel
def count(system, angle, y, out):
    """Write d/dt of the mean photon count and of the second moments of the tagged counts."""
    size = system.half.size
    levels = system.levels
    n_tags = system.jumps.shape[0] - 1
    scalars = (1 + n_tags) * size
    rate = click_rate(system, y, 0, angle)
    out[scalars] = rate
    for a in range(n_tags):
        trace_a = trace(levels, y, (1 + a) * size)
        rate_a = click_rate(system, y, (1 + a) * size, angle)
        for b in range(n_tags):
            gain = system.mixing[1 + a, 0] * trace(levels, y, (1 + b) * size)
            gain += system.mixing[1 + b, 0] * trace_a
            if a == system.source:
                gain += click_rate(system, y, (1 + b) * size, angle)
            if b == system.source:
                gain += rate_a
                gain += rate if a == b else 0.0
            out[scalars + 1 + a * n_tags + b] = gain


@kernel
def add_slopes(slopes, weights, factor, out):
    """Add factor sum_j weights_j slopes_j to `out`, four terms in each pass over it."""
    scales = np.zeros(STAGES + 4)
    rows = np.zeros(STAGES + 4, dtype=np.uint64)
    terms = 0
    for j in range(weights.size):
        if weights[j] != 0.0:
            scales[terms] = factor * weights[j]
            rows[terms] = j
            terms += 1
    for first in range(0, terms, 4):
        a, b, c, d = rows[first], rows[first + 1], rows[first + 2], rows[first + 3]
        f, g, h, k = scales[first], scales[first + 1], scales[first + 2], scales[first + 3]
        for i in range(np.uint64(out.size)):
            out[i] += (f * slopes[a, i] + g * slopes[b, i]) + (h * slopes[c, i] + k * slopes[d, i])


@kernel(reassociate=True)
def square(a):
    """Return the sum of the squares."""
    total = 0.0
    for i in range(np.uint64(a.size)):
        total += a[i] * a[i]
    return total


@kernel
def judge(system, y, error):
    """Divide errors by what they count against, where what is rare counts by itself.

    Element (i, j) of a density matrix is at most the square root of the populations i and j.
    """
    levels, size = system.levels, system.half.size
    n = system.jumps.shape[0]
    scale = system.least.copy()
    for k in range(levels):
        for a in range(n):
            scale[k] = max(scale[k], math.sqrt(abs(y[a * size + place(k, k)])))
    for a in range(n):
        for i in range(levels):
            for j in range(i + 1):
                cell = a * size + place(i, j)
                error[cell] /= scale[i] * scale[j]
                error[cell + 1] /= scale[i] * scale[j]
    for s in range(n * size, y.size):
        error[s] /= max(abs(y[s]), system.least[1] ** 2)


@kernel
def step(system, method, t, h, y, slopes, new, spare):
    """Take a step and return the root mean square of its error over the elements.

    Parameters
    ----------
    system : System
    method : Method
    t, h : float
        From t to t + h.
    y : *in* (size,) float64
    slopes : *in, out* (STAGES+1, size) float64
        The first is the derivative of y at t; the last becomes that of `new`.
    new : *out* (size,) float64
    spare : *scratch* (size,) float64
    """
    for stage in range(1, STAGES):
        new[:] = y
        add_slopes(slopes, method.a[stage, :stage], h, new)
        derivative(system, t + method.c[stage] * h, new, slopes[stage])
    new[:] = y
    add_slopes(slopes, method.b, h, new)
    derivative(system, t + h, new, slopes[STAGES])
    # As in the code of Hairer, Norsett and Wanner: the fifth-order estimate, corrected.
    spare[:] = 0.0
    add_slopes(slopes, method.error_5, 1.0, spare)
    if system.least.size > 0:
        judge(system, new, spare)
    fifth = square(spare)
    spare[:] = 0.0
    add_slopes(slopes, method.error_3, 1.0, spare)
    if system.least.size > 0:
        judge(system, new, spare)
    third = square(spare)
    if fifth == 0.0:
        return 0.0
    return h * fifth / math.sqrt((fifth + 0.01 * third) * y.size)
