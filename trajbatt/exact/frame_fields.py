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
from trajbatt.exact.frame_layout import InFrame, enter
from trajbatt.exact.spread import SpreadError
from trajbatt.numerics import frame

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
        Another stage follows. Then, and after another one, whole matrices are faster, and the frame
        is for a drive that moves alone.

    Raises
    ------
    SpreadError
        If they are.
    """

    def __init__(self, model, fields, goes_on):
        self.model, self._fields = model, fields - 1.0
        self._check(goes_on)

    def _check(self, has_neighbour):
        if has_neighbour and self.model.ramp is None:
            raise SpreadError

    def begin(self, given):
        """Return the frame and the pair of each field, complex128 (nf, 2, levels, levels).

        Of a `Mixture`, or of pairs of whole matrices (nf, 2, N+1, N+1) in the basis of the model.
        """
        if not isinstance(given, np.ndarray):
            axes, matrices = enter(given, self.model, FEWEST)
            pair = np.stack((matrices[0], np.zeros_like(matrices[0])))
            return axes, np.broadcast_to(pair, (len(self._fields), *pair.shape))
        self._check(True)
        heaviest = given[np.argmax(np.einsum("fkk->f", given[:, 0]).real)]
        axes, _ = enter(heaviest[:1] / np.trace(heaviest[0]).real, self.model, self.model.n_levels)
        turned = frame.in_basis(frame.rows_of(axes), self.model.theta)
        kets = frame.kets(self.model.n_atoms, turned, self.model.n_levels)
        return axes, kets.conj().T @ given @ kets

    def states(self, entered, times):
        """Return the generating function at each of `times`, complex128 (nt, nf)."""
        axes, pairs = entered
        way = FrameFlow(self.model, ROUGH, 1, False)
        way.begin(axes, pairs[0, :1], np.zeros(0))
        photons = of_mean_field(self.model, way.states(times[-1:])[0][0])
        falls = np.abs(self._fields.real @ photons)
        found = np.zeros((len(times), len(self._fields)), dtype=complex)
        self._ends = [
            self._follow(field, math.ceil(fall / PIECE), axes, pair, times, row)
            for row, field, fall, pair in zip(found.T, self._fields, falls, pairs, strict=True)
        ]
        return found

    def _follow(self, field, pieces, axes, pair, times, found):
        """Write the same under one field less 1 to `found` (nt,), and return how it ends.

        That is the frame, the pair in it, and the exponent of a factor.
        """
        jumps = [[[z.real, -z.imag], [z.imag, z.real]] for z in field]
        way = FrameFlow(self.model, TRACE_ACCURACY, 2, False, jumps)
        exponent, now = 0.0, 0.0
        for time in np.union1d(times, np.linspace(0.0, times[-1], pieces + 2)[1:]):
            way.begin(axes, pair, np.zeros(0), now)
            (there,), (numbers,) = way.states(np.array([time]))
            pair = way.layout.matrices(numbers.reshape(2, -1))
            size = np.abs(pair).max()
            exponent += field @ of_mean_field(self.model, there) + math.log(size)
            pair, axes, now = pair / size, there[:6], time
            a, b = np.einsum("ikk->i", pair).real
            found[times == time] = np.exp(exponent) * (a + 1j * b)
            if exponent.real < math.log(SPENT):
                break
        return axes, pair, exponent

    def generating(self, y):
        """Return the generating function (nf,) of what `states` has returned: itself."""
        return y

    def hand_over(self, _, __, theta):
        """Return the pairs of whole matrices (nf, 2, N+1, N+1) in the basis of an angle."""
        found = []
        for axes, pair, exponent in self._ends:
            a, b = InFrame(self.model.n_atoms, axes, pair, theta).in_basis()
            factor = np.exp(exponent)
            found.append((factor.real * a - factor.imag * b, factor.imag * a + factor.real * b))
        return np.array(found)
