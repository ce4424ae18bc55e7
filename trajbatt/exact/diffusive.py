"""The deterministic twin of diffusive homodyne detection: the state, and the mean currents.

Oscillators change neither the state nor the mean of (N_+ - N_-)/beta, so weak ones serve.
"""

import numpy as np

from trajbatt.exact.banded import BandedOrders
from trajbatt.exact.orders import CountedOrders


class DiffusiveOrders(BandedOrders):
    """All coherence orders, and behind them the clicks of weak oscillators.

    Parameters
    ----------
    model : DiffusiveModel
    rtol : float
    all_orders : bool
        Without meaning here.
    """

    def __init__(self, model, rtol, all_orders=True):
        super().__init__(model.twin, rtol)
        self.counted = Integrals(self.layout, self.model)
        self.begin, self.hand_over = self.counted.begin, self.counted.hand_over


class Integrals(CountedOrders):
    """Orders, and behind them mean numbers of clicks, of which currents are made.

    Parameters
    ----------
    layout : Orders
    model : HomodyneModel
    """

    def __init__(self, layout, model):
        super().__init__(layout, len(model.channel_names))
        self._currents = model.currents

    def counts(self, y):
        """Return the integrated mean currents in y (size, ...), float64 (nd, ...)."""
        plus, minus = ([one[i] for one in self._currents] for i in (1, 2))
        counts = super().counts(y)
        return counts[plus] - counts[minus]


def mean_currents(model, layout, y, phase):
    """Return <B + B+> of the orders y (stop, ...) at Omega t = `phase`, float64 (nd, ...).

    Parameters
    ----------
    model : HomodyneModel
    layout : Orders
        Of orders 0 and 1 at least.
    y : ndarray (stop, ...)
    phase : float or ndarray
    """
    populations, below = (y[part] for part in layout.slices[:2])
    below = below * np.exp(-1j * np.asarray(phase) * model.jumps_turn)
    found = [
        2.0 * (level @ populations + down[1:] @ below + up[:-1] @ below.conj()).real
        for down, level, up in model.signal_bands
    ]
    return np.array(found).reshape(len(found), *y.shape[1:])


def no_clicks(model, *_):
    """Raise `ValueError`: there is nothing to count."""
    raise ValueError(
        f"`model` must have clicks to be counted, but {model.name!r} has homodyne currents: "
        "take oscillators of a finite `beta`"
    )
