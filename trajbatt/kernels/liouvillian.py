r"""The driven Eq. (5) as an ordinary differential equation, and a step of its solution.

In a basis where the jump operators are tridiagonal and real but for phases, L = U (A + s) U+ with
U = exp(i angle k), the Liouvillian is a sum over them of

    d rho/dt = A rho A+ - (A+ A rho + rho A+ A)/2 = B A+ - (A+ B + rho A+ A)/2,     B = A rho,

a few sums of neighbouring rows and cells, in the picture without the phases. That is so in the
dressed basis, in the interaction picture of H = Omega J'_z, where the angle is Omega t and s = 0;
and in the frame of `trajbatt.kernels.moving_frame`, where A, s and the angle change with time and
the Hamiltonian is gone. A weak drive -Omega_R J_x may stand beside H, see
`trajbatt.exact.weak_drive`. A local oscillator, with which light is mixed before it is seen, adds
its amplitude to L: the real part to A, and i o, which makes no difference to the sum over all L
but to a single one's jumps.

A density matrix is given by its lower half, row after row: i + 1 elements of row i = 0, 1, ... All
numbers are real: the real and the imaginary part of an element stand side by side. To apply the
Liouvillian a density matrix is unfolded to a full one, of which only the lower half and `GHOSTS`
diagonals above it are worked on, with `GHOSTS` elements of zeros around.

What is integrated is, one after the other: one or more Hermitian matrices y_a, which obey

    dy_a/dt = 𝓛 y_a + sum_c 𝓙_c sum_b jumps_cab y_b + sum_b mixing_ab y_b,
    𝓙_c y = L_c y L_c+ - s_c^2 y,     L_c = U (A_c + s_c + i o_c) U+;

and, where y_0 is rho and the y_{1+a} are the parts V_a of it that have seen photons of tag a, each
counted once (see `trajbatt.exact.counts`), the mean photon counts of the jump operators beyond
what s_c^2 alone gives, and the second moments of the tagged counts.

Nothing here is shared with the kernels of the trajectories.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel

GHOSTS = 3
STAGES = 12
EXTRA = 3  # stages more for what is between the ends of a step
ROWS = STAGES + 1 + EXTRA
FIRST = 4  # cell of a row at which the loops begin
LANES = 16  # of which their length is a multiple; rows are longer by so many cells


class System(NamedTuple):
    """The equation; cells = 2 (levels + 2 GHOSTS) + LANES.

    Its tables may be those of each stage of a step, ns = ROWS, or the same for all, ns = 1.

    Attributes
    ----------
    levels : int
        How many there are, from the lowest.
    jump : ndarray (ns, nc, 3, cells), float64
        <k + q|A_c|k> for q = -1, 0, 1, each twice, with zeros around.
    click : ndarray (ns, nc, 3, cells), float64
        <k + q|A_c+ A_c|k> for q = 0, 1, 2, each twice, with zeros around.
    decay : ndarray (ns, 3, cells), float64
        The sum of these.
    shift : ndarray (ns, nc), float64
        s_c.
    oscillator : ndarray (nc,), float64
        o_c; with s_c = 0 where it is not zero.
    angles : ndarray (ROWS,), float64
        The angle in each stage.
    drive : ndarray (levels,), float64
        Omega_R/2 <k+1|J_+|k>; empty without such a drive.
    least : ndarray (levels,), float64
        With the drive, square roots of populations that are known to a part of themselves.
    jumps : ndarray (nc, n, n), float64
    mixing : ndarray (n, n), float64
        Of the n matrices.
    tangents : ndarray (n, 3), float64
        y_a gains the derivative of d y_0/dt by the logarithm of all rates, by the frequency of H
        and by the angle of the drive, times these; empty if none does.
    turn : ndarray (levels,), float64
        With tangents: Omega/2 <k+1|J'_+|k>.
    sources : ndarray (nc,), int64
        The tags of the photons; -1 of what has none, and empty if there are no scalars.
    full, left, change : *scratch* ndarray (levels + 2 GHOSTS, cells), float64
        Zeros to begin with.
    half : *scratch* ndarray (levels (levels + 1),), float64
    phases : *scratch* ndarray (2 levels,), float64
    """

    levels: int
    jump: np.ndarray
    click: np.ndarray
    decay: np.ndarray
    shift: np.ndarray
    oscillator: np.ndarray
    angles: np.ndarray
    drive: np.ndarray
    least: np.ndarray
    jumps: np.ndarray
    mixing: np.ndarray
    tangents: np.ndarray
    turn: np.ndarray
    sources: np.ndarray
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
    b : ndarray (STAGES,)
    c : ndarray (ROWS,)
        The place of each stage in the step; that of number STAGES is 1, the end.
    error_3, error_5 : ndarray (STAGES+1,)
    a_extra : ndarray (EXTRA, ROWS)
    d : ndarray (4, ROWS)
        Of the polynomial between the ends.
    """

    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    error_3: np.ndarray
    error_5: np.ndarray
    a_extra: np.ndarray
    d: np.ndarray


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
def table_of(system, stage):
    """Return the place of a stage's tables."""
    return min(stage, system.jump.shape[0] - 1)


