"""Means and co-moments of blocks of samples."""

import numpy as np

from trajbatt.kernels.compile import kernel

TILE = 512  # times at once: what is summed stays in the cache


@kernel
def comoments(samples, mean, comoment, third, fourth, deviation):
    """Write the means and the centred moments of `samples` over its first axis.

    Parameters
    ----------
    samples : *in* (n, nv, nt) float64
    mean : *out* (nv, nt) float64
    comoment : *out* (nv, nv, nt) float64
        Sums over n of (x_a - mean_a)(x_b - mean_b).
    third, fourth : *out* (nv, nt) float64
        Sums over n of (x_a - mean_a)^3 and (x_a - mean_a)^4.
    deviation : *scratch* (nv, nt) float64
    """
    n, n_variables, n_times = samples.shape
    mean[:] = 0.0
    comoment[:] = 0.0
    third[:] = 0.0
    fourth[:] = 0.0
    for start in range(0, n_times, TILE):
        first, stop = np.uint64(start), np.uint64(min(start + TILE, n_times))
        for i in range(n):
            for a in range(n_variables):
                for t in range(first, stop):
                    mean[a, t] += samples[i, a, t]
        for a in range(n_variables):
            for t in range(first, stop):
                mean[a, t] /= n
        for i in range(n):
            for a in range(n_variables):
                for t in range(first, stop):
                    d = samples[i, a, t] - mean[a, t]
                    deviation[a, t] = d
                    third[a, t] += d * d * d
                    fourth[a, t] += d * d * d * d
            for a in range(n_variables):
                for b in range(a + 1):
                    for t in range(first, stop):
                        comoment[a, b, t] += deviation[a, t] * deviation[b, t]
    for a in range(n_variables):
        for b in range(a):
            comoment[b, a] = comoment[a, b]


@kernel
def merge_comoments(one, other, step, weight, comoment):
    """Write the co-moments of two sets of samples together.

    Parameters
    ----------
    one, other : *in* (nv, nv, nt) float64
        Their co-moments.
    step : *in* (nv, nt) float64
        The difference of their means.
    weight : float
        a b/(a + b), for a and b samples.
    comoment : *out* (nv, nv, nt) float64
    """
    n_variables, n_times = step.shape
    for a in range(n_variables):
        for b in range(n_variables):
            for t in range(n_times):
                between = step[a, t] * step[b, t] * weight
                comoment[a, b, t] = one[a, b, t] + other[a, b, t] + between


@kernel
def cross_comoments(samples, mean, comoment, deviation):
    """Write the means and the centred second moments of all pairs of columns of `samples`.

    Parameters
    ----------
    samples : *in* (n, nv) float64
    mean : *out* (nv,) float64
    comoment : *out* (nv, nv) float64
    deviation : *scratch* (nv,) float64
    """
    n, n_variables = samples.shape
    mean[:] = 0.0
    comoment[:] = 0.0
    for i in range(n):
        for a in range(n_variables):
            mean[a] += samples[i, a]
    for a in range(n_variables):
        mean[a] /= n
    for i in range(n):
        for a in range(n_variables):
            deviation[a] = samples[i, a] - mean[a]
        for a in range(n_variables):
            for b in range(n_variables):
                comoment[a, b] += deviation[a] * deviation[b]
