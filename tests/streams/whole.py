"""Both hops with all parts that derive something from whole histories, and the words by which rules and segments are put in force."""

from datetime import datetime
from time import monotonic
from typing import Any

import msgspec

from aggregates.declaration import Decided, decided_type
from aggregates.identity import DEFAULT_RULES
from aggregates.touchpoint import derive
from infra.sealing import KeyRing
from streams.broadcasting import keys as broadcast_keys
from streams.candidates import Nobody
from streams.customer import Customer
from streams.parts import Part
from streams.record import Processor
from streams.resolve import Resolve
from streams.scoring import Scoring
from streams.segmenting import Segmenting
from streams.ticking import Ticking
from streams.triggering import Triggering
from streams.valuing import Valuing
from streams.words import DECIDER, told
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.people import BEGINNING


def processors(ground: Ground, piece: int, today: datetime = BEGINNING) -> list[Processor]:
    """Both hops; no timer is ever due. `today`: when it is asked who is in a segment."""
    ring = KeyRing(MASTER)
    ticking = Ticking(monotonic, lambda: BEGINNING)

    async def ends() -> dict[int, int]:
        return ground.memory.ends("touchpoints")

    parts: list[Part] = [
        Scoring(ring, lambda: BEGINNING, b"a key of the tests", ends),
        Valuing(ring, lambda: BEGINNING),
        Triggering(ring, Nobody(), ticking),
        Segmenting(ring, ticking, lambda: today),
        ticking,
    ]
    return [Resolve(DEFAULT_RULES, ring), Customer(ring, piece=piece, parts=parts)]


def everywhere(ground: Ground, type_: str, id_: str, data: Any) -> None:
    """Every partition hears it."""
    for key in broadcast_keys(ground.memory.partitions):
        said = told(DECIDER, type_, "", derive("announced", id_), data, BEGINNING, key)
        ground.memory.append(said.topic, said.key, said.value)


def publish(
    ground: Ground, kind: str, body: dict[str, Any], state: str = "published", number: int = 1, at: datetime = BEGINNING, version: int = 1
) -> None:
    """A rule or a segment stands so."""
    decided = Decided(kind, body[kind], version, number, state, msgspec.json.encode(body).decode(), "Asia/Tehran", at)
    everywhere(ground, decided_type(kind), f"{body[kind]} {number}", msgspec.to_builtins(decided))


async def settled(ground: Ground, piece: int) -> None:
    """A worker does all there is to do."""
    async with ground.working(*processors(ground, piece)) as worker:
        await ground.settle(worker)
