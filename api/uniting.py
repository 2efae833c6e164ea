"""Makes two customers one, or one two, because a person says so: what would come of it, and the word that goes into the log.

Nothing is written here: the decision is a touchpoint like any other, and `resolve` does it. Reading order: Merged, merge, Divided, split.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from aggregates.identifier import Token, kind_of
from aggregates.identity import Merge, Said, Split, graph, strongest
from aggregates.identity import decisions as deciding
from aggregates.log import NotAcknowledged
from aggregates.normal import NotAnIdentifier, normalise
from aggregates.sealing import seal
from api import explaining, position
from api.access import Caller
from api.explaining import IdentifierShown, Known
from api.ports import Connection, Dependencies
from api.problem import Problem, erased, invalid, unavailable
from projections.erasure import table as erasure
from projections.identity import explaining as reading
from projections.identity import table as identity

SHOWN = 50
"""Of each side the newest events, in a preview."""


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An identifier: kind and value in any spelling, or its id as Yekta answered it."""

    kind: str = ""
    value: str = ""
    id: str = ""


class Merged(msgspec.Struct, frozen=True):
    """Two customers that are one."""

    dry_run: bool
    customer_id: UUID  # the one who stays: founded first
    merged: list[UUID]  # whose ids lead to him from now on
    identifiers: list[IdentifierShown]
    beyond: list[str]  # limits that evidence alone would not have passed
    event_id: UUID | None = None
    position: str | None = None


class EventShown(msgspec.Struct, frozen=True):
    """An event of one side."""

    event_id: UUID
    type: str
    source: str
    at: datetime


class Side(msgspec.Struct, frozen=True):
    """Who gets what when a customer is split."""

    identifiers: list[IdentifierShown]
    events: int
    types: dict[str, int]
    first_at: datetime | None
    last_at: datetime | None
    newest: list[EventShown]


class Divided(msgspec.Struct, frozen=True):
    """One customer that is two."""

    dry_run: bool
    customer_id: UUID
    stay: Side
    go: Side
    shared: list[IdentifierShown]  # met with both sides: they link no more
    event_id: UUID | None = None
    position: str | None = None


async def say(dependencies: Dependencies, decision: Said, reason: str) -> tuple[UUID, str]:
    """Put a decision into the log: its event id, and the position to wait for. Raises a 503 problem."""
    told = deciding.touchpoint(decision, str(uuid4()), reason)
    entry = (*seal(told, dependencies.secrets), ())
    try:
        ends = await dependencies.log.publish(dependencies.topics.touchpoints, [entry])
    except NotAcknowledged as error:
        raise unavailable(f"{error} The same may be decided again.") from error
    dependencies.recent.note(ends, dependencies.clock())
    dependencies.recent.accept([told.event_id])
    return told.event_id, position.token(ends)


async def merge(
    dependencies: Dependencies,
    connection: Connection,
    asking: Caller,
    customers: Sequence[UUID],
    *,
    reason: str = "",
    dry_run: bool = False,
    evidence: dict[str, int] | None = None,
) -> Merged:
    """Make these customers one."""
    all_ = [await explaining.known(dependencies, connection, customer) for customer in customers]
    founded = await identity.founded(connection, customers)
    winner = min(customers, key=lambda customer: (founded.get(customer, 0), str(customer)))
    rules = all_[0].rules
    join = []
    for one in all_:
        if not one.held:
            raise Problem(409, "nothing_to_merge", f"The customer {one.customer} has no identifier by which he could be named.")
        join.append(strongest(one.owned, rules))
    identifiers = [shown for one in all_ for shown in explaining.identifiers(one, one.owned, asking.role)]
    answer = Merged(
        dry_run,
        winner,
        [customer for customer in customers if customer != winner],
        identifiers,
        _beyond([token for one in all_ for token in one.owned], all_[0]),
    )
    if dry_run:
        return answer
    decision = Merge(by=asking.name or str(asking.key), at=dependencies.clock(), join=tuple(join), evidence=evidence)
    event, at = await say(dependencies, decision, reason)
    return msgspec.structs.replace(answer, event_id=event, position=at)


def _beyond(tokens: Collection[Token], all_: Known) -> list[str]:
    counts: dict[str, int] = {}
    for token in tokens:
        counts[kind_of(token)] = counts.get(kind_of(token), 0) + 1
    return [
        f"more than {limit} of {kind}"
        for kind, count in sorted(counts.items())
        if count > (limit := all_.rules.kinds.get(kind, all_.rules.other).limit)
    ]


