"""The driven Eq. (5) by spherical tensors up to a rank K of the order of sqrt(N).

It shares nothing with the frame, needs no state near its mean spin, and costs N^2 where the whole
density matrix costs N^4: the tensors of a coherent state fall off as exp(-k^2/(2 N)), and decay
as k^2. It begins with coherent states, and knows moments of the spin up to the second, no more.
"""

import math
from functools import lru_cache

import numpy as np

from trajbatt.base.arrays import read_only
from trajbatt.exact.spread import SpreadError, TensorState
from trajbatt.kernels.tensors import READ
from trajbatt.numerics import frame
from trajbatt.states.mixture import Mixture
from trajbatt.states.products import of_covariance

ACCURACY = 1e-7  # of a term of the series, over the tolerance
LONGEST = 9.0  # a block, over the largest growth rate, if rounding grows to less than
ROUNDING = 0.1  # of the tolerance
POLE = 1e-9  # off it, in radians, where a mean spin is at a pole
MOST_TURNS = 2000.0  # in a block, over the largest frequency: so many polynomials
# K^2/N: a multiple of the logarithm of the accuracy, and more. By trial: errors are below it then
# for states that begin at a pole, and whatever the drive; and for all others.
AT_POLE, ELSEWHERE = (1.0, 2.0), (1.4, 1.0)
FEW = 100  # atoms: of more the variance, a difference, needs higher ranks


class TensorLayout:
    """What is read off the tensors of rank 1 and 2.

    Parameters
    ----------
    n_atoms : int
    theta : float
    """

    def __init__(self, n_atoms, theta):
        self.n_atoms, self.theta = n_atoms, theta
        j = 0.5 * n_atoms
        self.first = math.sqrt(j * (j + 1.0) * (2.0 * j + 1.0) / 3.0)
        product = (2.0 * j - 1.0) * 2.0 * j * (2.0 * j + 1.0) * (2.0 * j + 2.0) * (2.0 * j + 3.0)
        self.second = math.sqrt(product / 180.0)
        self.square = j * (j + 1.0)

    def moments(self, y):
        """Return the mean spin (3, ...) and its covariances (3, 3, ...)."""
        z = self.first * y[0]
        plus = -math.sqrt(2.0) * self.first * (y[1] - 1j * y[2])
        zz = self.square / 3.0 + self.second * y[3]
        z_plus = -math.sqrt(1.5) * self.second * (y[4] - 1j * y[5])
        plus_plus = math.sqrt(6.0) * self.second * (y[6] - 1j * y[7])
        xx = 0.5 * (self.square - zz + plus_plus.real)
        yy = 0.5 * (self.square - zz - plus_plus.real)
        xy, zx, zy = 0.5 * plus_plus.imag, z_plus.real, z_plus.imag
        mean = np.array([plus.real, plus.imag, z])
        second = np.array([[xx, xy, zx], [xy, yy, zy], [zx, zy, zz]])
        return mean, second - mean[:, None] * mean[None]

    def observables(self, y, _):
        """Return energy, its variance, the bare dipole and `PRODUCTS` (4, ...) of y (READ, ...)."""
        return self.of_moments(*self.moments(y))

    def of_moments(self, mean, covariance):
        """Return the same of the bare mean spin (3, ...) and its covariances (3, 3, ...)."""
        energy, variance = mean[2] + 0.5 * self.n_atoms, np.maximum(covariance[2, 2], 0.0)
        return energy, variance, mean[0] + 1j * mean[1], of_covariance(mean, covariance)

    def spin_distribution(self, y):
        """Return the probability of J = N/2, float64 (1, ...), of y (READ, ...)."""
        return np.ones((1, *y.shape[1:]))


