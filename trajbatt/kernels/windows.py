"""Kets cut to the windows of levels that they occupy."""

import math

import numpy as np

from trajbatt.kernels.compile import kernel


@kernel
def cut(parts, negligible, first, offsets, amplitudes):
    """Cut kets to their windows, normalise them, and write them back to back.

    Parameters
    ----------
    parts : *in* (2, n, levels) float64
        The real and the imaginary parts.
    negligible : float
        Levels of less weight at the ends are dropped.
    first : *out* (n,) int64
        The lowest level of each window.
    offsets : *out* (n+1,) int64
        The sums of the sizes of those before.
    amplitudes : *out* (n levels,) complex128
        Filled up to offsets[n].
    """
    place = offsets[0] = 0
    for i in range(parts.shape[1]):
        re, im = parts[0, i], parts[1, i]
        begin, end = 0, re.size
        while begin < end - 1 and re[begin] ** 2 + im[begin] ** 2 < negligible:
            begin += 1
        while end > begin + 1 and re[end - 1] ** 2 + im[end - 1] ** 2 < negligible:
            end -= 1
        real = imag = 0.0  # two sums that do not wait for each other
        for k in range(np.uint64(begin), np.uint64(end)):
            real += re[k] ** 2
            imag += im[k] ** 2
        scale = 1.0 / math.sqrt(real + imag)
        for k in range(np.uint64(begin), np.uint64(end)):
            amplitudes[place] = complex(scale * re[k], scale * im[k])
            place += 1
        first[i], offsets[i + 1] = begin, place


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
            real = imag = 0.0  # two sums that do not wait for each other
            for k in range(np.uint64(kets.shape[2])):
                real += kets[i, j, k].real ** 2
                imag += kets[i, j, k].imag ** 2
            total = real + imag
            scale = 1.0 / math.sqrt(total) if total > 0.0 else 0.0
            for k in range(np.uint64(kets.shape[2])):
                kets[i, j, k] *= scale * own[j, k]
