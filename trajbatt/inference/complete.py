r"""Complete records of a ladder: what is in them of all parameters at once.

If every jump is seen, the branch that began on level k is on k + S after shifts that add up to S,
whatever the parameters are (see `trajbatt.kernels.branches`). So with the populations P_k at t = 0
and the elements e_c of the jumps without their rates Gamma_c, the density of a record is

    L = sum_k P_k exp(G_k) prod_c Gamma_c^{n_c} exp(-Gamma_c D_ck),
    G_k = sum_i ln e_{c_i}(k + S_i)^2,     D_ck = int e_c(k + S(u))^2 du,

of which G, n and D are of the record alone. They are taken from it once; each D is a polynomial of
the second degree in m_k, so the integrals of 1, S and S^2 stand for it. A likelihood then takes
O(N) for each record, however many clicks it has, and so do its derivatives, in closed form:

    d ln L/d Gamma_c = n_c/Gamma_c - <D_c>,     d ln L/d P_k = <delta_k>/P_k,

with the mean over the branches, given the record. How rates and populations change with a parameter
is a matter of the model, whatever the data.
"""

import numpy as np

from trajbatt.numerics import spin


class CompleteRecords:
    """The complete records of n batteries.

    Parameters
    ----------
    model : LadderModel
        Of whose parameters nothing is used.
    records : sequence of (times, channels, duration)
        Clicks of each, float64 and int64 (n_clicks,).
    """

    def __init__(self, model, records):
        self._m = spin.magnetic_numbers(model.n_atoms)
        j = model.n_atoms / 2
        of_shift = {1: (j * (j + 1), -1.0, -1.0), 0: (0.0, 0.0, 1.0), -1: (j * (j + 1), 1.0, -1.0)}
        self._polynomials = np.array([of_shift[shift] for shift in model.shifts.tolist()])
        self._numbers = np.zeros((len(records), len(model.channel_names)))
        self._elements = np.zeros((len(records), model.n_levels))
        self._integrals = np.zeros((len(records), 3))  # of 1, S and S^2
        with np.errstate(divide="ignore"):
            logs = 2.0 * np.log(np.abs(model.jump_elements))
        outside = [(0, 0), (model.n_levels, model.n_levels)]
        logs = np.pad(logs, outside, constant_values=-np.inf)
        for i, (times, channels, duration) in enumerate(records):
            climbed = np.concatenate(([0], np.cumsum(model.shifts[channels])))
            spent = np.diff(times, prepend=0.0, append=duration)
            self._integrals[i] = [(spent * climbed**power).sum() for power in range(3)]
            self._numbers[i] = np.bincount(channels, minlength=len(model.channel_names))
            # Further than that no branch is on the ladder.
            for c, s in zip(
                channels, np.clip(climbed, *(-model.n_levels, model.n_levels)), strict=False
            ):
                first = model.n_levels + s
                self._elements[i] += logs[c, first : first + model.n_levels]

    def log_likelihoods(self, model, populations):
        """Return those under a model, float64 (n,); -inf for what is impossible.

        Parameters
        ----------
        model : LadderModel
            With the same channels.
        populations : ndarray (N+1,)
            Of its levels at t = 0.
        """
        return self._branches(model, populations)[0]

    def slopes(self, model, populations, change_of_rates, change_of_populations):
        """Return the derivatives of the log-likelihoods by one number, float64 (n,).

        Parameters
        ----------
        model, populations
            As in `log_likelihoods`.
        change_of_rates : ndarray (nc,)
            The derivatives of the channels' rates.
        change_of_populations : ndarray (N+1,)
        """
        total, logs = self._branches(model, populations)
        with np.errstate(over="ignore"):
            factors = np.exp(logs - total[:, None])  # of the populations, given the record
        given = factors * populations
        mean, square = given @ self._m, given @ self._m**2
        whole, first, second = self._integrals.T
        moments = whole, mean * whole + first, square * whole + 2.0 * mean * first + second
        dwelt = np.array(moments).T @ self._polynomials.T
        with np.errstate(divide="ignore", invalid="ignore"):
            clicked = np.where(self._numbers > 0.0, self._numbers / model.rates, 0.0)
        changes = np.where(change_of_populations != 0.0, factors, 0.0) @ change_of_populations
        return (clicked - dwelt) @ change_of_rates + changes

    def _branches(self, model, populations):
        """Return ln L (n,), and ln of what multiplies each population in it, (n, N+1)."""
        constant, linear, square = model.rates @ self._polynomials
        whole, first, second = self._integrals.T[:, :, None]
        logs = self._elements - constant * whole - linear * (self._m * whole + first)
        logs -= square * (self._m**2 * whole + 2.0 * self._m * first + second)
        with np.errstate(divide="ignore", invalid="ignore"):
            clicks = np.where(self._numbers > 0.0, self._numbers * np.log(model.rates), 0.0)
            logs += clicks.sum(axis=1)[:, None]
            weighted = logs + np.log(populations)
            highest = weighted.max(axis=1, keepdims=True)
            shifted = np.where(np.isfinite(highest), weighted - highest, -np.inf)
            return np.log(np.exp(shifted).sum(axis=1)) + highest[:, 0], logs
