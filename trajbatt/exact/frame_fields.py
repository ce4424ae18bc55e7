"""The driven Eq. (5) under complex counting fields, in the frame: photon numbers at any N.

With z_c - 1 for each channel, and s_c its mean field in the frame, whose photons alone would be a
Poissonian number of mean nu_c = integral s_c^2 dt,

    y(z) = exp(sum_c (z_c - 1) nu_c) (a + ib),
    d(a + ib)/dt = 𝓛 (a + ib) + sum_c (z_c - 1) (𝓙_c - s_c^2) (a + ib),

so that the pair of Hermitian matrices goes on as slowly as the fluctuations do. The frame is that
of z = 1; while y is not spent, a + ib stays near the pole, too, and where it does not, more levels
are taken. For |z| = 1 the trace norm of y never grows: what is spent remains so.
"""

import math

import numpy as np

from trajbatt.exact.fields import TRACE_ACCURACY
from trajbatt.exact.frame import FEWEST, FrameFlow, of_mean_field
from trajbatt.exact.frame_layout import enter
from trajbatt.exact.spread import SpreadError

SPENT = 1e-20  # of the largest element of y, with which it ends
PIECE = 3.0  # factors e by which y may fall before a + ib is scaled
ROUGH = 1e-4  # accuracy of the mean field that tells how many pieces there are


class FrameFields:
    """The generating function of the photons of one stage, field by field.

    Parameters
    ----------
    model : FrameModel
    fields : ndarray (nf, nc), complex128
    goes_on : bool
        Must be false: the pairs of a stage that another one follows are left to whole matrices.

    Raises
    ------
    SpreadError
        If it is not.
    """

    def __init__(self, model, fields, goes_on):
        if goes_on:
            raise SpreadError
        self.model, self._fields = model, fields - 1.0

    def begin(self, given):
        """Return the frame and the matrix of a state, see `enter`; pairs raise `SpreadError`."""
        if isinstance(given, np.ndarray):
            raise SpreadError
        return enter(given, self.model, FEWEST)

    def states(self, entered, times):
        """Return the generating function at each of `times`, complex128 (nt, nf)."""
        axes, (state, *_) = entered
        way = FrameFlow(self.model, ROUGH, 1, False)
        way.begin(axes, state[None], np.zeros(0))
        photons = of_mean_field(self.model, way.states(times[-1:])[0][0])
        falls = np.abs(self._fields.real @ photons)
        found = np.zeros((len(times), len(self._fields)), dtype=complex)
        for row, field, fall in zip(found.T, self._fields, falls, strict=True):
            self._follow(field, math.ceil(fall / PIECE), axes, state, times, row)
        return found

    def _follow(self, field, pieces, axes, state, times, found):
        """Write the same under one field less 1 to `found` (nt,)."""
        jumps = [[[z.real, -z.imag], [z.imag, z.real]] for z in field]
        way = FrameFlow(self.model, TRACE_ACCURACY, 2, False, jumps)
        pair, exponent, now = np.stack((state, np.zeros_like(state))), 0.0, 0.0
        for time in np.union1d(times, np.linspace(0.0, times[-1], pieces + 2)[1:]):
            way.begin(axes, pair, np.zeros(0))
            (frame,), (numbers,) = way.states(np.array([time - now]))
            pair = way.layout.matrices(numbers.reshape(2, -1))
            size = np.abs(pair).max()
            exponent += field @ of_mean_field(self.model, frame) + math.log(size)
            pair, axes, now = pair / size, frame[:6], time
            a, b = np.einsum("ikk->i", pair).real
            found[times == time] = np.exp(exponent) * (a + 1j * b)
            if exponent.real < math.log(SPENT):
                break

    def generating(self, y):
        """Return the generating function (nf,) of what `states` has returned: itself."""
        return y
