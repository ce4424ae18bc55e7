"""Kets cut to the windows of levels that they occupy."""

import math

from trajbatt.kernels.compile import kernel


@kernel
def find(rows, cells, negligible, first, offsets):
    """Find the window of each row, and write zeros outside.

    Parameters
    ----------
    rows : *in, out* (n, levels cells) float64
    cells : int
        Of a level: 1 of real amplitudes, 2 of complex ones.
    negligible : float
        Levels of less weight at the ends are dropped.
    first : *out* (n,) int64
        The lowest level of each window.
    offsets : *out* (n+1,) int64
        The sums of the sizes of those before.
    """
    offsets[0] = 0
    for i in range(rows.shape[0]):
        begin, end = 0, rows.shape[1]
        while begin < end - cells and weight(rows[i], begin, cells) < negligible:
            begin += cells
        while end > begin + cells and weight(rows[i], end - cells, cells) < negligible:
            end -= cells
        rows[i, :begin] = 0.0
        rows[i, end:] = 0.0
        first[i] = begin // cells
        offsets[i + 1] = offsets[i] + (end - begin) // cells


@kernel
def weight(row, begin, cells):
    """Return the weight of a level."""
    total = 0.0
    for k in range(begin, begin + cells):
        total += row[k] * row[k]
    return total


@kernel
def cut(rows, cells, first, offsets, amplitudes):
    """Write what is in the windows back to back.

    Parameters
    ----------
    rows, cells, first, offsets : *in*
        As of `find`.
    amplitudes : *out* (offsets[n] cells,) float64
    """
    for i in range(rows.shape[0]):
        place = cells * offsets[i]
        begin = cells * first[i]
        for k in range(cells * (offsets[i + 1] - offsets[i])):
            amplitudes[place + k] = rows[i, begin + k]


@kernel
def give_phases(kets, phases):
    """Multiply kets by phases of their levels, and normalise those that are not zero, in place.

    Parameters
    ----------
    kets : *in, out* (n, nk, levels) complex128
    phases : *in* (1 or n, nk, levels) complex128
    """
    for i in range(kets.shape[0]):
        own = phases[min(i, phases.shape[0] - 1)]
        for j in range(kets.shape[1]):
            total = 0.0
            for k in range(kets.shape[2]):
                total += kets[i, j, k].real ** 2 + kets[i, j, k].imag ** 2
            scale = 1.0 / math.sqrt(total) if total > 0.0 else 0.0
            for k in range(kets.shape[2]):
                kets[i, j, k] *= scale * own[j, k]
