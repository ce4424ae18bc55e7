r"""Linear systems of the ladder with two indices, (p - hA) x = b, by sweeps over its blocks.

A couples a block of J to the next longer and the next shorter one, and is tridiagonal inside. One
sweep goes from the longest block down and solves each with what the last sweep left in the next
shorter one: a Gauss-Seidel iteration by blocks. Jumps to longer spins are rarer than jumps to
shorter ones by about (N/2 - J)/N, so few sweeps suffice. Columns of p - hA are dominated by their
diagonal if Re p > 0, because A loses what it gains, so no pivots are needed.
"""

from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel

NOTHING = 1e-100  # is added everywhere: numbers that underflow are slow


class Blocks(NamedTuple):
    """A, and where its blocks are.

    Attributes
    ----------
    starts, sizes : ndarray (nb,), int64
    first : ndarray (nb,), int64
        u of the first place of each block.
    is_first : ndarray (nb,), bool
        No longer block feeds this one: it begins a coherence order.
    below, diagonal, above : ndarray (n,), float64 or complex128
        Element i of `below` couples row i + 1 to column i, of `above` row i - 1 to column i.
    shorter : ndarray (3, n)
        What level u of a block gains from u, u + 1 and u + 2 of the longer block.
    longer : ndarray (3, n)
        What level u of a block gives to u + 2, u + 1 and u of the longer block.
    """

    starts: np.ndarray
    sizes: np.ndarray
    first: np.ndarray
    is_first: np.ndarray
    below: np.ndarray
    diagonal: np.ndarray
    above: np.ndarray
    shorter: np.ndarray
    longer: np.ndarray


@kernel
def factorise(pole, h, blocks, inverse, forward, backward):
    """Write the factors of the tridiagonal parts of (pole - hA).

    Parameters
    ----------
    pole : float or complex
    h : float
    blocks : Blocks, *in*
    inverse, forward, backward : ndarray (n,), of the type of the pole, *out*
        Of the pivots; what is added to each row of the row above, and of the solution below.
    """
    below, diagonal, above = blocks.below, blocks.diagonal, blocks.above
    for block in range(blocks.starts.size):
        start = blocks.starts[block]
        stop = start + blocks.sizes[block]
        for i in range(start, stop):
            pivot = pole - h * diagonal[i]
            forward[i] = 0.0
            if i > start:
                forward[i] = h * below[i - 1] * inverse[i - 1]
                pivot -= forward[i] * h * above[i]
            inverse[i] = 1.0 / pivot
            backward[i] = 0.0
            if i + 1 < stop:
                backward[i] = h * above[i + 1] * inverse[i]


@kernel
def add_from_longer(gain, there, offset, work):
    """Add what a block gains from the longer one, whose place i + offset is of the same u."""
    begin, end = max(0, -offset), min(work.size, there.size - offset - 2)
    if begin < end:  # where all three are there
        target = work[begin:end]
        first, second, third = gain[0, begin:end], gain[1, begin:end], gain[2, begin:end]
        source = there[begin + offset : end + offset + 2]
        for i in range(target.size):
            target[i] += first[i] * source[i] + second[i] * source[i + 1] + third[i] * source[i + 2]
    for k in range(3):
        for i in range(max(0, -offset - k), min(begin, there.size - offset - k)):
            work[i] += gain[k, i] * there[i + offset + k]
        for i in range(max(end, begin, -offset - k), min(work.size, there.size - offset - k)):
            work[i] += gain[k, i] * there[i + offset + k]


@kernel
def add_from_shorter(gift, there, offset, work):
    """Add what a block gains from the shorter one, whose place i + offset is of the same u."""
    begin, end = max(0, 2 - offset), min(work.size, there.size - offset)
    if begin < end:
        target = work[begin:end]
        source = there[begin + offset - 2 : end + offset]
        first = gift[0, begin + offset - 2 : end + offset - 2]
        second = gift[1, begin + offset - 1 : end + offset - 1]
        third = gift[2, begin + offset : end + offset]
        for i in range(target.size):
            target[i] += first[i] * source[i] + second[i] * source[i + 1] + third[i] * source[i + 2]
    for k in range(3):
        shift = offset + k - 2
        for i in range(max(0, -shift), min(begin, there.size - shift)):
            work[i] += gift[k, i + shift] * there[i + shift]
        for i in range(max(end, begin, -shift), min(work.size, there.size - shift)):
            work[i] += gift[k, i + shift] * there[i + shift]


@kernel
def substitute(inverse, forward, backward, work, x):
    """Solve one block for `work` (n,), which is used up.

    Returns the squares of the largest change and of the largest element of x.
    """
    size = work.size
    if size == 0:
        return 0.0, 0.0
    last = work[0]
    for i in range(1, size):
        last = work[i] + forward[i] * last
        work[i] = last
    last = 0.0 * last
    change, largest = 0.0, 0.0
    for back in range(size):
        i = size - 1 - back
        last = work[i] * inverse[i] + backward[i] * last
        step = last - x[i]
        change = max(change, step.real * step.real + step.imag * step.imag)
        largest = max(largest, last.real * last.real + last.imag * last.imag)
        x[i] = last
    return change, largest


@kernel
def sweep(blocks, inverse, forward, backward, b, x, work):
    """Go once over all blocks; return the largest change of x, and its largest element.

    Parameters
    ----------
    blocks : Blocks, *in*
        Of hA in place of A.
    inverse, forward, backward : ndarray (n,), *in*
        Of `factorise`.
    b : ndarray (n,), *in*
    x : ndarray (n,), *in, out*
    work : ndarray (size of the largest block,), *scratch*
        All of one type, float64 or complex128.
    """
    starts, sizes, first = blocks.starts, blocks.sizes, blocks.first
    change, largest = 0.0, 0.0
    for block in range(starts.size):
        start, size = starts[block], sizes[block]
        stop = start + size
        part = work[:size]
        for i in range(size):
            part[i] = b[start + i] + NOTHING
        if not blocks.is_first[block]:
            source = starts[block - 1]
            there = x[source : source + sizes[block - 1]]
            offset = first[block] - first[block - 1]
            add_from_longer(blocks.shorter[:, start:stop], there, offset, part)
        if block + 1 < starts.size and not blocks.is_first[block + 1]:
            source = starts[block + 1]
            there = x[source : source + sizes[block + 1]]
            offset = first[block] - first[block + 1]
            gift = blocks.longer[:, source : source + sizes[block + 1]]
            add_from_shorter(gift, there, offset, part)
        factors = inverse[start:stop], forward[start:stop], backward[start:stop]
        found = substitute(*factors, part, x[start:stop])
        change, largest = max(change, found[0]), max(largest, found[1])
    return np.sqrt(change), np.sqrt(largest)
