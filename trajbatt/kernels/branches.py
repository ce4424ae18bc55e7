r"""The conditional state of a ladder model, from a record in which no photon is missing.

The branch of the wavefunction that began on level k is now on k + S, with S the sum of the shifts
so far, and its amplitude is the initial one times the real factor

    f(k) = prod_i w_{c_i}(k + S_i) exp(-1/2 int_0^t R(k + S(u)) du),

which depends on the record only. Here logarithms of all branches are kept, relative to the
likeliest one: a measured record need not be typical of the model, so no branch may be dropped for
good. The elements of `FLUSH` clicks are multiplied before a logarithm is taken.
"""

import math

import numpy as np

from trajbatt.kernels.compile import kernel

FLUSH = 32  # clicks between two logarithms: (N/2)^32 must not overflow


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
def settle(logs, signs, product, reference, alpha, beta):
    """Take the products and the decay into the logarithms; return the new reference and its shift.

    Parameters
    ----------
    logs, signs, product : *in, out* (N+1,) float64
        Logarithms relative to that of the reference branch; the products become 1.
    reference : int
    alpha, beta : float
        A branch at the distance d decays by exp(-(alpha d + beta d^2)/2) relative to the reference.
    """
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
    return place, best


@kernel
def follow(elements, shifts, rate, click_time, click_channel, t, t_end, logs, signs, product, at):
    """Take the branches from `t` through some clicks to `t_end`.

    Parameters
    ----------
    elements : *in* (nc, N+1) float64
        <k + s_c|J'_c|k> without the rate.
    shifts : *in* (nc,) int64
    rate : *in* (3,) float64
        R(m) = rate[0] + rate[1] m + rate[2] m^2.
    click_time, click_channel : *in* (n,)
    t, t_end : float
    logs, signs : *in, out* (N+1,) float64
        Of the amplitudes, relative to the reference branch.
    product : *scratch* (N+1,) float64, ones
    at : *in, out* (2,) int64
        The reference branch; the sum of the shifts so far.

    Returns
    -------
    float
        By how much the logarithm of the reference branch's amplitude has changed, without the
        rates of the channels; -inf if the record is impossible.
    """
    half = 0.5 * (logs.size - 1)
    reference, climbed = at[0], at[1]
    total = 0.0
    elapsed = 0.0
    m_integral = 0.0
    decay = 0.0
    n = 0
    while True:
        is_click = n < click_time.size
        until = click_time[n] if is_click else t_end
        m = reference + climbed - half
        elapsed += until - t
        m_integral += m * (until - t)
        decay += (rate[0] + (rate[1] + rate[2] * m) * m) * (until - t)
        t = until
        if is_click:
            channel = click_channel[n]
            multiply(product, elements[channel], climbed)
            climbed += shifts[channel]
            n += 1
        if not is_click or n % FLUSH == 0:
            alpha = rate[1] * elapsed + 2.0 * rate[2] * m_integral
            reference, best = settle(logs, signs, product, reference, alpha, rate[2] * elapsed)
            total += best - 0.5 * decay
            if best == -math.inf:
                break
            elapsed = 0.0
            m_integral = 0.0
            decay = 0.0
        if not is_click:
            break
    at[0], at[1] = reference, climbed
    return total
