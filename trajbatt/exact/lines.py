r"""The line of one channel of a ladder model: first-order coherence of its light, and its spectrum.

By quantum regression G1(t, tau) = <L+(t + tau) L(t)> = Tr L+ exp(tau 𝓛) L rho(t). With L = J'_+,
J'_z or J'_- what counts of L rho(t) is one coherence order only, the first or that of the
populations. It follows from the populations p alone, and obeys a real tridiagonal equation

    dX/dtau = A X,    X(0) = w p,    G1 = u.X

in the picture that rotates at the line's own frequency. So lines are symmetric.
"""

import numpy as np

from trajbatt.exact.ladder import LadderLiouvillian
from trajbatt.exact.orders import Orders
from trajbatt.numerics import spin
from trajbatt.numerics.propagators import rational_states
from trajbatt.states.steady_state import steady_state

ACCURACY = 1e-11


class Line:
    """The light of one channel.

    Parameters
    ----------
    model : LadderModel
    channel : int

    Attributes
    ----------
    weights : ndarray (n,), float64
        w, and u: the elements of L; n is N + 1 for the populations, else N.
    liouvillian, generator : LadderLiouvillian
        Of X, and of the populations.
    """

    def __init__(self, model, channel):
        shift = int(model.shifts[channel])
        self.model, self.order = model, abs(shift)
        self.liouvillian = self.liouvillians(1)
        self.generator = LadderLiouvillian(model, Orders(model.n_atoms, model.theta, [0]))
        elements = (spin.magnetic_numbers, spin.raising_elements)[self.order](model.n_atoms)
        self.weights = np.sqrt(model.rates[channel]) * elements[: model.n_levels - self.order]
        # J'_+ takes level k, and J'_- level k + 1, to the coherence of the two.
        self._taken = slice(1, None) if shift < 0 else slice(0, model.n_levels - self.order)

    def liouvillians(self, n):
        """Return the `LadderLiouvillian` of n blocks X side by side."""
        layout = Orders(self.model.n_atoms, self.model.theta, [self.order])
        return LadderLiouvillian(self.model, layout, np.ones((n, len(self.model.channels))))

    def begin(self, populations):
        """Return X = w p of populations (N+1,)."""
        return self.weights * populations[self._taken]

    def coherence(self, populations, delays):
        """Return G1 after each of `delays` (nt,), from populations (N+1,), float64."""
        x = self.begin(populations)
        return np.array([self.weights @ y for y in rational_states(_Free(self, x), x, delays, 0.0)])

    def spectrum(self, populations, frequencies):
        """Return Re int_0^inf exp(i w tau) G1(tau) dtau/pi, and what stays of G1 for ever.

        Parameters
        ----------
        populations : ndarray (N+1,)
        frequencies : ndarray (nw,)

        Returns
        -------
        density : ndarray (nw,), float64
            Of what does not stay.
        lasting : float
        """
        x, steady, lasting = self.begin(populations), 0.0, 0.0
        if self.order == 0:
            steady = steady_state(self.model).populations
            lasting = float(self.weights @ steady * x.sum())
            x = x - x.sum() * steady
        density = np.empty(frequencies.size)
        for i, frequency in enumerate(frequencies):
            y = x.astype(complex)
            self.liouvillian.resolvent(complex(0.0, -frequency), 1.0)(y)
            y -= y.sum() * steady  # of what stays for ever rounding may bring any multiple
            density[i] = (self.weights @ y).real / np.pi
        return density, lasting

    def lived(self, populations):
        """Return int_0^inf (p - p_steady) dt of populations (N+1,), float64 (N+1,)."""
        steady = steady_state(self.model).populations
        y = populations - steady
        self.generator.resolvent(0j, 1.0)(y)
        return y - y.sum() * steady

    def pulse(self, populations, frequencies, duration):
        """Return the density of all photons of a time, float64 (nw,).

        Parameters
        ----------
        populations : ndarray (N+1,)
            At its beginning.
        frequencies : ndarray (nw,)
        duration : float
        """
        system = _Pulse(self, frequencies)
        rest = np.zeros(frequencies.size * (self.weights.size + 1), dtype=complex)
        y = np.concatenate((populations, rest))
        (y,) = rational_states(system, y, np.array([duration]), ACCURACY)
        return system.split(y)[2].real / np.pi


class _Free:
    """X on its way."""

    rounding = ACCURACY

    def __init__(self, line, x):
        self._liouvillian, self._scale = line.liouvillian, np.abs(x).sum() or 1.0
        self.timescale = 0.25 * line.model.timescale

    def factor(self, pole, h):
        """Return the function x -> (pole - hA)^(-1) x."""
        substitute = self._liouvillian.resolvent(pole, h)
        kind = float if pole.imag == 0.0 else complex

        def solve(x):
            found = x.astype(np.result_type(x, kind))
            substitute(found)
            return found

        return solve

    def monitor(self, x):
        """Return X on the scale of its beginning."""
        return x / self._scale

    def normalise(self, x):
        """Do nothing."""


class _Pulse:
    """p, Y_w for each frequency w, and what has come of the spectrum: one vector.

    dY_w/dt = (A + i w) Y_w + X(t),    dS_w/dt = u.Y_w.
    """

    is_real = False
    rounding = ACCURACY

    def __init__(self, line, frequencies):
        self._line, self._levels, self._n = line, line.model.n_levels, frequencies.size
        self._blocks = line.liouvillians(self._n)
        self._blocks.diagonal = self._blocks.diagonal + 1j * frequencies[:, None]
        self.timescale = 0.25 * line.model.timescale

    def split(self, y):
        """Return p (N+1,), the Y_w (nw, n) and the S_w (nw,), as views."""
        stop = self._levels + self._n * self._line.weights.size
        return y[: self._levels], y[self._levels : stop].reshape(self._n, -1), y[stop:]

    def factor(self, pole, h):
        """Return the function y -> (pole - hA)^(-1) y."""
        line, pole = self._line, complex(pole)
        first, blocks = line.generator.resolvent(pole, h), self._blocks.resolvent(pole, h)

        def solve(y):
            x = y.astype(complex)
            populations, rows, gained = self.split(x)
            first(populations)
            rows += h * line.begin(populations)
            blocks(rows.reshape(-1))
            gained += h * (rows @ line.weights)
            gained /= pole
            return x

        return solve

    def monitor(self, y):
        """Return the populations, and the spectrum on its own scale."""
        populations, _, gained = self.split(y)
        return np.concatenate((populations, gained / max(np.abs(gained).max(), 1e-300)))

    def normalise(self, y):
        """Scale the populations to probability 1, in place."""
        y[: self._levels] /= y[: self._levels].sum()