class TensorOrders:
    """The tensors of the density matrix, and the mean photon count.

    Parameters
    ----------
    model : BandedModel
        Without thermal photons.
    rtol : float
    all_orders : bool
        Must be false: only moments are known, and other stages take tensors.
    """

    method = "tensors"

    def __init__(self, model, rtol, all_orders=True):
        if all_orders or model.is_warm:
            raise SpreadError
        self.model, self._rtol, self._accuracy = model, rtol, ACCURACY * rtol
        self.layout = TensorLayout(model.n_atoms, model.theta)
        self._unit = self.layout.first

    @property
    def counted(self):
        """What tells the state from the counts: this system."""
        return self

    def _rank_for(self, is_at_pole):
        """Return K for a state that begins at a pole, and goes through no other stage, or any."""
        rule = AT_POLE if is_at_pole and self.model.is_alone else ELSEWHERE
        return rank_for(self.model.n_atoms, self._rtol, rule)

    def _set_rank(self, rank):
        """Make the tables of the ranks up to K."""
        n, gamma = self.model.n_atoms, self.model.rate
        self._rank = rank
        self._shift = 0.25 * gamma * rank**2
        self._fastest = rank * (self.model.frequency + 0.5 * gamma * (n + 1.0))
        growth = gamma * (0.25 * rank**2 + 0.5 * n)
        # The variance is a difference of numbers N times as large.
        calm = math.log(ROUNDING * self._rtol / (n * np.finfo(float).eps))
        limits = (min(max(calm, 1.0), LONGEST), growth), (MOST_TURNS, self._fastest)
        self._longest = min(
            (limit / rate for limit, rate in limits if rate > 0.0), default=math.inf
        )
        self._tables = self._tabulate()

    def _tabulate(self):
        from trajbatt.kernels.tensors import Tables

        model, layout, gamma = self.model, self.layout, self.model.rate
        inside, order, *rest = _shapes(model.n_atoms, self._rank)
        damping, below, above, lower, upper = rest
        drive, trace = 0.5 * model.rabi, math.sqrt(model.n_atoms + 1.0)  # y_00 = 1/sqrt(N + 1)
        elements = [
            self._shift * inside + gamma * damping,
            -model.detuning * order,
            gamma * below,
            gamma * above,
            drive * lower,
            drive * upper,
        ]
        count = [
            gamma * 2.0 / 3.0 * layout.square * trace / self._unit,
            gamma * layout.first / self._unit,
            -gamma * layout.second / self._unit,
            self._shift,
        ]
        largest = max(self._fastest, 1e-300)
        return Tables(np.array(elements) / largest, np.array(count) / largest, self._rank)

    def begin(self, given):
        """Return the tensors of a coherent state, or those handed over, and a count of zero.

        Raises
        ------
        SpreadError
            If it is another state.
        """
        if isinstance(given, TensorState):
            y = given.tensors.copy()
            y[0, 0] = 0.0  # the count
            self._set_rank(math.isqrt(y.shape[1]) - 3)
            return y
        axes = None
        if isinstance(given, Mixture) and given.weights.size == 1:
            ket = given.rows(self.model.n_levels)[0]
            axes = frame.axes_of_coherent(ket, self.model.theta)
        if axes is None:
            raise SpreadError
        x, y, z = -frame.rows_of(axes)[:, 2]  # where the mean spin points
        self._set_rank(self._rank_for(math.hypot(x, y) < POLE))
        return coherent_tensors(self.model.n_atoms, self._rank, x, y, z)

    def states(self, y, times):
        """Return the vectors (nt, READ) at each of `times`."""
        from trajbatt.kernels.tensors import propagate

        work, seen, now, done = np.empty((2, *y.shape)), np.empty((len(times), READ)), 0.0, 0
        y = y.copy()
        while done < len(times):
            length = min(self._longest, times[-1] - now)
            within = np.flatnonzero((times >= now) & (times <= now + length))
            within = within[within >= done]
            at = np.append(times[within] - now, length)
            weights = self._weights(at)
            part = np.empty((within.size, READ))
            propagate(self._tables, y, work, weights[-1], weights[:-1], part)
            seen[within] = part
            done += within.size
            now = times[-1] if length < self._longest else now + length
        self._last = y
        return seen

    def _weights(self, durations):
        """Return what each polynomial counts after the durations, float64 (nt, n)."""
        from trajbatt.kernels.tensors import weigh

        n = _needed(math.ceil(self._fastest * durations.max(initial=0.0)), self._accuracy)
        found = np.empty((durations.size, n))
        weigh(self._fastest, self._shift, durations, found)
        return found

    def orders(self, y):
        """Return what is read off the state alone, of y (READ, ...)."""
        return y[:-1]

    def counts(self, y):
        """Return the mean photon counts in y (READ, ...), float64 (1, ...)."""
        return self._unit * y[-1:]

    def hand_over(self, *_):
        """Return the tensors at the last of the times, for another stage that takes them."""
        return TensorState(self._last)


