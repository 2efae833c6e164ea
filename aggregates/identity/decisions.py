"""What a person decides about who is who: two are one, or some identifiers are another's. Both are facts, and both can be taken back.

A merge and a split name identifiers, never customers, so they mean the same wherever they are read again: customers may have become others
meanwhile.

* `Merge` makes the owners of its identifiers one customer, whatever the limits say, and takes away what was kept apart between them.
* `Split` says that `go` are one customer's and `stay` are not his. From then on no evidence joins the two sides. If nobody owns identifiers
  of both sides, nothing moves: the two are only kept apart.
* `Erase` takes a customer's identifiers from him and gives them to nobody: those that were his when it was asked, and those that are when
  it is done. It cannot be taken back.

Reading order: Merge, Split, Erase, touchpoint, decide.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from aggregates.identifier import Token
from aggregates.identity.knowledge import Knowledge
from aggregates.touchpoint import Touchpoint, derive, event_id
from aggregates.wire import Identity, Link, Wall, encoder

MERGED, SPLIT, ERASED = "identity.merged", "identity.split", "identity.erased"

KEY, SOURCE = "yekta", "/yekta/identity"
"""Who says so: no key of a channel is given for this source."""

SUBJECT = "identity"
"""All decisions have one order."""


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who decided, and on what he was asked. Why is personal, and travels sealed."""

    by: str  # the staff key
    at: datetime
    conflict: str = ""  # the id of the conflict that this answers
    evidence: dict[str, int] | None = None  # of a possible duplicate: how each field agreed, for the weights to learn from


class Merge(Decision, frozen=True, tag_field="decision", tag="merge", kw_only=True, omit_defaults=True):
    """The owners of these identifiers are one customer."""

    join: tuple[Token, ...]

    @property
    def tokens(self) -> tuple[Token, ...]:
        """All identifiers it names."""
        return self.join


class Split(Decision, frozen=True, tag_field="decision", tag="split", kw_only=True, omit_defaults=True):
    """These are one customer's, and those are not his."""

    go: tuple[Token, ...]
    stay: tuple[Token, ...]
    detach: tuple[Token, ...] = ()  # weak identifiers that both sides were met with: they link no more

    @property
    def tokens(self) -> tuple[Token, ...]:
        """All identifiers it names."""
        return (*self.go, *self.stay)


class Erase(Decision, frozen=True, tag_field="decision", tag="erase", kw_only=True, omit_defaults=True):
    """This customer is to be forgotten."""

    customer: UUID
    his: tuple[Token, ...] = ()  # his identifiers when it was asked

    @property
    def tokens(self) -> tuple[Token, ...]:
        """All identifiers it names."""
        return self.his


Said = Merge | Split | Erase
"""What a person may decide."""

TYPES: Mapping[type, str] = {Merge: MERGED, Split: SPLIT, Erase: ERASED}


def touchpoint(decision: Said, id_: str, reason: str = "") -> Touchpoint:
    """The decision as a door would hand it to sealing. It names nobody in `who`: whose it is, is what it decides."""
    data = msgspec.to_builtins(decision, builtin_types=(datetime,))
    return Touchpoint(
        event_id=event_id(KEY, SOURCE, id_),
        key=KEY,
        source=SOURCE,
        id=id_,
        type=TYPES[type(decision)],
        version=0,
        occurred=decision.at,
        recorded=decision.at,
        subject=SUBJECT,
        who=(),
        data=data,
        personal={"reason": reason} if reason else {},
        body=encoder.encode(decision),
        attributes={},
    )


decoder = msgspec.json.Decoder(Said)


def decide(known: Knowledge, event: UUID, decision: Said) -> Identity:
    """What the decision that `event` tells changes. Changes are numbered from `known.number + 1`."""
    match decision:
        case Merge():
            return _merge(known, event, decision)
        case Split():
            return _split(known, event, decision)
        case Erase():
            return _erase(known, decision)


def _erase(known: Knowledge, decision: Erase) -> Identity:
    owned = known.customers[decision.customer].tokens if decision.customer in known.customers else set()
    gone = sorted({token for token in decision.his if token in known.owners} | owned)
    return Identity(tuple(Link(token, "", known.number + n, str(known.owners[token])) for n, token in enumerate(gone, 1)))


def _merge(known: Knowledge, event: UUID, decision: Merge) -> Identity:
    owners = _owners(known, decision.join)
    number, founded = known.number, 0
    if owners:
        winner = owners[0]
    else:
        number = founded = number + 1
        winner = derive("customer", str(event))
    links = []
    for loser in owners[1:]:
        for token in sorted(known.customers[loser].tokens):
            number += 1
            links.append(Link(token, str(winner), number, str(loser)))
    for token in sorted(set(decision.join)):
        if token not in known.owners:
            number += 1
            links.append(Link(token, str(winner), number))
    together = set(decision.join).union(*(known.customers[owner].tokens for owner in owners))
    return Identity(tuple(links), founded, lifted=tuple(sorted(known.walls.between(together))))


def _split(known: Knowledge, event: UUID, decision: Split) -> Identity:
    stay = set(decision.stay)
    go = sorted(set(decision.go) - stay)
    number = known.number + 1
    wall = Wall(number, tuple(go), tuple(sorted(stay)))
    leaving, left = ([token for token in side if token in known.owners] for side in (go, sorted(stay)))
    mixed = {known.owners[token] for token in leaving} & {known.owners[token] for token in left}
    links, founded = [], 0
    if mixed:
        ours, theirs = _since(known, leaving, mixed), _since(known, left, mixed)
        if ours and (not theirs or (ours < theirs and _target(known, left, mixed))):
            leaving = left  # he was theirs before the others came: they keep his id, and the others go back
        target = _target(known, leaving, mixed)
        if target is None:
            number = founded = number + 1
            target = derive("customer", str(event))
        for token in leaving:
            if known.owners[token] != target and known.owners[token] in mixed:
                number += 1
                links.append(Link(token, str(target), number, str(known.owners[token])))
    detached = tuple(token for token in decision.detach if token in known.owners and token not in known.detached)
    return Identity(tuple(links), founded, detached=detached, walls=(wall,) if go and stay else ())


def _since(known: Knowledge, tokens: Sequence[Token], mixed: set[UUID]) -> int:
    """As of which fact the first of them has been his from the first; 0: none has."""
    his = (token for token in tokens if known.owners[token] in mixed and known.first.get(token, known.owners[token]) == known.owners[token])
    return min((known.learned.get(token, 0) for token in his), default=0)


def _target(known: Knowledge, go: Sequence[Token], mixed: set[UUID]) -> UUID | None:
    """To whom the identifiers go: who has some of them alone, or who was founded by one and lost it; nobody: somebody new."""
    alone = [owner for owner in _owners(known, go) if owner not in mixed]
    if alone:
        return alone[0]
    first = {owner for token in go if (owner := known.first.get(token)) and owner in known.customers}
    former = [owner for owner in first if owner not in mixed and not known.customers[owner].tokens]
    return min(former, key=lambda owner: (known.customers[owner].founded, str(owner)), default=None)


def _owners(known: Knowledge, tokens: Sequence[Token]) -> list[UUID]:
    """Who owns some of them, who was founded first before the others."""
    owners = {owner for token in tokens if (owner := known.owners.get(token))}
    return sorted(owners, key=lambda owner: (known.customers[owner].founded, str(owner)))