@kernel
def dampen(decay, full, i, stop, change):
    """Write row i of -rho A+ A/2, summed over all A, to `change`."""
    row, two, four = np.uint64(i), np.uint64(2), np.uint64(4)
    for c in range(np.uint64(FIRST), np.uint64(stop)):
        change[row, c] = -0.5 * (
            (decay[0, c] * full[row, c] + decay[1, c] * full[row, c + two])
            + (decay[1, c - two] * full[row, c - two] + decay[2, c] * full[row, c + four])
            + decay[2, c - four] * full[row, c - four]
        )


@kernel
def scale_row(factor, full, i, stop, change):
    """Write row i of `factor` rho to `change`."""
    row = np.uint64(i)
    for c in range(np.uint64(FIRST), np.uint64(stop)):
        change[row, c] = factor * full[row, c]


@kernel
def multiply(jump, shift, full, i, stop, left):
    """Write row i of B = (A + shift) rho to `left`, up to the cell `stop`."""
    row, one, first = np.uint64(i), np.uint64(1), np.uint64(FIRST)
    down, level, up = jump[0, 2 * i + 2], jump[1, 2 * i] + shift, jump[2, 2 * i - 2]
    for c in range(first, np.uint64(stop)):
        left[row, c] = down * full[row + one, c] + level * full[row, c] + up * full[row - one, c]


@kernel
def add_jumped(jump, shift, damping, left, i, stop, change):
    """Add row i of B (A + shift)+ - damping A+ B/2, with B in `left`, to `change`."""
    row, one, two = np.uint64(i), np.uint64(1), np.uint64(2)
    half = 0.5 * damping
    down, level, up = half * jump[0, 2 * i], half * jump[1, 2 * i], half * jump[2, 2 * i]
    for c in range(np.uint64(FIRST), np.uint64(stop)):
        change[row, c] += (
            (jump[0, c + two] * left[row, c + two] + (jump[1, c] + shift) * left[row, c])
            + jump[2, c - two] * left[row, c - two]
        ) - ((down * left[row - one, c] + level * left[row, c]) + up * left[row + one, c])


@kernel
def add_turned(factor, source, i, stop, target):
    """Add row i of i `factor` `source` to `target`."""
    row, one = np.uint64(i), np.uint64(1)
    for c in range(np.uint64(FIRST), np.uint64(stop), 2):
        target[row, c] -= factor * source[row, c + one]
        target[row, c + one] += factor * source[row, c]


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
def add_jumps(jump, shift, damping, full, left, levels, change):
    """Add B (A + shift)+ - damping A+ B/2, B = (A + shift) rho, to all rows of `change`."""
    for i in range(GHOSTS, levels + GHOSTS):
        multiply(jump, shift, full, i, whole(2 * (i + GHOSTS)), left)
    for i in range(GHOSTS, levels + GHOSTS):
        add_jumped(jump, shift, damping, left, i, whole(2 * (i + 1)), change)


@kernel
def evolve(system, stage, y, at, out, to):
    """Write the Liouvillian of the lower half at y[at] to out[to]."""
    levels, full, change, phases = system.levels, system.full, system.change, system.phases
    table = table_of(system, stage)
    tabulate(phases, system.angles[stage])
    unfold(y, at, levels, phases, full)
    for i in range(GHOSTS, levels + GHOSTS):
        dampen(system.decay[table], full, i, whole(2 * (i + 1)), change)
    for c in range(system.jump.shape[1]):
        add_jumps(system.jump[table, c], 0.0, 1.0, full, system.left, levels, change)
    if system.drive.size > 0:
        for i in range(levels):
            turn_by_drive(system.drive, full, i, change)
    fold(change, levels, phases, out, to)


