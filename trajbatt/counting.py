r"""Photon numbers under a ladder model, exactly: their distributions, and the first photon.

A counting field z_c multiplies the jumps of channel c. The populations then obey a tridiagonal
system, and their sum after the time t is the generating function G(z) = E[prod_c z_c^{n_c}]. On the
unit circle it is the Fourier transform of the distribution: with M points, P(n) comes out modulo M,
which is exact where M covers the numbers that have a probability at all. Their mean and variance
are known beforehand (`trajbatt.count_covariances`), so M grows with the width of the distribution.
"""

import itertools
import math

import numpy as np

from trajbatt import checks
from trajbatt.coherence import CoherenceOrders
from trajbatt.mesolve import mesolve
from trajbatt.models import LadderModel
from trajbatt.propagators import rational_states
from trajbatt.states import prepare
from trajbatt.tridiagonal import tridiagonal_solver

ACCURACY = 1e-12  # of the generating function
NEGLIGIBLE = 1e-12  # probability at the ends of a window that is wide enough
WIDTHS, SLACK = 8.0, 16  # a window reaches so many standard deviations, and photons more
UNKNOWNS, BATCH = 200_000, 32  # of one system, and fields; more are solved in turn
SPENT = 1e-15  # of the generating function, beyond which it stays zero
TOTAL = "total"


class TiltedPopulations:
    """The populations of a ladder model under several counting fields, side by side.

    Parameters
    ----------
    model : LadderModel
    fields : ndarray (nf, nc), complex128
    """

    is_real = False

    def __init__(self, model, fields):
        self._levels = model.n_atoms + 1
        self._shape = (len(fields), self._levels)
        self.timescale = 0.25 * model.timescale
        self.rounding = ACCURACY
        rates = model.click_rates
        jumps = {
            step: fields[:, model.shifts == step] @ rates[model.shifts == step]
            for step in (-1, 0, 1)
        }
        # The rate of a jump off the ladder is zero: it separates the fields.
        self._below = jumps[1].ravel()[:-1]
        self._above = jumps[-1].ravel()[1:]
        self._diagonal = (jumps[0] - rates.sum(axis=0)).ravel()

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y."""
        substitute = tridiagonal_solver(
            -h * self._below, pole - h * self._diagonal, -h * self._above
        )

        def solve(y):
            x = y.astype(complex)
            substitute(x)
            return x

        return solve

    def monitor(self, y):
        """Return the generating function."""
        return y.reshape(self._shape).sum(axis=1)

    def normalise(self, y):
        """Leave y as it is: under a field nothing is conserved."""


def distribution(model, t, channel, initial=None):
    """Return the distribution of the number of photons by the time t, exactly.

    Parameters
    ----------
    model : LadderModel
        `battery.charge()` or `battery.discharge()`.
    t : float
        At least 0, in the unit of 1/rate.
    channel : str
        The name of a channel, or "total" for the sum over all.
    initial : optional
        As in `mesolve`.

    Returns
    -------
    ndarray (n,), float64
        The probabilities of 0, 1, 2, ... photons; those beyond are below 1e-12.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    return _joint(model, t, (channel,), initial)


def joint_distribution(model, t, channels, initial=None):
    """Return the joint distribution of the photon numbers of two channels, float64 (n_a, n_b).

    Parameters and errors as for `distribution`, with a pair of channels.
    """
    if not isinstance(channels, tuple | list) or len(channels) != 2:
        raise TypeError(f"`channels` must be a pair of channels, but is {channels!r}")
    return _joint(model, t, tuple(channels), initial)


def first_click(model, tlist, initial=None):
    """Return the probability that a photon of any channel has come by each time, float64 (nt,).

    Parameters
    ----------
    model : LadderModel
    tlist : array_like (nt,)
        Strictly increasing times >= 0.
    initial : optional
        As in `mesolve`.
    """
    _check(model)
    times = checks.times("tlist", tlist)
    orders = CoherenceOrders(model, [0])
    populations = orders.of_mixture(prepare(model, initial)).real
    return -np.expm1(-np.multiply.outer(times, model.click_rates.sum(axis=0))) @ populations


def _check(model):
    if not isinstance(model, LadderModel):
        raise TypeError(
            "`model` must be a ladder model such as battery.charge(), "
            f"but is a {type(model).__name__}"
        )


def _joint(model, t, channels, initial):
    """Return the distribution of one or two numbers of photons."""
    _check(model)
    t = checks.real("t", t, 0)
    names = model.channel_names
    if not names:
        raise ValueError(f"`model` must have a channel, but {model.name!r} has none")
    for channel in channels:
        checks.choice("channel", channel, (*names, TOTAL))
    counted = np.array(
        [[channel in (name, TOTAL) for name in names] for channel in channels], dtype=float
    )
    moments = mesolve(model, [t], initial, covariances=True)
    means = counted @ moments.counts[:, 0]
    variances = np.diagonal(counted @ moments.counts_covariance[:, :, 0] @ counted.T)
    mixture = prepare(model, initial)
    widths = WIDTHS
    while True:
        reach = [widths * math.sqrt(max(v, 0.0)) + SLACK for v in variances]
        first = [max(0, math.floor(m - r)) for m, r in zip(means, reach, strict=True)]
        sizes = [math.ceil(m + r) - f + 1 for m, r, f in zip(means, reach, first, strict=True)]
        window = _window(model, t, mixture, counted, first, sizes)
        if _fits(window, first):
            break
        widths *= 1.5
    whole = np.zeros([f + n for f, n in zip(first, sizes, strict=True)])
    whole[tuple(slice(f, None) for f in first)] = np.maximum(window, 0.0)
    return whole


def _fits(window, first):
    """Whether nothing stands at the ends of a window; one that begins with 0 has no lower end."""
    for axis, start in enumerate(first):
        profile = np.abs(window.sum(axis=tuple(i for i in range(window.ndim) if i != axis)))
        if profile[-4:].max() > NEGLIGIBLE or (start > 0 and profile[:4].max() > NEGLIGIBLE):
            return False
    return True


def _window(model, t, mixture, counted, first, sizes):
    """Return the probabilities in a window of photon numbers, by Fourier transform."""
    halves = [*sizes[:-1], sizes[-1] // 2 + 1]  # the others are complex conjugates
    angles = [
        2.0 * np.pi * np.arange(points) / size for points, size in zip(halves, sizes, strict=True)
    ]
    turns = np.array(list(itertools.product(*angles)))
    fields = np.exp(1j * (turns @ counted))
    populations = CoherenceOrders(model, [0]).of_mixture(mixture).real

    def transformed(may_stop):
        generating = np.zeros(len(fields), dtype=complex)
        batch = max(1, min(BATCH, UNKNOWNS // populations.size))
        for start in range(0, len(fields), batch):
            part = fields[start : start + batch]
            system = TiltedPopulations(model, part)
            y = np.tile(populations, len(part)).astype(complex)
            (y,) = rational_states(system, y, np.array([t]), ACCURACY)
            generating[start : start + batch] = found = system.monitor(y)
            if may_stop and np.abs(found).max() < SPENT:
                break
        modulo = np.fft.irfftn(generating.reshape(halves).conj(), s=sizes, axes=range(len(sizes)))
        return np.roll(modulo, [-f for f in first], axis=tuple(range(len(sizes))))

    # For one wide number the generating function falls to nothing and stays there, unless numbers
    # of one parity are missing; then what is left out would make some probabilities negative.
    window = transformed(may_stop=len(sizes) == 1)
    return window if window.min() > -NEGLIGIBLE else transformed(may_stop=False)
