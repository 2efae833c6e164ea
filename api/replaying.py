"""Tries dead letters again, as they came or corrected: by a JSON Patch, a whole event, or a newer mapping of a file's columns.

What is replayed keeps its id and its time, and is marked. It goes through the same reading as everything that comes in at a door, under
the source that sent it first. Of two who replay a letter at once one waits for the other, and is told what became of it.
Reading order: Correction, Outcome, judged, replay.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import msgspec

from aggregates import cloudevents, dead_letter, segment
from aggregates.dead_letter import Replayed
from aggregates.log import Entry, NotAcknowledged
from aggregates.patch import Patch, patched
from aggregates.reading import read
from aggregates.refusal import REUSED, Refusal
from aggregates.rows.row import CONTENT_TYPE, alone, decode
from aggregates.sealing import KeyDestroyed, seal, text
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint
from api.access import Caller
from api.ports import Connection, Dependencies
from api.problem import unavailable
from projections.dead_letters import table
from projections.dead_letters.table import Letter
from projections.identity.table import bodies

MARK = "yektareplayed"
"""The CloudEvents attribute by which a replayed fact names its letter."""

Status = Literal["replayed", "would_replay", "refused", "already_replayed", "erased"]


@dataclass(frozen=True, slots=True)
class Correction:
    """What is done to letters before they are tried again."""

    patch: Patch = ()
    whole: bytes = b""  # instead of what came
    mapping: Mapping[str, Any] | None = None  # for rows of files: as a person writes it


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one letter."""

    id: UUID
    status: Status
    event_id: UUID | None = None
    reason: str = ""
    pointer: str = ""  # RFC 6901, into what was tried; into the patch when that could not be applied
    detail: str = ""
    mend: str = ""


async def raw_of(connection: Connection, dependencies: Dependencies, letter: Letter) -> bytes:
    """The bytes as they came. Raises KeyDestroyed."""
    await dependencies.secrets.fetch(connection, [letter.seal])
    return dead_letter.unearth(letter.letter(), dependencies.secrets)


def judged(dependencies: Dependencies, letter: Letter, raw: bytes, correction: Correction) -> Touchpoint | Refusal:
    """What a letter means now, or why it still cannot be accepted."""
    source = dependencies.ring.source(letter.source) or Source(letter.source, dependencies.zone)
    content = correction.whole or raw
    if correction.patch:
        document = cloudevents.decoded(content)
        if isinstance(document, Refusal):
            return Refusal("not_json", "", "It is not JSON, so there is nothing to patch.", "Send the whole corrected event.")
        changed = patched(document, correction.patch)
        if isinstance(changed, Refusal):
            return changed
        content = json.dumps(changed).encode()  # as escapes: a half of a surrogate pair may still be there, and is said below
    found = _understood(content, letter, source, correction.mapping)
    if isinstance(found, Touchpoint):
        if letter.event is not None and letter.reason != "id_reused" and found.event_id != letter.event:
            return Refusal("wrong_value", "/id", "It would become another event.", "Keep the id and the source that it came with.")
        return msgspec.structs.replace(found, recorded=dependencies.clock(), attributes={**found.attributes, MARK: str(letter.id)})
    return found


def _understood(content: bytes, letter: Letter, source: Source, mapping: Mapping[str, Any] | None) -> Touchpoint | Refusal:
    """Read as what it came as; what has no time of its own happened, as far as anybody knows, when it was first refused."""
    if letter.content_type == CONTENT_TYPE:
        row = decode(content)
        return row if isinstance(row, Refusal) else alone(row, source, letter.recorded, mapping).judged
    found = segment.understood(content, letter.place, source, letter.recorded, letter.sent)
    if found is None:
        event = cloudevents.structured(content)
        found = event if isinstance(event, Refusal) else read(event, source, letter.recorded)
    return found