@kernel
def jump_by(system, c, stage, y, at, out, to):
    """Write 𝓙_c of the lower half at y[at] to out[to]."""
    levels, full, change, phases = system.levels, system.full, system.change, system.phases
    table = table_of(system, stage)
    shift = system.shift[table, c]
    tabulate(phases, system.angles[stage])
    unfold(y, at, levels, phases, full)
    for i in range(GHOSTS, levels + GHOSTS):
        scale_row(-shift * shift, full, i, whole(2 * (i + 1)), change)
    add_jumps(system.jump[table, c], shift, 0.0, full, system.left, levels, change)
    if system.oscillator[c] != 0.0:
        mix(system.jump[table, c], system.oscillator[c], full, system.left, levels, change)
    fold(change, levels, phases, out, to)


@kernel
def mix(jump, oscillator, full, left, levels, change):
    """Add what i o = i `oscillator` makes of a jump: i o rho A+ - i o A rho + o^2 rho.

    The product A rho is in `left`.
    """
    for i in range(GHOSTS, levels + GHOSTS):
        add_turned(-oscillator, left, i, whole(2 * (i + 1)), change)
    for i in range(GHOSTS, levels + GHOSTS):  # rho (A+ - i o), without what lies beyond row i
        row, stop = np.uint64(i), whole(2 * (i + 1))
        for c in range(np.uint64(FIRST), np.uint64(stop)):
            left[row, c] = (
                jump[0, c + np.uint64(2)] * full[row, c + np.uint64(2)] + jump[1, c] * full[row, c]
            ) + jump[2, c - np.uint64(2)] * full[row, c - np.uint64(2)]
        add_turned(oscillator, left, i, stop, change)
        scale = oscillator * oscillator
        for c in range(np.uint64(FIRST), np.uint64(stop)):
            change[row, c] += scale * full[row, c]


@kernel
def click_rate(system, c, stage, y, at):
    """Return Tr 𝓙_c of the lower half at y[at]."""
    table, angle = table_of(system, stage), system.angles[stage]
    shift = system.shift[table, c]
    click, jump, oscillator = system.click[table, c], system.jump[table, c], system.oscillator[c]
    rate = 0.0
    for q in range(min(3, system.levels)):
        cos, sin = math.cos(q * angle), math.sin(q * angle)
        order = 0.0
        for k in range(system.levels - q):
            cell, column = at + place(k + q, k), 2 * (k + GHOSTS)
            weight = click[q, column]
            turned = cos * y[cell] + sin * y[cell + 1]
            if q == 0:
                weight += 2.0 * shift * jump[1, column] + oscillator * oscillator
            elif q == 1:
                weight += shift * (jump[0, column + 2] + jump[2, column])
                beside = cos * y[cell + 1] - sin * y[cell]
                order += oscillator * (jump[0, column + 2] - jump[2, column]) * beside
            order += weight * turned
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
def add_tangent(system, stage, weights, y, at, slope, out):
    """Add to out[at:] what `System.tangents`, of which `weights` are a row, says of y_0.

    `slope` is d y_0/dt.
    """
    size, levels, change = system.half.size, system.levels, system.change
    if weights[0] != 0.0:
        for i in range(size):
            out[at + i] += weights[0] * slope[i]
    if weights[1] != 0.0:  # -i [J'_z, y], J'_z being diagonal
        for i in range(levels):
            for j in range(i):
                cell = place(i, j)
                out[at + cell] += weights[1] * (i - j) * y[cell + 1]
                out[at + cell + 1] -= weights[1] * (i - j) * y[cell]
    if weights[2] != 0.0:  # dH/d theta = -Omega J'_x
        half, phases = system.half, system.phases
        tabulate(phases, system.angles[stage])
        unfold(y, 0, levels, phases, system.full)
        change[:] = 0.0
        for i in range(levels):
            turn_by_drive(system.turn, system.full, i, change)
        fold(change, levels, phases, half, 0)
        for i in range(size):
            out[at + i] += weights[2] * half[i]


