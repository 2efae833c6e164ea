"""Says why a customer is one: his identifiers, what ties them together, how he came to be. For the API and for the desk alike.

Values are shown as the role may see them. Reading order: Identity, at the end of the shapes; explained, why.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from aggregates.identifier import Token, kind_of
from aggregates.identity import Rules, graph, strongest
from api import masks
from api.ports import Connection, Dependencies
from projections.identity import explaining, ruling
from projections.identity.explaining import Decided, Held, Met, Told
from projections.view import table as views
from projections.view.contacts import Contact

Rule = Literal["named_together", "followed", "person"]
What = Literal["founded", "joined", "left", "kept_apart"]


class IdentifierShown(msgspec.Struct, frozen=True):
    """One identifier of a customer."""

    id: str  # its token: what it is called in the log, and here
    kind: str
    value: str | None  # null: not for this role, or erased
    weak: bool  # a thing that several people may hold: it follows people and never joins them
    shared: bool  # claimed by several people: it links no more
    priority: int  # the lower decides
    first_owner: UUID  # the customer that it came to first
    first_seen: datetime | None
    last_seen: datetime | None


class LinkShown(msgspec.Struct, frozen=True):
    """A fact that ties two identifiers together."""

    one: str
    other: str
    event_id: UUID  # the first that said so
    type: str
    source: str
    at: datetime
    recorded: datetime
    times: int  # how many events say so
    rule: Rule  # named_together: both in one event · followed: a thing met with a person · person: somebody decided it


class StepShown(msgspec.Struct, frozen=True):
    """Something that made him who he is."""

    what: What
    event_id: UUID
    at: datetime | None
    source: str | None
    type: str | None
    by: str | None  # the person who decided it; null: the evidence did
    customer_id: UUID | None  # whom he joined with, or to whom identifiers went
    identifiers: list[str]


class Identity(msgspec.Struct, frozen=True):
    """Why a customer is one."""

    customer_id: UUID
    identifiers: list[IdentifierShown]
    links: list[LinkShown]
    history: list[StepShown]  # the oldest first
    kept_apart: list[list[str]]  # identifiers that a person keeps from him, by decision
    rules_version: int
    why: list[LinkShown] | None = None  # the shortest chain of facts between the two that were asked about
    merged_from: UUID | None = None


class Known(msgspec.Struct, frozen=True):
    """What an explanation is made of."""

    customer: UUID
    held: Sequence[Held]
    met: Sequence[Met]
    decided: Sequence[Decided]
    contacts: Mapping[Token, Contact]
    rules: Rules

    @property
    def owned(self) -> list[Token]:
        """What he owns."""
        return [one.token for one in self.held]

    @property
    def meetings(self) -> list[graph.Meeting]:
        """What ties his identifiers together."""
        return explaining.meetings(self.met, self.decided)


async def known(dependencies: Dependencies, connection: Connection, customer: UUID) -> Known:
    """Read it."""
    schema = await dependencies.schema()
    held = await explaining.identifiers(connection, customer)
    state = (await views.load(connection, schema, [customer])).get(customer)
    return Known(
        customer,
        held,
        await explaining.met(connection, schema, customer),
        await explaining.decisions(connection, [one.token for one in held]),
        state.contacts.points if state is not None else {},
        await ruling.in_force(connection, dependencies.secrets),
    )


async def explained(
    dependencies: Dependencies, connection: Connection, customer: UUID, role: str, asked: tuple[Token, Token] | None = None
) -> Identity:
    """Why this customer is one; with `asked` also why these two identifiers are his both."""
    all_ = await known(dependencies, connection, customer)
    return Identity(
        customer,
        identifiers(all_, all_.owned, role),
        links(all_),
        await _history(dependencies, connection, all_),
        [[token for token in one.tokens if token not in all_.owned] for one in all_.decided if one.decision == "split"],
        all_.rules.version,
        why(all_, *asked) if asked else None,
    )


def identifiers(all_: Known, tokens: Sequence[Token], role: str) -> list[IdentifierShown]:
    """Identifiers as this role may see them, those that decide first."""
    held = {one.token: one for one in all_.held}
    shown = []
    for token in sorted(tokens, key=lambda token: (all_.rules.of(token).priority, token)):
        contact, rule = all_.contacts.get(token), all_.rules.of(token)
        value = contact.value if contact else None
        if role not in masks.UNMASKED and kind_of(token) == "phone":
            value = masks.masked(value)
        shown.append(
            IdentifierShown(
                token,
                kind_of(token),
                value,
                rule.weak,
                held[token].detached if token in held else False,
                rule.priority,
                held[token].first if token in held else all_.customer,
                contact.first if contact else None,
                contact.last if contact else None,
            )
        )
    return shown


def links(all_: Known) -> list[LinkShown]:
    """What ties his identifiers together: of each two the first fact, the strongest identifier of a fact in the middle."""
    owned = set(all_.owned)
    found: dict[tuple[Token, Token], LinkShown] = {}
    for one in all_.met:
        mine = [token for token in one.who if token in owned]
        if len(mine) > 1:
            centre = strongest(mine, all_.rules)
            for token in mine:
                if token != centre:
                    rule: Rule = "followed" if all_.rules.of(token).weak else "named_together"
                    pair = (min(centre, token), max(centre, token))
                    before = found.get(pair)
                    if before is None:
                        found[pair] = LinkShown(centre, token, one.event, one.type, one.source, one.at, one.recorded, one.times, rule)
                    else:
                        found[pair] = msgspec.structs.replace(before, times=before.times + one.times)
    for decided in all_.decided:
        mine = [token for token in decided.tokens if token in owned]
        if decided.decision == "merge" and len(mine) > 1:
            for token in mine[1:]:
                pair = (min(mine[0], token), max(mine[0], token))
                found.setdefault(pair, _decision(mine[0], token, decided))
    return sorted(found.values(), key=lambda link: (link.recorded, link.one, link.other))


def _decision(one: Token, other: Token, decided: Decided) -> LinkShown:
    return LinkShown(one, other, decided.event, "identity.merged", "/yekta/identity", decided.at, decided.at, 1, "person")


def why(all_: Known, one: Token, other: Token) -> list[LinkShown]:
    """The shortest chain of facts between two identifiers; none where nothing ties them any more."""
    facts = {met.event: met for met in all_.met}
    people = {decided.event: decided for decided in all_.decided}
    chain = []
    for a, b, event in graph.shortest(all_.meetings, one, other) or ():
        met = facts.get(event)
        if met is None:
            chain.append(_decision(a, b, people[event]))
        else:
            weak = all_.rules.of(a).weak or all_.rules.of(b).weak
            rule: Rule = "followed" if weak else "named_together"
            chain.append(LinkShown(a, b, event, met.type, met.source, met.at, met.recorded, met.times, rule))
    return chain


async def _history(dependencies: Dependencies, connection: Connection, all_: Known) -> list[StepShown]:
    schema = await dependencies.schema()
    steps = await explaining.history(connection, all_.customer)
    people = {decided.event: decided for decided in all_.decided}
    founding = await explaining.founded(connection, all_.customer)
    told = await explaining.told(connection, schema, {*(step.event for step in steps), *([founding] if founding else [])})
    people |= {one.event: one for one in await explaining.decisions(connection, [token for step in steps for token in step.tokens])}

    def shown(
        what: Literal["founded", "joined", "left", "kept_apart"], event: UUID, other: UUID | None, tokens: Sequence[str]
    ) -> StepShown:
        by, fact = people.get(event), told.get(event, Told("", "", None, None))  # type: ignore[arg-type]  # nothing is known of it
        return StepShown(
            what, event, by.at if by else fact.at, fact.source or None, fact.type or None, by.by if by else None, other, list(tokens)
        )

    found = [shown("founded", founding, None, [])] if founding else []
    found += [
        shown("joined", step.event, step.before, step.tokens)
        if step.owner == all_.customer
        else shown("left", step.event, step.owner, step.tokens)
        for step in steps
    ]
    moved = {step.event for step in steps}
    found += [
        shown("kept_apart", one.event, None, one.tokens) for one in all_.decided if one.decision == "split" and one.event not in moved
    ]
    return found
