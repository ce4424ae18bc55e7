r"""The generator of a model as one sparse matrix, for what happens at rest and in the long run.

Of ladders, with noise of single atoms or without, that of the populations; of the driven Eq. (5),
and of light that is mixed with oscillators, that of whole density matrices, row after row. Under
counting fields chi it is

    W(chi) = W + sum_c (exp(chi_c) - 1) 𝓙_c.

Its largest eigenvalue lambda(chi) is the rate at which ln E[exp(sum_c chi_c n_c)] grows, whose
derivatives are the rates of the cumulants.
"""

from typing import Any, NamedTuple

import numpy as np

from trajbatt.exact.block_model import BlockModel
from trajbatt.exact.block_orders import BlockOrders
from trajbatt.exact.ladder import LadderLiouvillian
from trajbatt.exact.local_ladder import LocalLiouvillian
from trajbatt.exact.orders import Orders
from trajbatt.models.banded import BandedModel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.local_ladder import LocalLadderModel
from trajbatt.models.mixed_light import HomodyneModel
from trajbatt.models.model import of_kind
from trajbatt.numerics import bands, spin

MOST_MATRIX = 150  # atoms up to which density matrices are offered
MOST_BLOCKS = 600  # and populations in blocks of J


class Generator(NamedTuple):
    """W and the jumps of its channels.

    Attributes
    ----------
    matrix : csc_array (n, n)
    jumps : list of nc csc_array (n, n)
    trace : ndarray (n,), float64
        The row vector that gives the trace.
    is_ladder : bool
        Jumps lead to neighbours only, as the populations of a ladder have it.
    """

    matrix: Any
    jumps: list
    trace: np.ndarray
    is_ladder: bool = False


def generator_of(model):
    """Return the `Generator` of a plain model.

    Raises
    ------
    ValueError
        If there are too many atoms.
    """
    return of_kind(GENERATORS, model)(model)


class Bordered:
    """Solutions of A x = b + mu e for some mu, x_i being given: a border that makes A regular.

    Parameters
    ----------
    matrix : csc_array (n, n)
        A, which has one vector in its null space at most.
    place : int
        i; e is 1 there. It must be a population that is not small in that vector.
    """

    def __init__(self, matrix, place):
        from scipy.sparse import block_array, csc_array
        from scipy.sparse.linalg import splu

        n = matrix.shape[0]
        row = csc_array(([1.0], ([0], [place])), shape=(1, n))
        whole = block_array([[matrix, -row.T], [row, None]], format="csc")
        self._solve = splu(whole).solve

    def __call__(self, right, value):
        """Return x (n,), of which x_i is `value`, for b = `right` (n,)."""
        return self._solve(np.append(right, value))[:-1]


def superoperator(left, right):
    """Return what two copies of a model do to the left and to the right of a density matrix.

    Parameters
    ----------
    left, right : (quiet, jumps)
        Sparse arrays (N+1, N+1): -i H - M/2, and the jump operators.

    Returns
    -------
    matrix, jumps : csc_array and list of csc_array
        Of density matrices, row after row: rho -> Q_1 rho + rho Q_2+ + sum_c L_c1 rho L_c2+, and
        each of the last terms.
    """
    from scipy.sparse import csc_array, eye_array, kron

    (quiet, operators), (other_quiet, others) = left, right
    one = eye_array(quiet.shape[0], format="csc")
    pairs = zip(operators, others, strict=True)
    jumps = [csc_array(kron(jump, other.conj())) for jump, other in pairs]
    matrix = kron(quiet, one) + kron(one, other_quiet.conj()) + sum(jumps)
    return csc_array(matrix), jumps


def _of_ladder(model):
    from scipy.sparse import csc_array, diags_array

    layout = Orders(model.n_atoms, model.theta, [0])
    whole = LadderLiouvillian(model, layout)
    below, diagonal, above = (one[0] for one in (whole.below, whole.diagonal, whole.above))
    matrix = diags_array([below[:-1], diagonal, above[1:]], offsets=[-1, 0, 1], format="csc")
    jumps = []
    for rates, shift in zip(whole.jumps, model.shifts.tolist(), strict=True):
        # Off the ladder no rate leads.
        kept = rates[: rates.size - shift] if shift >= 0 else rates[-shift:]
        jumps.append(csc_array(diags_array([kept], offsets=[-shift])))
    return Generator(matrix, jumps, np.ones(layout.stop), is_ladder=True)


def _in_blocks(model):
    if model.n_atoms > MOST_BLOCKS:
        raise ValueError(
            f"`n_atoms` must be at most {MOST_BLOCKS} for rates with noise of single atoms, but is "
            f"{model.n_atoms}"
        )
    blocks = BlockModel.of(model, n_blocks=model.n_atoms // 2 + 1)
    layout = BlockOrders.of(blocks, [0])
    whole = LocalLiouvillian(blocks, layout)
    jumps = [whole.jump_matrix(one).tocsc() for one in np.eye(len(model.channels))]
    return Generator(whole.matrix, jumps, np.ones(layout.stop))


def _of_matrices(model):
    from scipy.sparse import csc_array, diags_array

    if model.n_atoms > MOST_MATRIX:
        raise ValueError(
            f"`n_atoms` must be at most {MOST_MATRIX} for rates from whole density matrices, but "
            f"is {model.n_atoms}"
        )
    operators = [csc_array(bands.operator(one)) for one in model.jump_bands]
    loss = sum(0.5 * jump.conj().T @ jump for jump in operators)
    # Jumps that do not turn are those of lines: H commutes with what they see.
    turning = model.frequency * model.jumps_turn
    energies = turning * spin.magnetic_numbers(model.n_atoms)
    quiet = csc_array(diags_array([-1j * energies], offsets=[0]) - loss)
    copy = quiet, operators
    return Generator(*superoperator(copy, copy), np.eye(model.n_levels).ravel())


GENERATORS = {
    LadderModel: _of_ladder,
    LocalLadderModel: _in_blocks,
    BandedModel: _of_matrices,
    HomodyneModel: _of_matrices,
}