async def replay(
    dependencies: Dependencies, asking: Caller, letters: Sequence[Letter], correction: Correction, *, dry_run: bool = False
) -> tuple[list[Outcome], dict[int, int]]:
    """Publish what is understood now, and that it was replayed; what became of each letter, and where the facts end.

    The letters are held until both are acknowledged. A crash before that may leave one open whose fact is out: replayed again as it
    was, that changes nothing. Raises a 503 problem when Kafka does not acknowledge.
    """
    async with dependencies.pool.connection() as connection:
        if dry_run:
            return [_seen(found, letter) for letter, found in await _tried(connection, dependencies, letters, correction)], {}
        async with connection.transaction():
            held = await table.hold(connection, [letter.id for letter in letters])
            results = await _tried(connection, dependencies, [held.get(letter.id, letter) for letter in letters], correction)
            return await _published(connection, dependencies, asking, results)


def _seen(found: Touchpoint | Outcome, letter: Letter) -> Outcome:
    return found if isinstance(found, Outcome) else Outcome(letter.id, "would_replay", found.event_id)


async def _tried(
    connection: Connection, dependencies: Dependencies, letters: Sequence[Letter], correction: Correction
) -> list[tuple[Letter, Touchpoint | Outcome]]:
    """Each letter, with what it means now or why it stays."""
    results: list[tuple[Letter, Touchpoint | Outcome]] = []
    for letter in letters:
        if letter.replayed_as is not None:
            results.append((letter, Outcome(letter.id, "already_replayed", letter.replayed_as)))
            continue
        try:
            raw = b"" if correction.whole else await raw_of(connection, dependencies, letter)
        except KeyDestroyed:
            results.append((letter, Outcome(letter.id, "erased", detail="What it was sealed with was destroyed by an erasure.")))
            continue
        found = judged(dependencies, letter, raw, correction)
        results.append((letter, _stays(letter, found) if isinstance(found, Refusal) else found))
    return await _under_own_ids(connection, dependencies, results)


async def _under_own_ids(
    connection: Connection, dependencies: Dependencies, results: Sequence[tuple[Letter, Touchpoint | Outcome]]
) -> list[tuple[Letter, Touchpoint | Outcome]]:
    """What has another content under its id than the log, or than one before it here, stays: it would be refused when nobody looks."""
    contents = await bodies(connection, [found.event_id for _, found in results if isinstance(found, Touchpoint)])
    kept: list[tuple[Letter, Touchpoint | Outcome]] = []
    for letter, found in results:
        if isinstance(found, Touchpoint):
            body = text(dependencies.secrets.digest("body", found.body))
            if contents.setdefault(found.event_id, body) != body:
                kept.append((letter, _stays(letter, REUSED)))
                continue
        kept.append((letter, found))
    return kept


def _stays(letter: Letter, why: Refusal) -> Outcome:
    return Outcome(letter.id, "refused", None, why.reason, why.pointer, why.detail, why.mend)


async def _published(
    connection: Connection, dependencies: Dependencies, asking: Caller, results: Sequence[tuple[Letter, Touchpoint | Outcome]]
) -> tuple[list[Outcome], dict[int, int]]:
    now = dependencies.clock()
    ready = [(letter, found) for letter, found in results if isinstance(found, Touchpoint)]
    ends: dict[int, int] = {}
    if ready:
        facts: list[Entry] = [(*seal(found, dependencies.secrets), ()) for _, found in ready]
        said = [(Replayed(letter.id, found.event_id, now, str(asking.key)), letter.key) for letter, found in ready]
        try:
            # The facts first: were it the other way round, a crash between them would leave a letter replayed as nothing.
            ends = dict(await dependencies.log.publish(dependencies.topics.touchpoints, facts))
            await dependencies.log.publish(dependencies.topics.dead_letters, [dead_letter.replay_record(*one) for one in said])
        except NotAcknowledged as error:
            raise unavailable(f"{error} It may be replayed again.") from error
        await table.mark(connection, [replayed for replayed, _ in said])
        dependencies.recent.note(ends, now)
        dependencies.recent.accept([found.event_id for _, found in ready])
    outcomes = [found if isinstance(found, Outcome) else Outcome(letter.id, "replayed", found.event_id) for letter, found in results]
    return outcomes, ends


def totals(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """How many letters ended how."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.status] = counts.get(outcome.status, 0) + 1
    return counts
