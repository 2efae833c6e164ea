"""What an agent is told of a customer's churn, now or at any time since: the score, where it goes, why, and how it came to be.

The score is computed when it is asked for, from what is kept of the customer and the champion's weights: it is right also when nothing
happened since. Reading order: Score, told, spoken, score, Point, history.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from aggregates.churn import DAY, Definition
from projections.alike import Alike
from projections.churn import reasons as telling
from projections.churn import table, weights
from projections.churn.features import in_population
from projections.churn.kept import Kept
from projections.churn.reasons import Reason
from projections.churn.table import InForce, Unsound
from projections.churn.weights import Model, chance
from projections.positions import replaying
from projections.rows import Connection

TREND = 30
"""Days over which a trend is told."""

STEADY = 0.02
MOST = 500

Trend = Literal["rising", "falling", "steady"]

_model = msgspec.msgpack.Decoder(Model)
_parts = msgspec.msgpack.Decoder(dict[str, float])


class Score(NamedTuple):
    """What is said of a customer."""

    definition: Definition
    status: Literal["learning", "scored", "outside", "refused"]
    at: datetime  # the customer's now
    score: float | None = None
    logit: float | None = None
    model: int | None = None  # the snapshot
    before: float | None = None  # what the same model says of him as he was some time ago, or when he was met last
    since: datetime | None = None  # when that was
    trend: Trend | None = None
    reasons: tuple[Reason, ...] = ()  # the weightiest first; their levels add up to the logit, their changes to that of the logit


class Point(NamedTuple):
    """One score of a customer's history."""

    at: datetime
    score: float
    silent: bool  # because nothing happened
    model: int | None  # the snapshot that it was given by; None: by the learner as it was on that day


async def told(connection: Connection, customer: UUID, now: datetime, unsound: Unsound, name: str = "churn") -> Score | None:
    """What is said of a customer; None: not enough is known. `now` is ours; who lives in replayed time has the now of that."""
    one = await _in_force(connection, name)
    kept = None if one is None else (await table.load(connection, [customer])).get((str(customer), one.id))
    return None if one is None or kept is None else await _said(connection, Alike(), one, kept, now, unsound)


async def spoken(connection: Connection, customer: UUID, now: datetime, unsound: Unsound, alike: Alike | None = None) -> Score | None:
    """What the first model says that scores him, of those in force: `churn`, then by name. Where none does, why the first does not."""
    alike = alike or Alike()
    found: Score | None = None
    kept = await table.load(connection, [customer])
    for one in await alike.read(models, connection):
        if (str(customer), one.id) in kept:
            said = await _said(connection, alike, one, kept[str(customer), one.id], now, unsound)
            if said.status == "scored":
                return said
            found = found or said
    return found


async def models(connection: Connection) -> list[InForce]:
    """Those in force: `churn`, then by name."""
    known = [one for one in await table.in_force(connection) if one.stands == "in_force"]
    return sorted(known, key=lambda one: (one.definition.name != "churn", one.definition.name))


async def _said(connection: Connection, alike: Alike, one: InForce, kept: Kept, now: datetime, unsound: Unsound) -> Score:
    at = await _now(connection, alike, kept, now)
    if not in_population(one.definition, kept.state, at.timestamp() / DAY):
        return Score(one.definition, "outside", at)
    loaded = await alike.read(table.sums, connection, one.champion) if one.champion is not None else None
    if loaded is None or not one.learnt:
        return Score(one.definition, "learning", at)
    learners, sums, checksum, made_with, _ = loaded
    if unsound(learners, sums, checksum, made_with):
        return Score(one.definition, "refused", at)
    return score(one, kept, _model.decode(sums), at)


def score(one: InForce, kept: Kept, model: Model, at: datetime) -> Score:
    """What a model says of a customer at a time, and why it is another than some time ago. Pure."""
    now = at.timestamp() / DAY
    said = weights.scored(one.definition, model, kept.state, now)
    summands = weights.parts(said.weights, said.features, said.anchors)
    earlier = max(kept.state.at, now - TREND)
    was = weights.scored(one.definition, model, kept.state, earlier)
    before = weights.parts(was.weights, was.features, was.anchors)
    whys = telling.reasons(summands, before, said.features, one.definition, kept.state)
    moved = said.score - was.score
    trend: Trend = "steady" if abs(moved) < STEADY else "rising" if moved > 0.0 else "falling"
    since = datetime.fromtimestamp(earlier * DAY, UTC)
    return Score(one.definition, "scored", at, said.score, said.logit, one.champion, was.score, since, trend, tuple(whys))


async def history(connection: Connection, customer: UUID, name: str = "churn", *, since: datetime | None = None) -> list[Point]:
    """A customer's scores in order of time: as they were given, and where none was, what the learner as it was on that day said.

    Before the first labels were known there is no score.
    """
    one = await _in_force(connection, name)
    if one is None:
        return []
    cursor = await connection.execute(
        "SELECT at, score, silent, snapshot FROM churn.given WHERE customer_id = %s AND definition = %s AND snapshot > 0"
        " ORDER BY at DESC, number DESC LIMIT %s",
        (customer, one.id, MOST),
    )
    points = [Point(at, score, silent, snapshot) for at, score, silent, snapshot in reversed(await cursor.fetchall())]
    days = {(math.floor(point.at.timestamp() / DAY) - point.silent, point.silent) for point in points}
    known = await _known(connection, one)
    cursor = await connection.execute(
        "SELECT replayed, day, silent, logit FROM churn.examples WHERE customer_id = %s AND definition = %s AND logit IS NOT NULL"
        " ORDER BY day DESC LIMIT %s",
        (customer, one.id, MOST),
    )
    for replayed, day, silent, logit in await cursor.fetchall():
        if (day, silent) not in days and day >= known.get(replayed, math.inf):
            points.append(Point(datetime.fromtimestamp((day + 1) * DAY, UTC) - timedelta(seconds=not silent), chance(logit), silent, None))
    points.sort(key=lambda point: point.at)  # what was given at one moment stays in the order in which it was given
    return [point for point in points if since is None or point.at >= since]


async def _known(connection: Connection, one: InForce) -> dict[bool, int]:
    """The day from which labels were known, in our time and in that of replayed sources."""
    found = {}
    for replayed in (False, True):
        cursor = await connection.execute(
            "SELECT min(day) FROM churn.examples WHERE definition = %s AND replayed = %s AND lost IS NOT NULL", (one.id, replayed)
        )
        row = await cursor.fetchone()
        if row is not None and row[0] is not None:
            found[replayed] = row[0] + one.definition.horizon + 1
    return found


async def _in_force(connection: Connection, name: str) -> InForce | None:
    return next((one for one in await table.in_force(connection) if one.definition.name == name and one.stands == "in_force"), None)


async def _now(connection: Connection, alike: Alike, kept: Kept, now: datetime) -> datetime:
    """The customer's now: ours, or that of the sources that replay their own time."""
    last = datetime.fromtimestamp(kept.state.at * DAY, UTC)
    if not kept.replayed:
        return max(now, last)
    replayed = await alike.read(replaying.latest, connection)
    return max(replayed or last, last)
