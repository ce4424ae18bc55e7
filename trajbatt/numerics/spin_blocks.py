r"""Blocks of the collective spin: how the jumps of single atoms move a state between them.

N spins 1/2 add up to J = N/2, N/2 - 1, …; a state that does not tell atoms apart is a sum of blocks
X_J on |J, M>, each times 1/d_J on the d_J ways in which they do. With u = J + M, v = J - M and
n = 2J = u + v, a sum over all atoms of one-atom operators s_z, s_+, s_- takes such a block to

    sum_i s_i^q X s_i^r+  =  sum over J' of  w_J'(n) T_q X T_r+,

    J'      w                               T_+                     T_z                 T_-
    J       (N + 2)/(n (n + 2))             sqrt(v (u + 1))         (u - v)/2           sqrt(u (v + 1))
    J - 1   (N + n + 2)/(2 n (n + 1))       sqrt(v (v - 1))         sqrt(u v)          -sqrt(u (u - 1))
    J + 1   (N - n)/(2 (n + 1) (n + 2))    -sqrt((u + 1) (u + 2))   sqrt((u + 1)(v + 1)) sqrt((v + 1)(v + 2))

with u and v those before the jump; w = 0 where n = 0 in the first two rows. All X are traces over
the d_J ways, not divided by d_J.
"""  # noqa: E501

import numpy as np

from trajbatt.numerics import spin

SAME, LOWER, HIGHER = 0, -1, 1  # where J' is


def lengths(n_atoms):
    """Return 2J of all blocks, descending, int64 (nJ,)."""
    return np.arange(n_atoms, -1, -2)


def excited(n_atoms, n):
    """Return where the levels M = -J..J of 2J = n are among the numbers of excited atoms."""
    first = (n_atoms - n) // 2
    return slice(first, first + n + 1)


def offsets(n_atoms):
    """Return where each block begins if all stand one behind the other, a dict by 2J."""
    n = lengths(n_atoms)
    return dict(zip(n.tolist(), (np.cumsum(n + 1) - n - 1).tolist(), strict=True))


def turned(kets, spins, before, after):
    """Return kets (..., N+1) of 2J = `spins` (...), which begin with M = -J, in another basis."""
    found = kets.copy()
    for n in np.unique(spins).tolist() if before != after else ():
        turn = spin.change_of_basis(n, before, after) if n else np.ones((1, 1))
        rows = spins == n
        found[rows, : n + 1] = kets[rows, : n + 1] @ turn
    return found


def weight(n_atoms, n, step):
    """Return w for jumps from 2J = n to J + `step`."""
    if step == HIGHER:
        return (n_atoms - n) / (2.0 * (n + 1) * (n + 2))
    if n == 0:
        return 0.0
    if step == SAME:
        return (n_atoms + 2.0) / (n * (n + 2.0))
    return (n_atoms + n + 2.0) / (2.0 * n * (n + 1.0))


def elements(u, v, shift, step):
    """Return T for a jump by `shift` in M to J + `step`, from (u, v), float64, shaped as u."""
    u, v = np.asarray(u, dtype=float), np.asarray(v, dtype=float)
    if step == SAME:
        found = {1: v * (u + 1.0), -1: u * (v + 1.0)}
        return 0.5 * (u - v) if shift == 0 else np.sqrt(found[shift])
    if step == LOWER:
        inside = {1: v * (v - 1.0), 0: u * v, -1: u * (u - 1.0)}[shift]
        return np.sqrt(inside) * (-1.0 if shift == -1 else 1.0)
    inside = {1: (u + 1.0) * (u + 2.0), 0: (u + 1.0) * (v + 1.0), -1: (v + 1.0) * (v + 2.0)}[shift]
    return np.sqrt(inside) * (-1.0 if shift == 1 else 1.0)


def log_multiplicity(n_atoms, n):
    """Return ln d_J, of the ways in which N spins add up to 2J = n."""
    from scipy.special import gammaln

    half = (n_atoms - n) // 2
    choose = gammaln(n_atoms + 1) - gammaln(half + 1) - gammaln(n_atoms - half + 1)
    return float(choose + np.log(n + 1.0) - np.log((n_atoms + n) / 2 + 1.0))
