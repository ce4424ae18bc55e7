"""First-order coherence and spectra of the lines, exactly.

What a spectrometer or an interferometer sees of a channel's light, instead of a click detector.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from trajbatt.base import checks
from trajbatt.base.checks import shown
from trajbatt.base.types import FloatArray
from trajbatt.counting.course import Course, populations
from trajbatt.exact.lines import Line
from trajbatt.models.banded import BandedModel
from trajbatt.models.channelled import ChannelledModel
from trajbatt.models.model import check_at_rest, check_plain, check_symmetric
from trajbatt.states.fixed_frame import fixed_frame
from trajbatt.states.initial import Initial
from trajbatt.states.steady_state import steady_state

DARK = 1e-12  # of the largest rate: light that has ended


class Spectrum(NamedTuple):
    """The spectrum of a line.

    Attributes
    ----------
    density : ndarray (nw,), float64
        Photons for each unit of angular frequency: per unit of time in the steady state, in all in
        a pulse. Its integral over the frequency is the rate, or the number, of photons, less the
        elastic ones.
    elastic : float
        Photons exactly at the line's frequency, in the steady state.
    """

    density: FloatArray
    elastic: float


def g1(
    model: ChannelledModel,
    tlist: ArrayLike,
    channel: str,
    initial: Initial | None = None,
    at: float = 0.0,
) -> FloatArray:
    """Return g1(t, t + tau) = <L+(t + tau) L(t)>/sqrt(I(t) I(t + tau)) of a line, float64 (nt,).

    In the frame of the line's own frequency, in which it is real.

    Parameters
    ----------
    model : LadderModel
    tlist : array_like (nt,)
        Strictly increasing delays tau >= 0.
    channel : str
    initial : optional
        As in `mesolve`. In the steady state, give it as `initial`.
    at : float
        The time t.

    Returns
    -------
    ndarray
        nan where there is no light.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind.
    """
    line, place = _line(model, channel)
    delays, at = checks.times("tlist", tlist), checks.real("at", at, 0)
    course = Course.of(model, initial, at + delays[-1], "tlist` after `at").later(at)
    found = line.coherence(populations(course), delays)
    now, later = course.walk(np.zeros(1))[1][place, 0], course.walk(delays)[1][place]
    both = np.sqrt(now * later)
    return np.divide(found, both, out=np.full_like(both, np.nan), where=both > 0.0)


def spectrum(
    model: ChannelledModel | BandedModel,
    frequencies: ArrayLike,
    channel: str,
    initial: Initial | None = None,
    until: float | None = None,
) -> Spectrum:
    """Return the `Spectrum` of a line, by quantum regression.

    In the steady state each frequency is one tridiagonal system, O(N); the spectrum of a pulse that
    is cut off is followed in time, for all frequencies together. That of the driven Eq. (5), all
    three lines and what lies between, is of the steady state near its mean spin, at any N.

    Parameters
    ----------
    model : LadderModel or BandedModel
    frequencies : array_like (nw,)
        Angular frequencies from the line's own one: omega_P - s Omega_P for a channel that steps by
        s, omega_P the pump's; of a discharge omega_0; of Eq. (5) omega_P. In the unit of rates.
    channel : str
    initial : optional
        As in `mesolve`: where a pulse begins.
    until : float, optional
        The end of the pulse from t = 0 on; inf for all of a light that ends. Without it the light
        is that of the steady state.

    Returns
    -------
    Spectrum

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or of the wrong kind, or a light without end is wanted
        whole.
    """
    offsets = _checked_frequencies(frequencies)
    check_plain(model)
    if not model.has_lines:
        return _of_driven(model, offsets, channel, initial, until)
    line, place = _line(model, channel)
    if until is None:
        if initial is not None:
            raise ValueError("`initial` must be left out without `until`: the light is steady")
        return Spectrum(*line.spectrum(steady_state(model).populations, offsets))
    until = until if until == math.inf else checks.positive("until", until)
    levels = populations(Course.of(model, initial, 0.0))
    if until < math.inf:
        return Spectrum(line.pulse(levels, offsets, until), 0.0)
    clicks = line.model.click_rates[place]
    if clicks @ steady_state(model).populations > DARK * clicks.max(initial=0.0):
        raise ValueError(f"`until` must be finite, because the light of {channel!r} does not end")
    return Spectrum(line.spectrum(line.lived(levels), offsets)[0], 0.0)


def _of_driven(model, offsets, channel, initial, until):
    """Return the `Spectrum` of the driven Eq. (5)."""
    check_at_rest(model, "`model`")
    checks.choice("channel", channel, model.channel_names)
    if initial is not None or until is not None:
        raise ValueError("`initial` and `until` must be left out with Eq. (5): its light is steady")
    found, _ = fixed_frame(model)
    return Spectrum(*found.spectrum(offsets))


def _line(model, channel):
    check_plain(model)
    check_symmetric(model, "`model`")
    check_symmetric(model, "`model` with lines")
    if not model.clicks_from_populations:
        raise TypeError(
            "`model` must be a ladder to have lines, such as battery.charge(), "
            f"but is a {type(model).__name__}"
        )
    if not model.channel_names:
        raise ValueError(f"`model` must have a channel, but {model.name!r} has none")
    place = model.channel_names.index(checks.choice("channel", channel, model.channel_names))
    return Line(model, place), place


def _checked_frequencies(frequencies):
    values = np.asarray(frequencies)
    if values.ndim != 1 or values.dtype.kind not in "iuf" or not values.size:
        raise TypeError(f"`frequencies` must be a sequence of numbers, but is {shown(frequencies)}")
    if not np.all(np.isfinite(values)):
        raise ValueError("`frequencies` must be finite, but hold nan or inf")
    return values.astype(float)
