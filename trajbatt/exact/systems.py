"""Which kind of model has which systems: a new kind joins the deterministic twin here.

Each kind has four systems, all with what `trajbatt.exact.stages` asks for:

- `orders(model, rtol, all_orders)`: coherence orders and mean counts, of `mesolve`;
- `counts(model, rtol, places, drift, goes_on)`: covariances of photon counts;
- `field(model, field, only_clicks)`: one real counting field, of waiting times and correlations;
- `fields(model, fields, goes_on)`: many complex ones, of the generating function.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from trajbatt.exact.banded import BandedOrders
from trajbatt.exact.block_model import BlockModel
from trajbatt.exact.counts import BandedCounts, LadderCounts
from trajbatt.exact.diffusive import DiffusiveOrders, no_clicks
from trajbatt.exact.driven import driven_counts, driven_field, driven_fields, driven_orders
from trajbatt.exact.fields import BandedField, BandedFields, LadderField, LadderFields
from trajbatt.exact.frame import FrameModel
from trajbatt.exact.ladder import LadderOrders
from trajbatt.exact.local_counting import LocalCounts, LocalField, LocalFields
from trajbatt.exact.local_ladder import LocalLadderOrders
from trajbatt.models.banded import BandedModel
from trajbatt.models.ladder import LadderModel
from trajbatt.models.mixed_light import DiffusiveModel, HomodyneModel
from trajbatt.models.model import of_kind


class Systems(NamedTuple):
    """The systems of one kind of model."""

    orders: Callable[..., Any]
    counts: Callable[..., Any]
    field: Callable[..., Any]
    fields: Callable[..., Any]


SYSTEMS = {
    LadderModel: Systems(LadderOrders, LadderCounts, LadderField, LadderFields),
    BlockModel: Systems(LocalLadderOrders, LocalCounts, LocalField, LocalFields),
    FrameModel: Systems(driven_orders, driven_counts, driven_field, driven_fields),
    BandedModel: Systems(BandedOrders, BandedCounts, BandedField, BandedFields),
    HomodyneModel: Systems(BandedOrders, BandedCounts, BandedField, BandedFields),
    DiffusiveModel: Systems(DiffusiveOrders, no_clicks, no_clicks, no_clicks),
}


def systems_of(model):
    """Return the `Systems` of a plain model."""
    return of_kind(SYSTEMS, model)
