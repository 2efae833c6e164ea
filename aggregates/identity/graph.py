"""Explains a customer: which facts tie his identifiers together, by what chain of facts two of them are one, and how he would fall apart.

The facts are his own events and what people decided, each with the identifiers it names. Reading order: Meeting, shortest, without,
opposite, divide.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from aggregates.identifier import Token
from aggregates.identity.attribution import attribute, strongest
from aggregates.identity.knowledge import Knowledge
from aggregates.identity.rules import Rules
from aggregates.wire import Wall


class Meeting(NamedTuple):
    """Identifiers that one fact named together."""

    event: UUID
    who: tuple[Token, ...]


class Sides(NamedTuple):
    """How a customer falls apart: what goes, what stays, and the weak identifiers that both were met with."""

    go: tuple[Token, ...]
    stay: tuple[Token, ...]
    detach: tuple[Token, ...]


def shortest(meetings: Sequence[Meeting], one: Token, other: Token) -> list[tuple[Token, Token, UUID]] | None:
    """The shortest chain of facts between two identifiers, the oldest facts first among equals; None where nothing ties them."""
    ties: dict[Token, dict[Token, UUID]] = {}
    for event, who in meetings:
        for token in who:
            for met in who:
                if met != token:
                    ties.setdefault(token, {}).setdefault(met, event)
    came: dict[Token, tuple[Token, UUID] | None] = {one: None}
    queue = deque([one])
    while queue:
        token = queue.popleft()
        if token == other:
            return _chain(came, other)
        for met, event in ties.get(token, {}).items():
            if met not in came:
                came[met] = (token, event)
                queue.append(met)
    return None


def _chain(came: Mapping[Token, tuple[Token, UUID] | None], end: Token) -> list[tuple[Token, Token, UUID]]:
    chain = []
    while (step := came[end]) is not None:
        chain.append((step[0], end, step[1]))
        end = step[0]
    return chain[::-1]


def without(owned: Collection[Token], meetings: Iterable[Meeting], event: UUID, rules: Rules) -> set[Token]:
    """What goes when one fact is taken for wrong: all that nothing else ties to the strongest identifier that this fact names."""
    told = next((set(meeting.who) & set(owned) for meeting in meetings if meeting.event == event), set())
    if len(told) < 2:
        return set()
    root = strongest(told, rules)
    left = _component(root, [set(meeting.who) for meeting in meetings if meeting.event != event])
    return {token for token in owned if token not in left and _component(token, [set(m.who) for m in meetings if m.event != event]) & told}


def opposite(
    owned: Collection[Token], first: Mapping[Token, UUID], meetings: Sequence[Meeting], go: Collection[Token], rules: Rules
) -> set[Token]:
    """From which those go, when a person does not say: from those by which other customers were founded who became one with him, else from
    the one that was met first."""
    came = {first[token] for token in go if token in first}
    found: dict[UUID | None, Token] = {}
    for _, who in meetings:
        for token in sorted((token for token in who if token in owned and token not in go), key=lambda t: (rules.of(t).priority, t)):
            found.setdefault(first.get(token), token)
    others = {token for owner, token in found.items() if came and owner not in came}
    return others or set(list(found.values())[:1]) or set([token for token in owned if token not in go][:1])


def divide(owned: Collection[Token], meetings: Sequence[Meeting], go: Collection[Token], stay: Collection[Token], rules: Rules) -> Sides:
    """How a customer falls apart when a person says which identifiers go, and from which.

    His history is told again, in its order, as if these had been kept apart from the beginning: each other identifier comes to whom it
    would have come to. What would have come to neither stays.
    """
    known = Knowledge()
    known.walls.build(Wall(1, tuple(sorted(go)), tuple(sorted(stay))))
    mine = set(owned)
    for event, who in meetings:
        found = attribute(known, event, [token for token in who if token in mine], rules)
        if found.customer is not None:
            known.learn(found.customer, found.change)
    leaving = {owner for token in go if (owner := known.owners.get(token))}
    gone = set(go) | {token for token in mine - set(stay) if known.owners.get(token) in leaving}
    return Sides(tuple(sorted(gone)), tuple(sorted(mine - gone)), tuple(sorted(known.detached & mine)))


def _component(token: Token, meetings: Sequence[set[Token]]) -> set[Token]:
    """All that facts tie to an identifier."""
    part = {token}
    left = [meeting for meeting in {frozenset(meeting) for meeting in meetings} if len(meeting) > 1]
    while True:
        touching = [meeting for meeting in left if meeting & part]
        if not touching:
            return part
        left = [meeting for meeting in left if not meeting & part]
        part.update(*touching)
