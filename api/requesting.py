"""Opens and moves service requests: for the API and for the desk alike. Each command is decided on the newest state, or refused.

Reading order: Asked, Done, open_request, act, relayed.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec

from aggregates.decision import Also, Decision, Overtaken
from aggregates.identifier import Identifier
from aggregates.normal.who import read_who
from aggregates.refusal import Refused as Unreadable
from aggregates.service_request import deciding
from aggregates.service_request.deciding import Command, NewRequest, Refused, decide, merge, open_request
from aggregates.service_request.hours import Hours
from aggregates.service_request.recording import Change, record_of
from aggregates.service_request.request import Event, Request, Resolved, evolve
from aggregates.service_request.telling import Kept
from api import commands, customers, position
from api.access import Caller
from api.ports import Connection, Dependencies
from api.problem import Problem, erased, invalid, not_found, unavailable
from projections.erasure import table as erasure
from projections.knowledge import table as knowledge
from projections.service import table
from projections.service.table import Row
from projections.view import reading

TRIES = 5
PATIENCE = 1.0
"""How long an answer waits for the log to have the decision; it stands in any case."""

BEST = ("phone", "customer_number", "national_id", "email", "user_id", "account")
"""By which identifier of a customer a request is made when none is named, best first."""


class Done(NamedTuple):
    """The request after the command; the position is empty when the log did not have it in time."""

    row: Row
    at: str
    new: bool = True


async def open_for(dependencies: Dependencies, asking: Caller, who: dict[str, Any], wanted: NewRequest, key: commands.Key | None) -> Done:
    """A request for whoever these identifiers name. Raises problems."""
    identifier = _identifier(who)
    async with dependencies.pool.connection() as connection:
        known = await commands.known(connection, key)
        if known is not None:
            return Done(await load(connection, known), "", new=False)
        number = await table.number(connection)
    id_ = uuid4()
    opened = open_request(id_, number, {identifier.kind: identifier.value}, wanted, dependencies.clock(), asking.name, hours(dependencies))
    request = evolve(None, opened)
    return await _record(dependencies, key, [(None, request, [opened])])


async def act(dependencies: Dependencies, asking: Caller, id_: UUID, verb: str, command: Command, key: commands.Key | None) -> Done:
    """Do something with a request. Raises problems: 404, 409 for a refused move, 422 for a command that lacks something."""
    if verb not in deciding.VERBS and verb != "merge":
        raise not_found(f"Nothing can be done with a request by that word: try {', '.join(sorted((*deciding.VERBS, 'merge')))}.")
    for _ in range(TRIES):
        async with dependencies.pool.connection() as connection:
            known = await commands.known(connection, key)
            row = await load(connection, known or id_)
            other = await _other(connection, command) if verb == "merge" else None
            if known is None and command.article_id is not None and not await knowledge.known(connection, command.article_id):
                raise invalid("/article_id", "No article has this id.", "Send the id of the article by which it was resolved, or none.")
        if known is not None:
            return Done(row, "", new=False)
        try:
            changes = _changes(row.request, other, verb, command, asking, dependencies)
        except Refused as error:
            if error.pointer:
                raise invalid(error.pointer, str(error)) from error
            raise Problem(409, "not_allowed", str(error), mend="Read the request again: somebody may have been faster.") from error
        try:
            return await _record(dependencies, key, changes, row)
        except Overtaken:
            continue
    raise unavailable("Too many decide about this request at the same time.")


async def load(connection: Connection, id_: UUID) -> Row:
    """A request. Raises a 410 problem when whose it was is erased, a 404 problem when there never was one."""
    row = await table.load(connection, id_)
    if row is not None and row.customer is not None:
        return row
    gone = await erasure.of_request(connection, id_)
    if gone is not None:
        raise erased(gone)
    if row is None:
        raise not_found("No service request has this id.")
    return row


def hours(dependencies: Dependencies) -> Hours:
    """When this installation's desk is open."""
    return Hours(zone=dependencies.zone)


async def identifier_of(dependencies: Dependencies, connection: Connection, customer: UUID) -> dict[str, Any]:
    """An identifier of a customer by which a request can be made for him. Raises a 404 problem when he has none that is known."""
    schema = await dependencies.schema()
    looked = await customers.look(dependencies, schema, customer)
    if looked is not None:
        points = reading.contact_points(looked.state)
        known = {point.kind: point.value for point in reversed(points) if point.value}
        for kind in (*BEST, *sorted(known)):
            if kind in known:
                return {kind: known[kind]}
    raise not_found("No customer has this id, or there is nothing by which a request could be made for him.")


def _changes(
    request: Request, other: Request | None, verb: str, command: Command, asking: Caller, dependencies: Dependencies
) -> list[Change]:
    at = dependencies.clock()
    if other is not None:
        merged, absorbed = merge(request, other, at, asking.name)
        return [(request, evolve(request, merged), [merged]), (other, evolve(other, absorbed), [absorbed])]
    events = decide(request, verb, command, at, asking.name, hours(dependencies))
    now = request
    for event in events:
        now = evolve(now, event)
    return [(request, now, events)]


async def _record(dependencies: Dependencies, key: commands.Key | None, changes: Sequence[Change], row: Row | None = None) -> Done:
    first = changes[0][1]
    decisions, changed = record_of(dependencies.secrets, changes)
    also: list[Also] = [*(table.put(request, decider) for request, decider in changed), table.TOLD]
    also += [
        table.resolved_by(event.article, first.id, event.at) for event in changes[0][2] if isinstance(event, Resolved) and event.article
    ]
    if not decisions:
        assert row is not None  # noqa: S101 - only a move can change nothing
        return Done(row, "", new=False)
    if key is not None:
        also.append(key.also(first.id, first.version))
    version = dependencies.changes.version
    try:
        number = await dependencies.decisions.record(decisions, also)
    except Overtaken:
        async with dependencies.pool.connection() as connection:
            known = await commands.known(connection, key)
            if known is not None:
                return Done(await load(connection, known), "", new=False)
        raise
    at = await relayed(dependencies, number, version)
    async with dependencies.pool.connection() as connection:
        return Done(await load(connection, first.id), at)


async def relayed(dependencies: Dependencies, number: int, version: int) -> str:
    """The position at which a decision is in the log; empty when that takes too long: it is told later then."""
    clock = asyncio.get_running_loop().time
    until = clock() + PATIENCE
    while True:
        async with dependencies.pool.connection() as connection:
            cursor = await connection.execute("SELECT ends FROM decisions.relayed WHERE notification >= %s", (number,))
            row = await cursor.fetchone()
        if row is not None:
            return position.token({int(partition): end for partition, end in row[0].items()})
        left = until - clock()
        if left <= 0:
            return ""
        version = await dependencies.changes.changed(version, left)


def _identifier(who: dict[str, Any]) -> Identifier:
    try:
        found = read_who(who)
    except Unreadable as error:
        raise invalid("/who" + error.refusal.pointer.removeprefix("/data/who"), error.refusal.detail, error.refusal.mend) from error
    if not found:
        raise invalid("/who", "It names nobody.", 'Send {"phone": "0912…"}, or a customer_id.')
    return found[0]


async def _other(connection: Connection, command: Command) -> Request:
    if command.into is None:
        raise invalid("/into", "Say into which request.", "Send the id of the other request.")
    row = await table.load(connection, command.into)
    if row is None:
        raise invalid("/into", "No service request has this id.")
    return row.request


def history(decisions: Sequence[Decision]) -> list[Event]:
    """What happened to a request."""
    decoder = msgspec.json.Decoder(Kept)
    return [decoder.decode(decision.state).event for decision in decisions]
