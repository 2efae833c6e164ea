"""What agreements say, over HTTP: the weights by which possible duplicates are judged, by field and level.

Reading order: WeightsShown, router, shown.
"""

from datetime import datetime

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.matching.agreement import LEVELS, Floats, Level
from aggregates.matching.customers import COLUMNS
from api import access, openapi
from api.answers import json
from api.ports import Connection, Dependencies
from projections.duplicates import table, weights


class LevelShown(msgspec.Struct, frozen=True):
    """What it says when two customers agree so in a field."""

    agreement: str  # different, faint, alike, similar, close, near, variant, swapped, same
    rarity: int | None  # of `same`: each step halves how many have the value; 0: very many, 15: hardly anybody
    m: float  # how often two records of one person agree so
    u: float  # how often those of two people do
    bits: float  # positive speaks for one person


class FieldWeights(msgspec.Struct, frozen=True):
    """A field, from what says least for one person to what says most, as likeness goes."""

    field: str
    levels: list[LevelShown]


class WeightsShown(msgspec.Struct, frozen=True):
    """The weights that hold: what was learned last, after what people decided."""

    version: int  # of the decision `duplicates.weights_learned`; 0: nothing was learned yet, these are the first beliefs
    at: datetime | None  # since when
    customers: int  # of so many it was learned
    pairs: int  # so many pairs of theirs were looked at
    decisions: int  # so many decisions of people have bent it since
    share: float  # of all pairs that meet, how many are one person
    fields: list[FieldWeights]


def router(dependencies: Dependencies) -> APIRouter:
    """The route of the weights."""
    routes = APIRouter(tags=["identity"])

    @routes.get(
        "/v1/duplicates/weights",
        openapi_extra=openapi.described('curl -u "$AGENT:" $YEKTA/v1/duplicates/weights', WeightsShown, 503),
    )
    async def show(request: Request) -> Response:
        """By which weights possible duplicates are judged, and what they were learned from."""
        access.staff(request, dependencies, access.INSIDE)
        async with dependencies.pool.connection() as connection:
            return json(await shown(connection))

    return routes


async def shown(connection: Connection) -> WeightsShown:
    """The weights that hold."""
    told, held = await weights.newest(connection), await weights.in_force(connection)
    decided = len(await table.taught(connection))
    fields = [FieldWeights(field, _levels(*of)) for field, *of in zip(COLUMNS, held.m, held.u, held.bits, strict=True)]
    if told is None:
        return WeightsShown(0, None, 0, 0, decided, held.share, fields)
    return WeightsShown(told.version, told.at, told.customers, told.pairs, decided, held.share, fields)


def _levels(m: Floats, u: Floats, bits: Floats) -> list[LevelShown]:
    """Of one field."""
    found = []
    for level in range(Level.DIFFERENT, LEVELS):
        equal = level >= Level.SAME
        name, rarity = ("same", level - Level.SAME) if equal else (Level(level).name.lower(), None)
        found.append(LevelShown(name, rarity, _short(m[level]), _short(u[level]), round(float(bits[level]), 2)))
    return found


def _short(number: float) -> float:
    return float(f"{number:.4g}")