def rank_for(n_atoms, rtol, rule):
    """Return K for a tolerance, by `AT_POLE` or `ELSEWHERE`."""
    factor, more = rule
    square = n_atoms * (factor * math.log(max(n_atoms / FEW, 1.0) / rtol) + more)
    return min(n_atoms, math.ceil(math.sqrt(square)))


@lru_cache(maxsize=4)
def _shapes(n_atoms, rank):
    """Return what the tables of `kernels.tensors` are made of, whatever the rates.

    Where there are elements, q there, and what damping, coupling to k - 1 and k + 1, and driving
    from q - 1 and q + 1 multiply; float64 ((K+3)^2,) each, zero elsewhere.
    """
    q, k = np.indices((rank + 3, rank + 3)) - 1.0
    inside = (k >= q) & (q >= 0.0) & (k <= rank)
    shapes = (
        1.0,
        q,
        *emission(n_atoms, k, q),
        np.sqrt(np.maximum((k + q) * (k - q + 1.0), 0.0)),
        np.sqrt(np.maximum((k - q) * (k + q + 1.0), 0.0)),
    )
    return read_only(*(np.where(inside, one, 0.0).ravel() for one in shapes))


def emission(n_atoms, k, q):
    """Return what D[J_-] multiplies y_kq, y_{k-1,q} and y_{k+1,q} by, float64 of the shape of k."""

    def a(k):
        square = np.maximum((n_atoms + 1.0) ** 2 - k**2, 0.0)
        return 0.5 * np.sqrt(square / np.abs(4.0 * k**2 - 1.0))

    return (
        -0.5 * (k * (k + 1.0) - q**2),
        -(k + 1.0) * a(k) * np.sqrt(np.maximum(k**2 - q**2, 0.0)),
        k * a(k + 1.0) * np.sqrt(np.maximum((k + 1.0) ** 2 - q**2, 0.0)),
    )


@lru_cache(maxsize=1024)
def _needed(x, accuracy):
    """Return from which order on the Bessel functions of x are negligible."""
    from scipy.special import jv

    orders = np.arange(math.ceil(x), math.ceil(x + 12.0 * max(x, 1.0) ** (1 / 3) + 30.0))
    return int(orders[np.argmax(np.abs(jv(orders, x)) < accuracy)])


def coherent_tensors(n_atoms, rank, x, y, z):
    """Return the tensors of a coherent state whose mean spin points to (x, y, z), as in the kernel.

    y_kq = r_k sqrt(4 pi/(2 k + 1)) Y_kq(direction)*, with the ratios of r_k known.
    """
    from scipy.special import sph_legendre_p_all

    k = np.arange(rank + 1.0)
    ratios = np.sqrt((2 * k + 3) / (2 * k + 1) * (n_atoms - k) / (n_atoms + k + 2))
    r = np.cumprod(np.append(1.0, ratios[:-1])) / math.sqrt(n_atoms + 1.0)
    # Over k and q, normalised, with the sign (-1)^q.
    polar = math.atan2(math.hypot(x, y), z)
    values = sph_legendre_p_all(rank, rank, polar)[0][:, : rank + 1]
    scaled = (r * np.sqrt(4.0 * math.pi / (2.0 * k + 1.0)))[:, None] * values
    turned = (scaled * np.exp(-1j * math.atan2(y, x) * np.arange(rank + 1))).T
    found = np.zeros((2, rank + 3, rank + 3))
    found[0, 1:-1, 1:-1], found[1, 1:-1, 1:-1] = turned.real, turned.imag
    return found.reshape(2, -1)
