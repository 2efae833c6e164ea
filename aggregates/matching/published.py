"""The weights by which customers are compared, as they are decided and kept: a version is learned, and holds until the next.

Reading order: Learned, learned, weights_of, decision.
"""

from datetime import datetime

import numpy as np
from msgspec import Struct, json

from aggregates.decision import Decision
from aggregates.matching.agreement import Floats
from aggregates.matching.customers import COLUMNS
from aggregates.matching.estimating import Seen
from aggregates.matching.weights import Weights
from aggregates.touchpoint import derive

DIGITS = 6
"""Of each number so many are kept: more mean nothing, and a difference in the last bit would make another decision."""

Rows = list[list[float]]


class Learned(Struct, frozen=True, kw_only=True, tag="duplicates.weights_learned"):
    """From now on possible duplicates are judged by these weights. Nobody's values are in it."""

    version: int
    at: datetime
    customers: int  # that there were
    pairs: int  # that were looked at
    columns: list[str]
    m: Rows
    u: Rows
    share: float
    related: list[Rows]
    shares: list[float]


ID = derive("duplicates", "weights")


def learned(weights: Weights, seen: Seen, version: int, at: datetime) -> Learned:
    """What was learned of these customers."""
    return Learned(
        version=version,
        at=at,
        customers=seen.customers,
        pairs=len(seen.pairs),
        columns=list(weights.columns),
        m=_rows(weights.m),
        u=_rows(weights.u),
        share=_short(weights.share),
        related=[_rows(one) for one in weights.related],
        shares=[_short(one) for one in weights.shares.tolist()],
    )


def weights_of(told: Learned) -> Weights | None:
    """The weights that were told; none where they are of other columns than are compared today."""
    if tuple(told.columns) != COLUMNS:
        return None
    return Weights(COLUMNS, np.array(told.m), np.array(told.u), told.share, np.array(told.related), np.array(told.shares))


def decision(told: Learned) -> Decision:
    """The decision as it is kept; its version is that of the weights."""
    return Decision(ID, told.version, str(told.__struct_config__.tag), json.encode(told))


decoder = json.Decoder(Learned)


def _rows(numbers: Floats) -> Rows:
    return [[_short(one) for one in row] for row in numbers.tolist()]


def _short(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")
