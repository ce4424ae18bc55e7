r"""Records of a ladder with missed photons or dark counts: populations alone, and their slopes.

With the observer of `trajbatt.inference.observers`, who sees channel a in the detector b with the
probability W_ab, populations P obey

    dP/dt = sum_a Gamma_a ((1 - sum_b W_ab) S_a - e_a^2) P - sum_b d_b P,

and a click of b makes sum_a W_ab Gamma_a S_a P + d_b P of them, where S_a moves e_a(k)^2 P_k by the
shift of the channel. Coherences do not matter within one stage. All this is linear in the rates
Gamma_a, so derivatives by any parameter need those of the rates and of the populations at t = 0.
"""

import numpy as np


class IncompleteRecords:
    """The records of n batteries, as detectors have seen them.

    Parameters
    ----------
    model : LadderModel
        Of whose parameters nothing is used.
    records : sequence of (times, detectors, duration)
        Clicks of each, float64 and int64 (n_clicks,).
    response : (shares, dark_rate)
        W, float64 (nc, nd), and d, float64 (nd,).
    """

    def __init__(self, model, records, response):
        shares, self._dark = response
        self._shares, self._shifts = np.ascontiguousarray(shares), model.shifts
        self._squares = model.jump_elements**2
        times, detectors, durations = zip(*records, strict=True)
        self._durations = np.array(durations, dtype=float)
        offsets = np.cumsum([0, *(one.size for one in times)])
        detectors = np.concatenate(detectors).astype(np.int64)
        self._records = offsets, np.concatenate(times), detectors, self._durations

    def log_likelihoods(self, model, populations):
        """Return those under a model, float64 (n,); -inf for what is impossible.

        Parameters
        ----------
        model : LadderModel
            With the same channels.
        populations : ndarray (N+1,)
            Of its levels at t = 0.
        """
        from trajbatt.kernels.missed_photons import likelihoods

        logs = np.empty(self._durations.size)
        detection = self._detection(model.rates, self._dark)
        likelihoods(self._chain(model), detection, self._records, populations, logs)
        return logs - self._dark.sum() * self._durations

    def slopes(self, model, populations, change_of_rates, change_of_populations):
        """Return the derivatives of the log-likelihoods by one number, float64 (n,).

        Parameters
        ----------
        model, populations
            As in `log_likelihoods`; no record is impossible.
        change_of_rates : ndarray (nc,)
            The derivatives of the channels' rates.
        change_of_populations : ndarray (N+1,)
        """
        from trajbatt.kernels.missed_photons import slopes

        found, chain = np.empty(self._durations.size), self._chain(model)
        change = [one / (chain.rate or 1.0) for one in self._matrix(change_of_rates)]
        tables = np.zeros((6, populations.size + 2))
        for rows, bands in ((tables[:3], chain[:3]), (tables[3:], change)):
            rows[0, 2:-1], rows[1, 1:-1], rows[2, 1:-2] = bands
        slopes(
            tables,
            chain.rate,
            self._detection(model.rates, self._dark),
            self._detection(change_of_rates, np.zeros_like(self._dark)),
            self._records,
            populations,
            change_of_populations,
            found,
        )
        return found

    def _matrix(self, rates):
        """Return what is below, on and above the diagonal of d/dt, without dark counts."""
        missed = 1.0 - self._shares.sum(axis=1)
        lost = rates[:, None] * self._squares
        arriving = missed[:, None] * lost
        up, stay, down = (arriving[self._shifts == s].sum(axis=0) for s in (1, 0, -1))
        return up[:-1].copy(), stay - lost.sum(axis=0), down[1:].copy()

    def _chain(self, model):
        from trajbatt.kernels.uniformization import Chain

        below, diagonal, above = self._matrix(model.rates)
        rate = model.largest_rate
        scale = rate or 1.0
        return Chain(below / scale, 1.0 + diagonal / scale, above / scale, rate, diagonal.size)

    def _detection(self, rates, dark):
        from trajbatt.kernels.uniformization import Detection

        return Detection(rates[:, None] * self._squares, self._shifts, self._shares, dark)
