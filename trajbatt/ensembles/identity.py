"""What fixes the trajectories of a run, as JSON and arrays: written down, read back, compared."""

import hashlib

import numpy as np

from trajbatt.ensembles.plan import Plan, law_of
from trajbatt.models.model import stays_symmetric
from trajbatt.models.recognised import recognised
from trajbatt.states.block_steady_state import BlockSteadyState
from trajbatt.states.driven_steady_state import DrivenSteadyState
from trajbatt.states.expectations import Expectation, of_operator
from trajbatt.states.frame_steady_state import FrameSteadyState
from trajbatt.states.json_form import plain, rebuilt
from trajbatt.states.steady_state import SteadyState
from trajbatt.trajectories.methods import has_tolerance


def describe(plan):
    """Return a run as JSON has it, and its arrays.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    identity : dict
        Two runs have the same if and only if they have the same trajectories, but for their number.
    arrays : dict of str to ndarray
        The times, and the initial state if it is an array.
    """
    arrays, initial = {"times": _normal(plan.times)}, plan.initial
    if isinstance(initial, DrivenSteadyState):
        arrays["initial"] = _normal(initial.matrix)
        state = {"kind": "DrivenSteadyState", "n_atoms": initial.n_atoms, "theta": initial.theta}
    elif isinstance(initial, FrameSteadyState):
        arrays["initial"], arrays["axes"] = _normal(initial.in_frame), _normal(initial.axes)
        state = {"kind": "FrameSteadyState", "n_atoms": initial.n_atoms, "theta": initial.theta}
    elif isinstance(initial, BlockSteadyState):
        arrays["initial"] = _normal(initial.populations)
        state = {"kind": "BlockSteadyState", "n_atoms": initial.n_atoms, "theta": initial.theta}
    elif initial is None or isinstance(initial, SteadyState):
        state = plain(initial)
    else:
        arrays["initial"] = _normal(initial)
        state = {"kind": "array"}
    arrays |= _operators(plan.expectations)
    identity = {
        "law": law_of(plan.method),
        "seed": plan.seed,
        "method": plan.method,
        "rtol": plan.rtol if has_tolerance(plan.method) else None,
        "keep_clicks": plan.keep_clicks,
        "model": plain(plan.model),
        "initial": state,
        "times": {"number": plan.times.size, "last": float(plan.times[-1])},
        **({"e_ops": [one.name for one in plan.expectations]} if plan.expectations else {}),
        **({"keep_samples": list(plan.keep_samples)} if plan.keep_samples else {}),
        **({"part": list(plan.part)} if plan.part else {}),
        "arrays": {name: digest_of(array) for name, array in arrays.items()},
    }
    return identity, arrays


def _operators(expectations):
    """Return the arrays of operators, a dict: sparse matrices, or else their combinations.

    A function has none.
    """
    from scipy.sparse import csr_array

    arrays = {}
    for i, one in enumerate(expectations):
        if one.operator is not None:
            matrix = csr_array(one.operator)
            arrays[f"e_op_{i}_data"] = _normal(matrix.data)
            arrays[f"e_op_{i}_indices"] = matrix.indices.astype(np.int64)
            arrays[f"e_op_{i}_indptr"] = matrix.indptr.astype(np.int64)
        elif one.combination is not None:
            arrays[f"e_op_{i}_combination"] = _normal(one.combination)
    return arrays


def _expectations(names, arrays, model):
    """Undo `_operators`."""
    from scipy.sparse import csr_array

    found = []
    for i, name in enumerate(names):
        if f"e_op_{i}_combination" in arrays:
            found.append(Expectation(name, combination=arrays[f"e_op_{i}_combination"]))
            continue
        parts = [arrays[f"e_op_{i}_{part}"] for part in ("data", "indices", "indptr")]
        size = parts[-1].size - 1
        operator = csr_array(tuple(parts), shape=(size, size))
        is_whole = stays_symmetric(model)
        found.append(of_operator(name, operator) if is_whole else Expectation(name, operator))
    return tuple(found)


def rebuild(identity, arrays):
    """Return the `Plan` of what `describe` returned."""
    state = identity["initial"]
    if state and state["kind"] == "array":
        initial = arrays["initial"]
    elif state and state["kind"] == "DrivenSteadyState":
        initial = DrivenSteadyState(state["n_atoms"], state["theta"], arrays["initial"])
    elif state and state["kind"] == "FrameSteadyState":
        given = state["n_atoms"], state["theta"], arrays["axes"], arrays["initial"]
        initial = FrameSteadyState(*given)
    elif state and state["kind"] == "BlockSteadyState":
        initial = BlockSteadyState(state["n_atoms"], state["theta"], arrays["initial"])
    else:
        initial = rebuilt(state)
    model, times = recognised(rebuilt(identity["model"])), arrays["times"]
    times.flags.writeable = False
    return Plan.of(
        model,
        initial,
        times,
        seed=identity["seed"],
        method=identity["method"],
        rtol=identity["rtol"] or 1e-6,  # without meaning where there is none
        keep_clicks=identity["keep_clicks"],
        expectations=_expectations(identity.get("e_ops", ()), arrays, model),
        keep_samples=tuple(identity.get("keep_samples", ())),
        part=tuple(identity.get("part", ())) or None,
    )


def difference(there, now, name=""):
    """Say in words where two JSON values first differ; empty if they do not."""
    if isinstance(there, dict) and isinstance(now, dict):
        for key in {**there, **now}:
            words = difference(there.get(key), now.get(key), f"{name} {key}".strip())
            if words:
                return words
        return ""
    if isinstance(there, list) and isinstance(now, list) and len(there) == len(now):
        for i, (one, other) in enumerate(zip(there, now, strict=True)):
            words = difference(one, other, f"{name} {i}")
            if words:
                return words
        return ""
    return "" if there == now else f"{name}: {there} there, {now} now"


def _normal(array):
    """Return an array whose digest does not tell 1 from 1.0 or 0.0 from -0.0."""
    array = np.asarray(array)
    return array.astype(complex if np.iscomplexobj(array) else float) + 0.0


def digest_of(array):
    """Return the SHA-256 of an array, its shape and its kind, in hexadecimal."""
    array = np.ascontiguousarray(array)
    return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()
