"""Models as QuTiP takes them. QuTiP orders levels the other way round: index 0 is |j, +j>."""

import math
from functools import reduce
from operator import add
from typing import Any, NamedTuple

from numpy.polynomial import Polynomial

from trajbatt.models.model import Model, check_plain, check_symmetric
from trajbatt.numerics import spin
from trajbatt.states.initial import Initial, prepare


class QutipProblem(NamedTuple):
    """The arguments of `qutip.mcsolve` and `qutip.mesolve`, in the bare basis.

    Attributes
    ----------
    H : Qobj or QobjEvo
        In the pump frame.
    c_ops : list of Qobj
        One for each channel, in their order.
    e_ops : dict of str to Qobj
        `energy`, its square `energy_squared`, and `dipole`, the bare J_+.
    psi0 : Qobj
        A ket, or a density matrix.
    """

    H: Any
    c_ops: list[Any]
    e_ops: dict[str, Any]
    psi0: Any


def to_qutip(model: Model, initial: Initial | None = None) -> QutipProblem:
    """Return a model as QuTiP takes it: `H, c_ops, e_ops, psi0 = tb.to_qutip(model)`.

    Then `qutip.mesolve(H, psi0, tlist, c_ops, e_ops=e_ops)`; `qutip.mcsolve` needs
    `options={"norm_t_tol": 1e-12, "norm_tol": 1e-4, "norm_steps": 50}` for more than a few atoms.
    `trajbatt.exchange.from_qutip` reads its clicks.

    Parameters
    ----------
    model : LadderModel, BandedModel or RampModel
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
        raise ImportError("qutip is needed for this: pip install qutip") from None
    check_plain(model)
    check_symmetric(model, "`model` as QuTiP's")
    j_x, j_y, j_z = qutip.jmat(model.n_atoms / 2)
    cos, sin = math.cos(model.theta), math.sin(model.theta)
    dressed_z, dressed_x = cos * j_z - sin * j_x, cos * j_x + sin * j_z
    parts = (dressed_x - 1j * j_y, dressed_z, dressed_x + 1j * j_y)
    jumps = [
        math.sqrt(rate) * reduce(add, (s * part for s, part in zip(mix, parts, strict=True) if s))
        + (oscillator if oscillator else 0)
        for rate, mix, oscillator in zip(
            model.rates, model.jump_mix, model.oscillators, strict=True
        )
    ]
    energy = j_z + model.n_atoms / 2
    return QutipProblem(
        H=_moving(qutip, model, j_x, j_z) if model.moves else model.frequency * dressed_z,
        c_ops=jumps,
        e_ops={"energy": energy, "energy_squared": energy * energy, "dipole": j_x + 1j * j_y},
        psi0=qutip.Qobj(_bare(model, initial)),
    )


def _moving(qutip, model, j_x, j_z):
    """Return the H(t) of a ramp, a `QobjEvo`, with the time from the begin of the stage."""
    theta, omega = (Polynomial(one) for one in model.drive)
    return qutip.QobjEvo(
        [
            [j_z, lambda t: omega(t) * math.cos(theta(t))],
            [j_x, lambda t: -omega(t) * math.sin(theta(t))],
        ]
    )


def _bare(model, initial):
    """Return the initial state in the bare basis of QuTiP, (N+1, 1) or (N+1, N+1)."""
    mixture = prepare(model, initial)
    turned = mixture.in_basis(spin.change_of_basis(model.n_atoms, model.theta, 0.0))
    if turned.weights.size == 1:
        return turned.rows(model.n_levels)[0, ::-1, None]
    return turned.matrix(model.n_levels)[::-1, ::-1]
