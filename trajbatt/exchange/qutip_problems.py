"""Models as QuTiP takes them. QuTiP orders levels the other way round: index 0 is |j, +j>."""

import math
from typing import NamedTuple

import numpy as np

from trajbatt.exact.orders import Orders
from trajbatt.models.banded import BandedModel
from trajbatt.models.ladder import LadderModel
from trajbatt.numerics import spin
from trajbatt.states.initial import prepare


class QutipProblem(NamedTuple):
    """The arguments of `qutip.mcsolve` and `qutip.mesolve`, in the bare basis.

    Attributes
    ----------
    H : Qobj
        In the pump frame.
    c_ops : list of Qobj
        One for each channel, in their order.
    e_ops : dict of str to Qobj
        `energy`, its square `energy_squared`, and `dipole`, the bare J_+.
    psi0 : Qobj
        A ket, or a density matrix.
    """

    H: object
    c_ops: list
    e_ops: dict
    psi0: object


def to_qutip(model, initial=None):
    """Return a model as QuTiP takes it: `H, c_ops, e_ops, psi0 = tb.to_qutip(model)`.

    Then `qutip.mesolve(H, psi0, tlist, c_ops, e_ops=e_ops)`; `qutip.mcsolve` needs
    `options={"norm_t_tol": 1e-12, "norm_tol": 1e-4, "norm_steps": 50}` for more than a few atoms.
    `trajbatt.exchange.from_qutip` reads its clicks.

    Parameters
    ----------
    model : LadderModel or BandedModel
    initial : optional
        As in `mesolve`.

    Returns
    -------
    QutipProblem

    Raises
    ------
    ImportError
        Without QuTiP.
    TypeError
        For a protocol: give its stages one by one.
    """
    try:
        import qutip
    except ImportError:
        raise ImportError("qutip is needed for this: pip install 'trajbatt[bench]'") from None
    if not isinstance(model, LadderModel | BandedModel):
        raise TypeError(
            "`model` must be a single model such as battery.charge(), "
            f"but is a {type(model).__name__}"
        )
    j_x, j_y, j_z = qutip.jmat(model.n_atoms / 2)
    cos, sin = math.cos(model.theta), math.sin(model.theta)
    dressed_z, dressed_x = cos * j_z - sin * j_x, cos * j_x + sin * j_z
    steps = {1: dressed_x + 1j * j_y, 0: dressed_z, -1: dressed_x - 1j * j_y}
    if isinstance(model, LadderModel):
        jumps = [math.sqrt(channel.rate) * steps[channel.shift] for channel in model.channels]
    else:
        jumps = [math.sqrt(model.rate) * (j_x - 1j * j_y)]
    energy = j_z + model.n_atoms / 2
    return QutipProblem(
        H=model.frequency * dressed_z,
        c_ops=jumps,
        e_ops={"energy": energy, "energy_squared": energy * energy, "dipole": j_x + 1j * j_y},
        psi0=qutip.Qobj(_bare(model, initial)),
    )


def _bare(model, initial):
    """Return the initial state in the bare basis of QuTiP, (N+1, 1) or (N+1, N+1)."""
    mixture, n_atoms = prepare(model, initial), model.n_atoms
    if mixture.weights.size == 1:
        ((_, first, piece),) = mixture.kets()
        ket = np.zeros(n_atoms + 1, dtype=piece.dtype)
        ket[first : first + piece.size] = piece
        return (ket @ spin.change_of_basis(n_atoms, model.theta, 0.0))[::-1, None]
    orders = Orders(n_atoms, model.theta, range(n_atoms + 1))
    (matrix,) = orders.in_basis(orders.of_mixture(mixture)[None], 0.0, 0.0)
    return matrix[::-1, ::-1]
