"""Means over bins of time of what is known at each time."""

from numpy.polynomial.legendre import leggauss

from trajbatt import counting

POINTS, WEIGHTS = leggauss(4)


def mean_in_bins(values):
    return (values.reshape(-1, POINTS.size) * WEIGHTS).sum(axis=1) / 2


def g2_in_bins(model, delays, pair, initial, first):
    pairs = counting.correlation(model, delays, pair, initial, first)
    product = pairs / counting.g2(model, delays, pair, initial, first)
    return mean_in_bins(pairs) / mean_in_bins(product)
