"""Bessel functions J_n(x) of all orders at once."""

from trajbatt.kernels.compile import kernel

HIGHER = 24  # orders above those wanted, where the recurrence begins
LARGE = 1e200  # numbers in it that are scaled down


@kernel
def bessel(x, out):
    """Write the Bessel functions J_n(x), n = 0, 1, ..., to `out`, by the recurrence of Miller.

    `out` goes on to orders that are negligible.
    """
    out[:] = 0.0
    if x == 0.0:
        out[0] = 1.0
        return
    above, now, total = 0.0, 1.0 / LARGE, 0.0
    for n in range(out.size + HIGHER, 0, -1):
        above, now = now, 2.0 * n / x * now - above  # of the orders n and n - 1
        if abs(now) > LARGE:
            above, now, total = above / LARGE, now / LARGE, total / LARGE
            out /= LARGE
        if n <= out.size:
            out[n - 1] = now
        if n % 2 == 1:  # J_0 + 2 J_2 + 2 J_4 + ... = 1
            total += now if n == 1 else 2.0 * now
    out /= total
