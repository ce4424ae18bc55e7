"""The conditional ket of a ladder, branch by branch, for any number of atoms."""

import numpy as np
from scipy import special


def by_hand(model, log, sign, clicks, times):
    """Yield energy, variance and log-likelihood of a dressed ket, branch by branch (README).

    `log` and `sign` (N+1,) are those of its real amplitudes; all branches are kept.
    """
    n = model.n_atoms
    k = np.arange(n + 1)
    elements = np.array(  # of J'_+, J'_z, J'_- from level k
        [np.sqrt((n - k) * (k + 1.0)), k - n / 2, np.sqrt(k * (n - k + 1.0))]
    )
    rates = np.array([channel.rate for channel in model.channels])
    decay, steps = 0.5 * rates @ elements**2, (1, 0, -1)
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(elements)) + 0.5 * np.log(rates)[:, None]
    start, log, sign = k, log.copy(), sign.copy()  # `start` + S is where the branches are
    now = left = climbed = 0

    def go_on(until):
        log[:] -= decay[start + climbed] * (until - now)

    for t in times:
        while left < clicks.time.size and clicks.time[left] <= t:
            go_on(clicks.time[left])
            now, channel = clicks.time[left], clicks.channel[left]
            log += logs[channel][start + climbed]
            sign *= np.sign(elements[channel][start + climbed])
            climbed += steps[channel]
            left += 1
            on = (start + climbed >= 0) & (start + climbed <= n)
            start, log, sign = start[on], log[on], sign[on]
        go_on(t)
        now, best = t, log.max()
        psi = np.zeros(n + 1, dtype=complex)
        psi[start + climbed] = sign * np.exp(log - best)
        weight = np.vdot(psi, psi).real
        psi *= np.exp(-1j * model.frequency * t * k) / np.sqrt(weight)
        x = np.sin(model.theta) * elements[0][:-1] / 2
        raised = np.cos(model.theta) * (k - n / 2) * psi
        raised[1:] += x * psi[:-1]
        raised[:-1] += x * psi[1:]
        mean = np.vdot(psi, raised).real
        yield mean + n / 2, np.vdot(raised, raised).real - mean**2, 2 * best + np.log(weight)


def dressed_ground_state(model):
    """Return the logarithms of its amplitudes, and their signs."""
    n, half = model.n_atoms, model.theta / 2
    k = np.arange(n + 1.0)
    log = 0.5 * (special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))
    return log + k * np.log(np.sin(half)) + (n - k) * np.log(np.cos(half)), (-1.0) ** k
