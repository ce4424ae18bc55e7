"""Sums over samples."""

import numpy as np

from trajbatt.kernels import comoments


def test_comoments_are_those_of_numpy():
    samples = np.random.default_rng(4).normal(size=(50, 3, 4))
    mean, comoment = np.empty((3, 4)), np.empty((3, 3, 4))
    third, fourth = np.empty((3, 4)), np.empty((3, 4))
    comoments.comoments(samples, mean, comoment, third, fourth, np.empty((3, 4)))
    deviation = samples - samples.mean(axis=0)
    np.testing.assert_allclose(third, (deviation**3).sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(fourth, (deviation**4).sum(axis=0))
    np.testing.assert_allclose(mean, samples.mean(axis=0), atol=1e-14)
    for t in range(4):
        np.testing.assert_allclose(comoment[:, :, t] / 49, np.cov(samples[:, :, t].T), atol=1e-14)
    flat = samples.reshape(50, 12)
    mean, comoment = np.empty(12), np.empty((12, 12))
    comoments.cross_comoments(flat, mean, comoment, np.empty(12))
    np.testing.assert_allclose(comoment / 49, np.cov(flat.T), atol=1e-14)