@kernel
def derivative(system, stage, y, out):
    """Write d/dt of everything that is integrated, in a stage of a step, to `out`."""
    half, size = system.half, system.half.size
    n = system.mixing.shape[0]
    matrices = y[: n * size]
    for a in range(n):
        evolve(system, stage, y, a * size, out, a * size)
        add_matrices(system.mixing[a], matrices, out, a * size)
        for c in range(system.jumps.shape[0]):
            if np.any(system.jumps[c, a] != 0.0):
                half[:] = 0.0
                add_matrices(system.jumps[c, a], matrices, half, 0)
                jump_by(system, c, stage, half, 0, half, 0)
                for i in range(size):
                    out[a * size + i] += half[i]
    for a in range(1, system.tangents.shape[0]):
        add_tangent(system, stage, system.tangents[a], y, a * size, out[:size], out)
    if system.sources.size > 0:
        count(system, stage, y, out)


@kernel
def count(system, stage, y, out):
    """Write d/dt of the mean photon counts and of the second moments of the tagged counts.

    The tags have their own drifts, `mixing`, and where `shift` gives photons these are not counted.
    """
    size, levels, n_channels = system.half.size, system.levels, system.sources.size
    n_tags = system.mixing.shape[0] - 1
    first = (1 + n_tags) * size
    second = first + n_channels
    for c in range(n_channels):
        out[first + c] = click_rate(system, c, stage, y, 0)
    for a in range(n_tags):
        trace_a = trace(levels, y, (1 + a) * size)
        for b in range(n_tags):
            gain = system.mixing[1 + a, 0] * trace(levels, y, (1 + b) * size)
            gain += system.mixing[1 + b, 0] * trace_a
            for c in range(n_channels):
                scale = system.jumps[c, 1 + a, 0]
                if a == system.sources[c]:
                    gain += scale * click_rate(system, c, stage, y, (1 + b) * size)
                if b == system.sources[c]:
                    gain += system.jumps[c, 1 + b, 0] * click_rate(
                        system, c, stage, y, (1 + a) * size
                    )
                if a == b == system.sources[c]:
                    shift = system.shift[table_of(system, stage), c]
                    gain += scale * scale * (out[first + c] + shift * shift)
            out[second + a * n_tags + b] = gain


@kernel
def add_slopes(slopes, weights, factor, out):
    """Add factor sum_j weights_j slopes_j to `out`, four terms in each pass over it."""
    scales = np.zeros(ROWS + 4)
    rows = np.zeros(ROWS + 4, dtype=np.uint64)
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
    n = system.mixing.shape[0]
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
def step(system, method, h, y, slopes, new, spare):
    """Take a step and return the root mean square of its error over the elements.

    Parameters
    ----------
    system : System
        With the angles of all stages, and their tables if they differ.
    method : Method
    h : float
        The length of the step.
    y : *in* (size,) float64
    slopes : *in, out* (ROWS, size) float64
        The first is the derivative of y; number STAGES becomes that of `new`.
    new : *out* (size,) float64
    spare : *scratch* (size,) float64
    """
    for stage in range(1, STAGES):
        new[:] = y
        add_slopes(slopes, method.a[stage, :stage], h, new)
        derivative(system, stage, new, slopes[stage])
    new[:] = y
    add_slopes(slopes, method.b, h, new)
    derivative(system, STAGES, new, slopes[STAGES])
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


@kernel
def prepare_between(system, method, h, y, new, slopes, spare, between):
    """Write the polynomial of a step that `step` has taken from y to `new` to `between`.

    Parameters
    ----------
    slopes : *in, out* (ROWS, size) float64
    spare : *scratch* (size,) float64
    between : *out* (7, size) float64
    """
    for e in range(EXTRA):
        stage = STAGES + 1 + e
        spare[:] = y
        add_slopes(slopes, method.a_extra[e, :stage], h, spare)
        derivative(system, stage, spare, slopes[stage])
    for i in range(y.size):
        change = new[i] - y[i]
        between[0, i] = change
        between[1, i] = h * slopes[0, i] - change
        between[2, i] = 2.0 * change - h * (slopes[STAGES, i] + slopes[0, i])
    for row in range(4):
        between[3 + row] = 0.0
        add_slopes(slopes, method.d[row], h, between[3 + row])


@kernel
def read_between(between, y, x, out):
    """Write the state at the part x of a step that began with y to `out`."""
    weights = np.empty(7)
    weight = 1.0
    for row in range(7):
        weight *= x if row % 2 == 0 else 1.0 - x
        weights[row] = weight
    out[:] = y
    add_slopes(between, weights, 1.0, out)
