"""What is told of the models: how each did month by month beside its rivals, what it learnt, when it drifted, and what waits.

Reading order: Model, model, population, fate, given_reasons.
"""

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from aggregates.churn import DAY, Definition
from projections.churn import table
from projections.churn.table import InForce, Unsound
from projections.churn.weights import Model as Sums
from projections.rows import Connection

SHOWN = 60

TRAINED_ON = 5_000
"""The latest labels that the live batch model is trained on, anew whenever days are closed: few, for the learner works beside customers."""


class Month(msgspec.Struct, frozen=True):
    """One model's judgement on the examples of a month; all models of a month are judged on the same."""

    month: date
    clock: str  # "wall", or "event": that of sources that replay their own time
    silent: bool  # scores that were given because nothing happened
    model: str  # model: the learner as it was; given: as it was told live; purchase_count, decayed_count, prior, batch: its rivals
    rows: int
    lost: int
    auc: float | None
    log_loss: float
    calibration_error: float


class Drift(msgspec.Struct, frozen=True):
    """A day on which the loss had drifted away."""

    day: date
    clock: str
    loss: float  # of late
    before: float


class Snapshot(msgspec.Struct, frozen=True):
    """A learner as it was written down."""

    number: int
    created: datetime
    labels: int
    through: date | None  # the last day whose examples it learnt
    made_with: str
    checksum: str
    champion: bool  # scores are given by it
    since: datetime | None  # when it last became the champion
    won: dict[str, Any] | None  # by what: the mean log-loss of both on labels that neither had learnt
    race: dict[str, float]  # the experts' weights
    weights: dict[str, float] | None  # the heaviest, by feature


class Pending(msgspec.Struct, frozen=True):
    """Examples whose labels are not known yet."""

    clock: str
    silent: bool
    examples: int
    next_known: date  # when the first labels of them will be


class Model(msgspec.Struct, frozen=True):
    """A published definition and what came of it."""

    name: str
    version: int
    stands: str  # in_force; beside: scored, and not published
    status: str  # past: on its way through the log of the past; learning: no labels are known yet; scored; refused: see `refused`
    definition: Definition
    labels: int
    champion: int | None
    months: list[Month]
    drift: list[Drift]
    snapshots: list[Snapshot]
    pending: list[Pending]
    refused: str | None = None  # why the champion is not loaded: nobody is given a score until another one is in force
    batch_trained_on: int = TRAINED_ON  # the latest labels; `yekta evaluate churn` trains its own on more, so the two are not the same


async def model(connection: Connection, one: InForce, unsound: Unsound) -> Model:
    """All that is told of a definition's model."""
    sealed = None if one.champion is None else await table.sums(connection, one.champion)
    refused = None if sealed is None else unsound(*sealed[:4]) or None
    return Model(
        one.definition.name,
        one.definition.version,
        one.stands,
        "refused" if refused else status(one),
        one.definition,
        one.learnt,
        one.champion,
        await _months(connection, one),
        await _drift(connection, one),
        await _snapshots(connection, one),
        await _pending(connection, one),
        refused,
    )


def status(one: InForce) -> str:
    """How far a definition's model has come."""
    return "past" if one.past else "scored" if one.learnt and one.champion is not None else "learning"


async def _months(connection: Connection, one: InForce) -> list[Month]:
    cursor = await connection.execute(
        "SELECT month, replayed, silent, model, rows, lost, auc, log_loss, calibration_error FROM churn.months WHERE definition = %s"
        " ORDER BY month, replayed, silent, model",
        (one.id,),
    )
    return [Month(month, _clock(replayed), *rest) for month, replayed, *rest in await cursor.fetchall()]


async def _drift(connection: Connection, one: InForce) -> list[Drift]:
    cursor = await connection.execute(
        "SELECT day, replayed, loss, before FROM churn.alarms WHERE definition = %s ORDER BY day DESC LIMIT %s", (one.id, SHOWN)
    )
    return [Drift(day_of(day), _clock(replayed), loss, before) for day, replayed, loss, before in await cursor.fetchall()]


