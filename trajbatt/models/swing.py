"""The swing of the energy at Omega_P, where a picture or a table cannot follow it.

In the basis of H = Omega J'_z the energy is N/2 + cos(theta) <J'_z> + sin(theta) Re <J'_+>, and
<J'_+> turns by Omega while <J'_z> stands. Energy and bare dipole at one time are enough to turn
into that basis, so what the energy swings about, and how far, needs no other time.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.base.types import FloatArray

FINE = 8  # times a period that make a line look like an oscillation
MOST_PERIODS = 150  # that a picture shows one by one
FREE = 300.0  # times the collective rates: Omega above it, and <J'_z> stands within 1/FREE of N


class Swing(NamedTuple):
    """An energy that swings fast, over one period about each of some times.

    Attributes
    ----------
    times : ndarray (nt,), float64
    middle : ndarray (nt,), float64
        Its mean over a period.
    low, high : ndarray (nt,), float64
        Its least and its largest.
    """

    times: FloatArray
    middle: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def about(cls, times: FloatArray, middle: FloatArray, amplitude: FloatArray) -> "Swing":
        """Return the swing by `amplitude` (nt,) on both sides of `middle` (nt,)."""
        return cls(times, middle, middle - amplitude, middle + amplitude)


def period(model):
    """Return that of the energy under a plain model; inf if it does not swing."""
    turns = abs(model.frequency) if abs(math.sin(model.theta)) > 1e-12 else 0.0
    return 2.0 * math.pi / turns if turns > 0 else math.inf


def is_followed(model, times):
    """Whether a line through the energies at `times` (nt,) shows each of its oscillations.

    Or nothing better is known: of stages that begin in each trajectory at another time.
    """
    if model.is_steered:
        return True
    for stage in model.latest_stages(times[-1]):
        lasting = period(stage.model)
        if not math.isfinite(lasting):
            continue
        _, local = stage.select(times)
        if times[-1] > MOST_PERIODS * lasting:
            return False
        if local.size > 1 and np.diff(local).max() > lasting / FINE * (1.0 + 1e-6):
            return False
    return True


def turns_freely(model):
    """Whether nothing but a turn by Omega_P changes the state within a period.

    It is so for models whose H is diagonal, and else for large Omega_P.
    """

    def is_free(plain):
        # The shortest time is that of the swing and of the collective rates together.
        rates = 1.0 / plain.timescale - abs(plain.frequency)
        return plain.oscillates_at == 0.0 or abs(plain.frequency) >= FREE * rates

    return all(is_free(stage.model) for stage in model.latest_stages())


def angles(model, times):
    """Return the angle of the basis in which the mean of the energy stands at each time, (nt,)."""
    theta = np.zeros(times.size)
    for stage in model.stages(times[-1]):
        wanted, _ = stage.select(times)
        theta[wanted] = stage.model.theta if math.isfinite(period(stage.model)) else 0.0
    return theta


def swing_of(model, times, energy, dipole):
    """Return the `Swing` of an energy whose model `turns_freely`.

    Parameters
    ----------
    model : Model
    times : ndarray (nt,), float64
    energy : ndarray (nt,), float64
    dipole : ndarray (nt,), complex128
        Bare <J_+> at the same times.

    Returns
    -------
    Swing
    """
    theta = angles(model, times)
    cos, sin = np.cos(theta), np.sin(theta)
    z, x = energy - model.n_atoms / 2, dipole.real
    stands = cos * z - sin * x
    turns = np.hypot(sin * z + cos * x, dipole.imag)
    return Swing.about(times, model.n_atoms / 2 + cos * stands, np.abs(sin) * turns)
