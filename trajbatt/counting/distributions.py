r"""Photon numbers, exactly: their distributions.

The generating function G(z) = E[prod_c z_c^{n_c}] on the unit circle is the Fourier transform of
the distribution: with M points, P(n) comes out modulo M, which is exact where M covers the numbers
that have a probability at all. Their mean and variance are known beforehand, so M grows with the
width of the distribution.
"""

import itertools
import math

import numpy as np

from trajbatt.base import checks
from trajbatt.base.types import FloatArray, Pair
from trajbatt.counting.counted import Numbers
from trajbatt.light.detectors import Detectors
from trajbatt.models.model import Model
from trajbatt.states.initial import Initial

UNLIKELY = 1e-12  # probability at the ends of a window that is wide enough
MOMENT = 1e-7  # to which the moments of a window must be the known ones
MOST_PROBABILITIES = 1e8  # probabilities
WIDENINGS = 30  # by a half each, before something else is wrong
WIDTHS, SLACK = 8.0, 16  # a window reaches so many standard deviations, and photons more


def distribution(
    model: Model,
    t: float,
    channel: str,
    initial: Initial | None = None,
    start: float = 0.0,
    detectors: Detectors | None = None,
) -> FloatArray:
    """Return the distribution of the number of photons by the time t, exactly.

    For a ladder model, or a channel that only the last stage of a protocol has, it takes the
    populations only, O(N) for each of some hundreds of counting fields. The driven Eq. (5), of 50
    atoms and more, takes some tens of levels of the co-moving frame: seconds at any N. Else it
    takes whole density matrices, O(N^2).

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
        Such as `battery.charge()`.
    t : float
        At least 0, in the unit of 1/rate.
    channel : str
        The name of a channel, or "total" for the sum over all.
    initial : optional
        As in `mesolve`.
    start : float
        Photons count from this time on; the state is `initial` at 0.
    detectors : Detectors, optional
        Count what they see instead: their efficiency, dark counts and cross-talk.

    Returns
    -------
    ndarray (n,), float64
        The probabilities of 0, 1, 2, ... photons; those beyond are below 1e-12.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    return _joint(Numbers(model, t, (channel,), initial, start, detectors))


def joint_distribution(
    model: Model,
    t: float,
    channels: Pair,
    initial: Initial | None = None,
    start: float = 0.0,
    detectors: Detectors | None = None,
) -> FloatArray:
    """Return the joint distribution of the photon numbers of two channels, float64 (n_a, n_b).

    It takes a counting field for every pair of numbers: seconds at N = 20, minutes at N = 100.

    Parameters
    ----------
    model : LadderModel, BandedModel or Protocol
    t : float
        At least 0.
    channels : pair of str
        Names of channels, or "total".
    initial : optional
        As in `mesolve`.
    start : float
        Photons count from this time on.
    detectors : Detectors, optional
        Count what they see instead.

    Returns
    -------
    ndarray (n_a, n_b), float64
        As those of `distribution`.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    channels = checks.pair("channels", channels)
    return _joint(Numbers(model, t, channels, initial, start, detectors, "channels"))


def _joint(numbers):
    """Return the distribution of one or two `Numbers`."""
    means, variances = numbers.means, np.diagonal(numbers.covariance)
    if not np.any(means):
        none = np.zeros((SLACK + 1,) * means.size)
        none[(0,) * means.size] = 1.0
        return none
    expected = np.prod(means + WIDTHS * np.sqrt(np.maximum(variances, 0.0)))
    if not expected < MOST_PROBABILITIES:
        raise ValueError(
            f"`t` must leave fewer than {MOST_PROBABILITIES:.0e} probabilities, not {expected:.1e}"
        )
    reach = np.array([WIDTHS * math.sqrt(max(v, 0.0)) + SLACK for v in variances])
    for _ in range(WIDENINGS):
        first = [max(0, math.floor(m - r)) for m, r in zip(means, reach, strict=True)]
        sizes = [math.ceil(m + r) - f + 1 for m, r, f in zip(means, reach, first, strict=True)]
        window = _window(numbers, first, sizes)
        if _fits(window, first, means, variances):
            break
        reach *= 1.5
    else:
        raise ArithmeticError("no window holds the photon numbers with their known moments")
    whole = np.zeros([f + n for f, n in zip(first, sizes, strict=True)])
    whole[tuple(slice(f, None) for f in first)] = np.maximum(window, 0.0)
    return whole


def _fits(window, first, means, variances):
    """Whether a window holds all numbers: those beyond would come out elsewhere in it.

    Then something stands at its ends (one that begins with 0 has no lower end), or, where the
    distribution has parts far from each other, its mean and variance are wrong.
    """
    for axis, (start, mean, variance) in enumerate(zip(first, means, variances, strict=True)):
        profile = window.sum(axis=tuple(i for i in range(window.ndim) if i != axis))
        ends = np.abs(profile[-4:] if start == 0 else np.append(profile[:4], profile[-4:]))
        n = start + np.arange(profile.size) - mean
        off = abs(profile @ n), abs(profile @ n**2 - variance)
        if (
            ends.max() > UNLIKELY
            or off[0] > MOMENT * (1 + mean)
            or off[1] > MOMENT * (1 + mean + variance)
        ):
            return False
    return True


def _window(numbers, first, sizes):
    """Return the probabilities in a window of photon numbers, by Fourier transform."""
    halves = [*sizes[:-1], sizes[-1] // 2 + 1]  # the others are complex conjugates
    angles = [
        2.0 * np.pi * np.arange(points) / size for points, size in zip(halves, sizes, strict=True)
    ]
    turns = np.array(list(itertools.product(*angles)))
    z = np.exp(1j * turns)

    def transformed(may_stop):
        found = numbers.generating(z, may_stop).reshape(halves)
        modulo = np.fft.irfftn(found.conj(), s=sizes, axes=range(len(sizes)))
        return np.roll(modulo, [-f for f in first], axis=tuple(range(len(sizes))))

    # For one wide number the generating function falls to nothing and stays there, unless numbers
    # of one parity are missing; then what is left out would make some probabilities negative.
    window = transformed(may_stop=len(sizes) == 1)
    return window if window.min() > -UNLIKELY else transformed(may_stop=False)