async def _snapshots(connection: Connection, one: InForce) -> list[Snapshot]:
    cursor = await connection.execute(
        "SELECT number, created, learnt, through, made_with, encode(checksum, 'hex'), since, won, race,"
        " CASE WHEN number = %s OR since IS NOT NULL THEN sums END FROM churn.snapshots WHERE definition = %s"
        " ORDER BY number DESC LIMIT %s",
        (one.champion, one.id, SHOWN),
    )
    return [
        Snapshot(
            number,
            created,
            labels,
            None if through is None else day_of(through),
            made_with,
            checksum,
            number == one.champion,
            since,
            won,
            race,
            None if sums is None else _heaviest(sums),
        )
        for number, created, labels, through, made_with, checksum, since, won, race, sums in await cursor.fetchall()
    ]


async def _pending(connection: Connection, one: InForce) -> list[Pending]:
    cursor = await connection.execute(
        "SELECT replayed, silent, count(*), min(day) FROM churn.examples WHERE definition = %s AND lost IS NULL"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        (one.id,),
    )
    horizon = one.definition.horizon
    return [Pending(_clock(replayed), silent, count, day_of(day + horizon + 1)) for replayed, silent, count, day in await cursor.fetchall()]


async def population(connection: Connection, one: InForce) -> list[int]:
    """How many customers there are by score, in tenths; by what was said of each last. While it learns nobody has a score, though it is
    remembered what would have been said."""
    if status(one) != "scored":
        return [0] * 10
    cursor = await connection.execute(
        "SELECT least(9, floor(score * 10))::int, count(*) FROM churn.states WHERE definition = %s AND score IS NOT NULL GROUP BY 1",
        (one.id,),
    )
    found: dict[int, int] = dict(await cursor.fetchall())
    return [found.get(tenth, 0) for tenth in range(10)]


class Fate(msgspec.Struct, frozen=True):
    """What happened to those who were scored above a height a horizon ago, and to all others."""

    height: float
    since: date
    until: date
    above: int
    above_lost: int
    below: int
    below_lost: int


async def fate(connection: Connection, one: InForce, height: float) -> Fate | None:
    """Those of the last thirty days whose labels are known: each customer once, by his last score of these days."""
    cursor = await connection.execute(
        "SELECT replayed, max(day) FROM churn.examples WHERE definition = %s AND lost IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        (one.id,),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    replayed, last = row
    cursor = await connection.execute(
        "SELECT 1 / (1 + exp(-logit)) >= %s, count(*), count(*) FILTER (WHERE lost) FROM (SELECT DISTINCT ON (customer_id) logit, lost"
        " FROM churn.examples WHERE definition = %s AND replayed = %s AND day > %s AND lost IS NOT NULL ORDER BY customer_id, day DESC) e"
        " GROUP BY 1",
        (height, one.id, replayed, last - 30),
    )
    by_side = {side: (count, lost) for side, count, lost in await cursor.fetchall()}
    above, below = by_side.get(True, (0, 0)), by_side.get(False, (0, 0))
    return Fate(height, day_of(last - 29), day_of(last), *above, *below)


async def given_reasons(connection: Connection, one: InForce, most: int = 2_000) -> dict[str, float]:
    """How much each feature weighed in the scores that were written down last: mean of what it added to the logit, signs aside. A source's
    own time may stand still while one champion after the other scores all: then the last of them is meant."""
    cursor = await connection.execute(
        "SELECT parts FROM churn.given WHERE definition = %s ORDER BY at DESC, number DESC LIMIT %s", (one.id, most), binary=True
    )
    sums: dict[str, float] = {}
    rows = await cursor.fetchall()
    for (parts,) in rows:
        for name, part in msgspec.msgpack.decode(parts, type=dict[str, float]).items():
            sums[name] = sums.get(name, 0.0) + abs(part)
    return {name: total / len(rows) for name, total in sorted(sums.items(), key=lambda item: -item[1])}


def day_of(day: int) -> date:
    """A day's date."""
    return datetime.fromtimestamp(day * DAY, UTC).date()


def _clock(replayed: bool) -> str:
    return "event" if replayed else "wall"


def _heaviest(sums: bytes) -> dict[str, float] | None:
    """None where a snapshot is broken: the others are told all the same."""
    try:
        events = msgspec.msgpack.decode(sums, type=Sums).events
    except msgspec.MsgspecError:
        return None
    found = {"prior": events.prior, "decayed": events.decayed, **events.features}
    return {name: round(weight, 6) for name, weight in sorted(found.items(), key=lambda item: -abs(item[1]))[:24]}
