r"""exp(tA) y for the deterministic solvers: dense for small systems, rational steps for large ones.

A rational step replaces exp(z) by its Pade approximant with numerator n - 1 and denominator n,
which is L-stable and of order 2n - 1. In partial fractions it is a sum of resolvents,

    exp(hA) y ~ sum_j c_j (z_j - hA)^(-1) y,

so a step costs n solves with shifted matrices, here tridiagonal. On a birth-death chain of N
levels the *moments* of the distribution converge in a number of steps that does not grow with N,
although the steps are much longer than the fastest rates: in the Heisenberg picture the moments
stay smooth on the scale of N.
"""

import math
from functools import cache

import numpy as np

SOLUTION, CHECK = 5, 4  # degrees of the denominators: orders 9 and 7


@cache
def pade_fractions(n):
    """Return the poles z_j and the weights c_j of the Pade approximant (n-1, n) of exp(z).

    Complex ones come in pairs, of which only the pole in the upper half-plane is given.

    Returns
    -------
    tuple of (pole, weight) pairs of complex; a real pole has imaginary part 0.
    """
    m = n - 1
    scale = math.factorial(m + n)
    numerator = [math.comb(m, j) * math.factorial(m + n - j) / scale for j in range(m + 1)]
    denominator = [
        (-1) ** j * math.comb(n, j) * math.factorial(m + n - j) / scale for j in range(n + 1)
    ]
    numerator, denominator = (
        np.polynomial.Polynomial(np.array(c, dtype=np.clongdouble))
        for c in (numerator, denominator)
    )
    slope = denominator.deriv()
    fractions = []
    for root in np.polynomial.polynomial.polyroots(denominator.coef.astype(complex)):
        pole = np.clongdouble(root)
        for _ in range(4):
            pole -= denominator(pole) / slope(pole)
        if pole.imag > -1e-9:
            weight = -numerator(pole) / slope(pole)
            if abs(pole.imag) < 1e-9:
                pole, weight = pole.real, weight.real
            fractions.append((complex(pole), complex(weight)))
    return tuple(fractions)


class RationalStep:
    """exp(hA) as sums of resolvents of one system, factorised once for each step size.

    Parameters
    ----------
    system : object
        With `factor(pole, h)`, which returns a function y -> (pole - hA)^(-1) y. A is real, unless
        its `is_real` says otherwise.
    n : int
        Degree of the denominator.
    """

    def __init__(self, system, n):
        self._system = system
        self._is_real = getattr(system, "is_real", True)
        self._fractions = pade_fractions(n)
        if not self._is_real:
            pairs = [(z.conjugate(), c.conjugate()) for z, c in self._fractions if z.imag]
            self._fractions = (*self._fractions, *pairs)
        self._h = None
        self._solvers = []

    def __call__(self, y, h, tolerance):
        """Return the step from y; a step size within `tolerance` of the last reuses its factors."""
        if self._h is None or abs(h - self._h) > tolerance:
            self._solvers = []  # give the memory back first
            self._solvers = [self._system.factor(pole, h) for pole, _ in self._fractions]
            self._h = h
        total = np.zeros_like(y)
        for (pole, weight), solve in zip(self._fractions, self._solvers, strict=True):
            x = solve(y)
            if not self._is_real:
                x *= weight
            elif pole.imag == 0.0:
                x *= weight.real
            elif np.isrealobj(y):
                x *= 2.0 * weight
                x = x.real
            else:
                x = weight * x + np.conj(weight * solve(np.conj(y)))
            total += x
        return total


def rational_states(system, y, times, rtol, frugal=False):
    """Yield exp(tA) y at each of `times`, by rational steps of adapted length.

    The length is adapted until the order-9 and the order-7 step agree in everything that the
    system monitors; the former is kept, so the error made is far below `rtol`. Where they agree a
    hundred times better than asked, only every fourth step of that length is compared.

    Parameters
    ----------
    system : object
        With `factor` (see `RationalStep`), `monitor(y)`, a vector of what must be accurate,
        scaled so that its errors compare to 1, or to itself if it is larger; `rounding`, the
        smallest error that it can resolve; `normalise(y)`, which restores what is conserved, in
        place; and `timescale`, a first guess at a step.
    y : ndarray (n,), float64 or complex128
    times : ndarray (nt,)
    rtol : float
    frugal : bool
        Where they agree a thousand times better than asked, the order-7 step is taken without
        comparison: it costs a solve less.
    """
    solution, check = RationalStep(system, SOLUTION), RationalStep(system, CHECK)
    tolerance = max(rtol, system.rounding)
    longest = system.timescale
    trusted_h, trust, cheap = 0.0, 0, False
    t = 0.0
    for target in times:
        rounding = 4.0 * np.finfo(float).eps * target  # an even grid's steps differ by it
        while t < target:
            if longest < 1e-12 * t:
                raise ArithmeticError(f"the steps became too short at t = {t:g}")
            parts = max(1, math.ceil((target - t) / longest * (1.0 - 1e-12)))
            h = (target - t) / parts
            same = min(rounding, 1e-6 * h)
            is_trusted = trust and abs(h - trusted_h) <= same
            new = (check if is_trusted and cheap else solution)(y, h, same)
            system.normalise(new)
            if is_trusted:
                trust -= 1
            else:
                other = check(y, h, same)
                system.normalise(other)
                seen = system.monitor(new)
                error = (np.abs(seen - system.monitor(other)) / np.maximum(1.0, np.abs(seen))).max()
                growth = 0.9 * (tolerance / max(error, 1e-300)) ** (1.0 / (2 * CHECK))
                if error > tolerance:
                    longest = h * max(0.2, growth)
                    continue
                if growth > 1.5:
                    longest = max(longest, h * min(growth, 4.0))
                trusted_h, trust = h, 3 if error < 0.01 * tolerance else 0
                cheap = frugal and error < 1e-3 * tolerance
            y = new
            t = target if parts == 1 else t + h
        yield y


def uniform_step(times):
    """Return the step of an evenly spaced grid, or None if it is not one."""
    if times.size < 3:
        return None
    steps = np.diff(times)
    even = np.ptp(steps) <= 8.0 * np.finfo(float).eps * times[-1]
    return (times[-1] - times[0]) / (times.size - 1) if even else None


def dense_states(blocks, y, times):
    """Return exp(tA) y at `times`, by matrix exponentials and repeated squaring.

    Exact but for rounding, which grows with the norm of hA. On an even grid it takes one
    exponential: with P = exp(hA), the states y, Py, ... are doubled in number with each squaring
    of P.

    Parameters
    ----------
    blocks : ndarray (nb, n, n), float64
        The diagonal blocks of A.
    y : ndarray (nb, n), float64 or complex128
    times : ndarray (nt,)

    Returns
    -------
    ndarray (nb, n, nt)
    """
    from scipy.linalg import expm

    y = y[..., None]
    if times[0] > 0:
        y = expm(blocks * times[0]) @ y
    h = uniform_step(times)
    if h is None:
        states = [y]
        for step in np.diff(times):
            states.append(expm(blocks * step) @ states[-1])
        return np.concatenate(states, axis=-1)
    power = expm(blocks * h)
    while (missing := times.size - y.shape[-1]) > 0:
        y = np.concatenate((y, power @ y[..., :missing]), axis=-1)
        if y.shape[-1] < times.size:
            power = power @ power
    return y
