"""What operators ask of churn models from the shell: the snapshots, another champion, and what a snapshot would have said.

Reading order: snapshots, roll_back, replay.
"""

from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from infra import database
from infra.endpoints import endpoints
from infra.errors import Refusal
from infra.master_key import master_key
from infra.settings import Settings
from projections.churn import learnt, models, table
from projections.churn.anchors import Anchors
from projections.churn.models import Model
from projections.churn.table import InForce
from projections.churn.weights import chance, logit
from streams.learning import champion, metrics
from streams.learning.champion import Champion
from streams.learning.metrics import Metrics
from streams.learning.snapshot import SnapshotRefused

AT_ONCE = 20_000


class Replayed(NamedTuple):
    """What a model would have said of all that is remembered, beside what was said."""

    model: int
    examples: int
    labelled: int
    moved: int  # examples whose chance would have been another by more than a tenth
    by: dict[str, Metrics]  # on the labelled: given, learner, and this model
    changed: list[tuple[UUID, int, float, float]]  # customer, day, as given and as it would have been; where they differ most


async def snapshots(settings: Settings, name: str) -> tuple[InForce, Model]:
    """The definition in force and its model, with its snapshots, the newest first. Raises Refusal."""
    async with await database.connect(endpoints(settings).dsn, autocommit=True) as connection:
        one = await _in_force(connection, name)
        return one, await models.model(connection, one, partial(champion.unsound, master_key(settings).signing))


async def roll_back(settings: Settings, name: str, number: int) -> None:
    """Have scores given by this snapshot from now on. It is checked first. Raises Refusal."""
    async with await database.connect(endpoints(settings).dsn) as connection:
        one = await _in_force(connection, name)
        await _loaded(connection, one, number, master_key(settings).signing)
        if not await learnt.crown(connection, one.id, number):
            raise Refusal(f"Snapshot {number} is not one of {name}.", "`yekta learn` lists them.")


async def replay(settings: Settings, name: str, number: int, customer: UUID | None) -> Replayed:
    """What a snapshot would have said of every remembered example. Nothing is written. Raises Refusal."""
    async with await database.connect(endpoints(settings).dsn) as opened:
        connection: Any = opened
        await connection.execute("SET TRANSACTION READ ONLY")
        one = await _in_force(connection, name)
        model = (await _loaded(connection, one, number, master_key(settings).signing)).model
        features = msgspec.msgpack.Decoder(dict[str, float])
        said: list[tuple[tuple[float, float, float], bool | None]] = []
        changed: list[tuple[UUID, int, float, float]] = []
        async with connection.cursor(name="remembered", binary=True) as cursor:
            cursor.itersize = AT_ONCE
            await cursor.execute(
                "SELECT customer_id, day, silent, features, anchors, given, logit, lost FROM churn.examples WHERE definition = %s"
                " AND logit IS NOT NULL AND (%s::uuid IS NULL OR customer_id = %s) ORDER BY customer_id, day",
                (one.id, customer, customer),
            )
            async for whose, day, silent, written, anchors, given, learner, lost in cursor:
                weights = model.silence if silent else model.events
                now = logit(weights, features.decode(written), Anchors(*anchors))
                said.append(((given, learner, now), lost))
                changed.append((whose, day, chance(given), chance(now)))
    known = [(logits, bool(label)) for logits, label in said if label is not None]
    truth = metrics.labels([label for _, label in known])
    by = {
        title: metrics.judge(truth, metrics.floats([logits[place] for logits, _ in known]))
        for place, title in enumerate(("as given", "the learner, as it was", f"snapshot {number}"))
    }
    moved = sum(abs(was - now) > 0.1 for _, _, was, now in changed)
    changed.sort(key=lambda row: -abs(row[2] - row[3]))
    return Replayed(number, len(said), len(known), moved, by if known else {}, changed[:20])


async def _in_force(connection: Any, name: str) -> InForce:
    found = next((one for one in await table.in_force(connection) if one.definition.name == name and one.stands == "in_force"), None)
    if found is None:
        raise Refusal(f"No definition {name} is in force.", "`GET /v1/models/churn` lists them.")
    return found


async def _loaded(connection: Any, one: InForce, number: int, key: bytes) -> Champion:
    try:
        return await champion.load(connection, number, one.definition.horizon, key)
    except SnapshotRefused as refused:
        raise Refusal(f"Snapshot {number} is not loaded. {refused}", "`yekta learn` lists them.") from refused
