r"""The conditional state of a ladder model, from a record in which no photon is missing.

The branch of the wavefunction that began on level k is now on k + S, with S the sum of the shifts
so far, and its amplitude is the initial one times the real factor

    f(k) = prod_i w_{c_i}(k + S_i) exp(-1/2 int_0^t R(k + S(u)) du),

which depends on the record only. Here logarithms of all branches are kept, relative to the
likeliest one: a measured record need not be typical of the model, so no branch may be dropped for
good. The elements of `FLUSH` clicks are multiplied before a logarithm is taken.
"""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.kernels.compile import kernel

FLUSH = 32  # clicks between two logarithms: (N/2)^32 must not overflow


class Ladder(NamedTuple):
    """What the kernels know of a model.

    Attributes
    ----------
    elements : ndarray (nc, N+1), float64
        <k + s_c|J'_c|k> without the rate.
    shifts : ndarray (nc,), int64
    rate : ndarray (3,), float64
        R(m) = rate[0] + rate[1] m + rate[2] m^2.
    """

    elements: np.ndarray
    shifts: np.ndarray
    rate: np.ndarray


class Branches(NamedTuple):
    """The amplitudes of all branches, by their initial level.

    Attributes
    ----------
    logs, signs : ndarray (N+1,), float64
        Logarithms relative to that of the reference branch, and signs.
    product : *scratch* ndarray (N+1,), float64
        Ones.
    reference, climbed : ndarray (1,), int64
        The reference branch; the sum of the shifts so far.
    """

    logs: np.ndarray
    signs: np.ndarray
    product: np.ndarray
    reference: np.ndarray
    climbed: np.ndarray


@kernel
def multiply(product, elements, climbed):
    """Multiply the products of the branches that are still on the ladder by their elements."""
    n = product.size
    low, high = max(0, -climbed), min(n, n - climbed)
    shifted = elements[max(0, climbed) :]
    if high <= low:
        return
    first = np.uint64(low)
    for i in range(np.uint64(high - low)):
        product[first + i] *= shifted[i]


@kernel
def settle(branches, alpha, beta):
    """Take the products and the decay into the logarithms; return the shift of the reference's.

    Parameters
    ----------
    branches : Branches, *in, out*
        The products become 1, and the likeliest branch the reference.
    alpha, beta : float
        A branch at the distance d decays by exp(-(alpha d + beta d^2)/2) relative to the reference.
    """
    logs, signs, product = branches.logs, branches.signs, branches.product
    reference = branches.reference[0]
    best = -math.inf
    place = reference
    for k in range(logs.size):
        if product[k] < 0.0:
            signs[k] = -signs[k]
        d = float(k - reference)
        if product[k] == 0.0:
            logs[k] = -math.inf
        else:
            logs[k] += math.log(abs(product[k])) - 0.5 * (alpha + beta * d) * d
        product[k] = 1.0
        if logs[k] > best:
            best = logs[k]
            place = k
    if best > -math.inf:
        for k in range(logs.size):
            logs[k] -= best
    branches.reference[0] = place
    return best


@kernel
def follow(ladder, clicks, t, t_end, branches):
    """Take the branches from `t` through some clicks to `t_end`.

    Parameters
    ----------
    ladder : Ladder, *in*
    clicks : *in* (time, channel), (n,) each
    t, t_end : float
    branches : Branches, *in, out*

    Returns
    -------
    float
        By how much the logarithm of the reference branch's amplitude has changed, without the
        rates of the channels; -inf if the record is impossible.
    """
    click_time, click_channel = clicks
    rate = ladder.rate
    half = 0.5 * (branches.logs.size - 1)
    total = 0.0
    elapsed = 0.0
    m_integral = 0.0
    decay = 0.0
    n = 0
    while True:
        is_click = n < click_time.size
        until = click_time[n] if is_click else t_end
        m = branches.reference[0] + branches.climbed[0] - half
        elapsed += until - t
        m_integral += m * (until - t)
        decay += (rate[0] + (rate[1] + rate[2] * m) * m) * (until - t)
        t = until
        if is_click:
            channel = click_channel[n]
            multiply(branches.product, ladder.elements[channel], branches.climbed[0])
            branches.climbed[0] += ladder.shifts[channel]
            n += 1
        if not is_click or n % FLUSH == 0:
            alpha = rate[1] * elapsed + 2.0 * rate[2] * m_integral
            best = settle(branches, alpha, rate[2] * elapsed)
            total += best - 0.5 * decay
            if best == -math.inf:
                break
            elapsed = 0.0
            m_integral = 0.0
            decay = 0.0
        if not is_click:
            break
    return total
