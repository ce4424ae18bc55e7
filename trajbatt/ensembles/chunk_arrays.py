"""What a chunk gave, as arrays: what its file holds."""

import numpy as np

from trajbatt.ensembles.tally import Tally
from trajbatt.numerics.moments import Moments
from trajbatt.trajectories.records import Records

MOMENTS = "mean", "comoment", "third", "fourth"


def arrays_of(tally):
    """Return the arrays of a `Tally`, a dict of str to ndarray."""
    arrays = {
        "count": np.array(tally.moments.count),
        **{name: getattr(tally.moments, name) for name in MOMENTS},
        "checkpoint_mean": tally.checkpoints.mean,
        "checkpoint_comoment": tally.checkpoints.comoment,
        "final_counts": tally.final_counts,
        "dropped": np.array(tally.dropped),
    }
    if tally.expect is not None:
        for name in MOMENTS:
            arrays[f"expect_{name}"] = getattr(tally.expect, name)
    for i, values in enumerate((tally.samples or {}).values()):
        arrays[f"samples_{i}"] = values
    for i, records in enumerate(tally.records):
        known = {name: one for name, one in records._asdict().items() if one is not None}
        arrays |= {f"records_{i}_{name}": values for name, values in known.items()}
    return arrays


def tally_of(arrays):
    """Undo `arrays_of`, without clicks and samples."""
    count = int(arrays["count"])
    moments = Moments(count, *(arrays[name] for name in MOMENTS))
    checkpoints = Moments(count, arrays["checkpoint_mean"], arrays["checkpoint_comoment"])
    expect = None
    if "expect_mean" in arrays:
        expect = Moments(count, *(arrays[f"expect_{name}"] for name in MOMENTS))
    dropped = float(arrays["dropped"])
    return Tally(moments, checkpoints, arrays["final_counts"], (), dropped, expect)


def records_in(arrays, n):
    """Return the clicks of the first n trajectories, a list of `Records`."""
    found, left = [], n
    while left > 0:
        fields = (arrays.get(f"records_{len(found)}_{name}") for name in Records._fields)
        records = Records(*fields)
        found.append(records.first(min(left, records.origin.size)))
        left -= records.origin.size
    return found