async def tokens_of(
    dependencies: Dependencies, connection: Connection, named: Sequence[Named], owned: Collection[Token], pointer: str
) -> set[Token]:
    """The identifiers of a customer that a request names. Raises 410 and 422 problems."""
    found = set()
    for number, one in enumerate(named):
        at = f"{pointer}/{number}"
        found.add(await token_of(dependencies, connection, one.id or f"{one.kind}:{one.value}", owned, at, one))
    return found


async def token_of(
    dependencies: Dependencies, connection: Connection, text: str, owned: Collection[Token], pointer: str, named: Named | None = None
) -> Token:
    """One identifier of a customer: by its id, or by kind and value. Raises a 410 problem when it went with who was erased, else 422."""
    if text in owned:
        return Token(text)
    kind, _, value = (named.kind, "", named.value) if named is not None else text.partition(":")
    try:
        token = dependencies.secrets.token(normalise(kind, value))
    except NotAnIdentifier as error:
        raise invalid(pointer, f"This is no {kind or 'identifier'}: {error.why}.", error.mend) from error
    if token not in owned:
        if await identity.owner(connection, token) is None and (gone := await erasure.of_token(connection, token)) is not None:
            raise erased(gone)
        raise invalid(pointer, "This identifier is not this customer's.", "GET /v1/customers/{id}/identity lists his.")
    return token


async def split(
    dependencies: Dependencies,
    connection: Connection,
    asking: Caller,
    customer: UUID,
    *,
    go: Sequence[Named] = (),
    stay: Sequence[Named] = (),
    event: UUID | None = None,
    reason: str = "",
    dry_run: bool = False,
) -> Divided:
    """Take identifiers, and the events they decided, away from a customer: those that are named, or those that came by one event."""
    all_ = await explaining.known(dependencies, connection, customer)
    sides = await _sides(dependencies, connection, all_, go, stay, event)
    shares = await reading.shares(connection, await dependencies.schema(), customer)
    answer = Divided(
        dry_run,
        customer,
        await _side(dependencies, connection, all_, sides.stay, shares, asking.role, mine=True, gone=sides.go),
        await _side(dependencies, connection, all_, sides.go, shares, asking.role),
        explaining.identifiers(all_, sides.detach, asking.role),
    )
    if dry_run:
        return answer
    decision = Split(by=asking.name or str(asking.key), at=dependencies.clock(), go=sides.go, stay=sides.stay, detach=sides.detach)
    told, at = await say(dependencies, decision, reason)
    return msgspec.structs.replace(answer, event_id=told, position=at)


async def _sides(
    dependencies: Dependencies, connection: Connection, all_: Known, go: Sequence[Named], stay: Sequence[Named], event: UUID | None
) -> graph.Sides:
    owned = all_.owned
    if len(owned) < 2:
        raise Problem(409, "nothing_to_split", "This customer has fewer than two identifiers: there is nothing to take apart.")
    if event is not None:
        going = graph.without(owned, all_.meetings, event, all_.rules)
        if not going:
            raise invalid(
                "/event", "This event ties nothing together that nothing else ties.", "Name the identifiers that go in `identifiers`."
            )
        return graph.Sides(tuple(sorted(going)), tuple(sorted(set(owned) - going)), ())
    going = await tokens_of(dependencies, connection, go, owned, "/identifiers")
    if not going:
        raise invalid("/identifiers", "Nothing is named that goes.", "Name identifiers, or the event that tied them to him.")
    staying = await tokens_of(dependencies, connection, stay, owned, "/stay")
    if going & staying:
        raise invalid("/stay", "An identifier cannot go and stay.", "Name it on one side.")
    if going >= set(owned):
        raise invalid("/identifiers", "All of his identifiers would go.", "Leave at least one.")
    first = {one.token: one.first for one in all_.held}
    staying |= set() if staying else graph.opposite(owned, first, all_.meetings, going, all_.rules)
    return graph.divide(owned, all_.meetings, going, staying, all_.rules)


async def _side(
    dependencies: Dependencies,
    connection: Connection,
    all_: Known,
    tokens: Sequence[Token],
    shares: Sequence[reading.Share],
    role: str,
    *,
    mine: bool = False,
    gone: Sequence[Token] = (),
) -> Side:
    """What one side gets; the customer himself keeps also what no identifier of his decided."""
    of = [share for share in shares if share.decider in tokens or (mine and share.decider not in gone)]
    types: dict[str, int] = {}
    for share in of:
        types[share.type] = types.get(share.type, 0) + share.events
    newest = await reading.newest(connection, await dependencies.schema(), all_.customer, {share.decider for share in of}, SHOWN)
    return Side(
        explaining.identifiers(all_, tokens, role),
        sum(share.events for share in of),
        types,
        min((share.first for share in of), default=None),
        max((share.last for share in of), default=None),
        [EventShown(*one) for one in newest],
    )
