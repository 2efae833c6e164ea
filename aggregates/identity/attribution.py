"""Decides whose a touchpoint is, from what is known of its identifiers: the one place where evidence makes customers one.

`attribute` is pure and never asks anybody: the resolver brings what is known, and writes down what changed. Ownership lives in
identifiers alone; a merge is identifiers that move, so a split can move them back. Reading order: Attribution, attribute, _Draft.

* A *strong* kind names a person or his account, a *weak* one a thing that several people may hold (a device, a bank card).
* Strong identifiers met together belong to one customer, if every kind stays within its limit: two national ids are two people, however
  many phones they share. Otherwise the touchpoint goes by its strongest identifier and the conflict is kept for a person to decide.
* Weak identifiers follow the strong ones met with them and never join two customers that both own a strong one: claimed by two, a weak
  identifier is *detached*. It stays where it is and links no more.
* Customers that own nothing strong are *anonymous*. Met together, or with a customer that does, they are one with him: so it does not
  matter in which order a visitor's devices are met.
* What a person keeps apart (`Walls`) no evidence joins. That is his decision, and no conflict to ask him about again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from aggregates.identifier import Token, kind_of
from aggregates.identity.knowledge import Knowledge
from aggregates.identity.rules import Rules
from aggregates.touchpoint import derive
from aggregates.wire import Identity, Link

UNCHANGED = Identity()


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose a touchpoint is, which identifier decided, and what that changed."""

    customer: UUID | None
    decider: Token | None
    change: Identity = UNCHANGED
    fired: tuple[str, ...] = ()  # the rules that kept something from being linked, once each time

    @property
    def losers(self) -> tuple[UUID, ...]:
        """The customers that identifiers were taken from, each once, in the order of the links."""
        return tuple(dict.fromkeys(UUID(link.before) for link in self.change.links if link.before))


NOBODY = Attribution(None, None)


class Objection(NamedTuple):
    """Why one customer may not own some identifiers together: the rule by name, and in words."""

    rule: str
    why: str


APART = Objection("kept_apart", "a person keeps them apart")


def settled(owner_of: Callable[[Token], UUID | None], tokens: Sequence[Token], rules: Rules) -> Attribution | None:
    """The attribution that changes nothing: every identifier is known and all have one owner. None where more must be looked at.

    This is the path of nearly every touchpoint, and needs no lock.
    """
    if not tokens:
        return NOBODY
    customer = owner_of(tokens[0])
    if customer is None:
        return None
    for token in tokens:
        if owner_of(token) != customer:
            return None
    return Attribution(customer, tokens[0] if len(tokens) == 1 else strongest(tokens, rules))


def attribute(known: Knowledge, event: UUID, tokens: Sequence[Token], rules: Rules) -> Attribution:
    """Whose the touchpoint `event` is that names `tokens`. Changes are numbered from `known.number + 1`."""
    tokens = tuple(dict.fromkeys(tokens))
    easy = settled(known.owners.get, tokens, rules)
    if easy is not None:
        return easy
    strong = tuple(token for token in tokens if not rules.of(token).weak)
    weak = tuple(token for token in tokens if rules.of(token).weak)
    draft = _Draft(known, rules, event)
    customer = draft.join_strong(strong, weak) if strong else draft.follow_weak(weak)
    draft.take(customer, strong)
    draft.take_weak(customer, weak, by_strong=bool(strong))
    final = draft.now(customer)
    own = [token for token in tokens if draft.owner(token) == final]
    return Attribution(final, strongest(own, rules), draft.change(), tuple(draft.fired))


def strongest(tokens: Iterable[Token], rules: Rules) -> Token:
    """The identifier that decides: lowest priority, then the order of the text, so that no order of arrival matters."""
    return min(tokens, key=lambda token: (rules.of(token).priority, token))


class _Draft:
    """The changes of one attribution while they are made up; `known` itself is never touched."""

    def __init__(self, known: Knowledge, rules: Rules, event: UUID) -> None:
        self.known, self.rules, self.event = known, rules, event
        self.owners: dict[Token, UUID] = {}
        self.tokens: dict[UUID, set[Token]] = {}
        self.founded: dict[UUID, int] = {}
        self.heir: dict[UUID, UUID] = {}
        self.links: list[Link] = []
        self.conflicts: list[str] = []
        self.between: tuple[Token, ...] = ()
        self.fired: list[str] = []
        self.detached: list[Token] = []
        self.number = known.number

    def owner(self, token: Token) -> UUID | None:
        return self.owners.get(token) or self.known.owners.get(token)

    def owned(self, customer: UUID) -> set[Token]:
        if customer not in self.tokens:
            self.tokens[customer] = set(self.known.customers[customer].tokens)
        return self.tokens[customer]

    def age(self, customer: UUID) -> int:
        return self.founded.get(customer) or self.known.customers[customer].founded

    def now(self, customer: UUID) -> UUID:
        """The customer that `customer` became in this draft."""
        while customer in self.heir:
            customer = self.heir[customer]
        return customer

    def found(self) -> UUID:
        customer = derive("customer", str(self.event))
        self.number += 1
        self.founded[customer] = self.number
        self.tokens[customer] = set()
        return customer

    def join_strong(self, strong: Sequence[Token], weak: Sequence[Token]) -> UUID:
        """The customer of the strong identifiers, merged where several own them and the limits allow."""
        ordered = sorted(strong, key=lambda token: (self.rules.of(token).priority, token))
        owners = list(dict.fromkeys(owner for token in ordered if (owner := self.owner(token))))
        if not owners:
            return self.known_anonymously(weak) or self.found()
        if len(owners) > 1:
            why = self.too_much(set[Token]().union(*(self.owned(owner) for owner in owners), strong))
            if why:
                self.object("merge", why, [next(token for token in ordered if self.owner(token) == owner) for owner in owners])
                return owners[0]
            return self.merge(owners)
        (customer,) = owners
        first = ordered[0]
        why = self.too_much(self.owned(customer) | {first}) if self.owner(first) is None else None
        if why:
            # The strongest name given is one too many for the only customer known here: it is somebody else's, who shares the rest.
            self.object("link", why, [first, next(token for token in ordered if self.owner(token))])
            return self.known_anonymously(weak) or self.found()
        return customer

    def known_anonymously(self, weak: Sequence[Token]) -> UUID | None:
        """The oldest customer that owns one of the weak identifiers and nothing strong: the visitor who now says who he is."""
        owners = {owner for token in self.linking(weak) if (owner := self.owner(token))}
        anonymous = [owner for owner in owners if self.is_anonymous(owner)]
        return min(anonymous, key=lambda owner: (self.age(owner), str(owner)), default=None)

    def is_anonymous(self, customer: UUID) -> bool:
        return all(self.rules.of(token).weak for token in self.owned(customer))

    def follow_weak(self, weak: Sequence[Token]) -> UUID:
        """The owner of the strongest weak identifier that has one; nobody's: a new customer, anonymous for now."""
        linking = self.linking(weak)
        owned = [token for token in linking if self.owner(token)]
        if owned or not linking:
            return self.known.owners[strongest(owned or weak, self.rules)]
        return self.found()

    def linking(self, weak: Sequence[Token]) -> list[Token]:
        """Those that still say who somebody is; a detached one always has an owner, and only says so when there is nothing else."""
        return [token for token in weak if token not in self.known.detached]

    def take(self, customer: UUID, strong: Sequence[Token]) -> None:
        """Give the customer the strong identifiers that nobody owns, as far as the limits go."""
        for token in sorted(strong, key=lambda token: (self.rules.of(token).priority, token)):
            if self.owner(token) is None:
                why = self.too_much(self.owned(customer) | {token})
                if why and self.owned(customer):
                    self.object("link", why, [token, strongest(self.owned(customer), self.rules)])
                else:
                    self.link(token, customer)

    def take_weak(self, customer: UUID, weak: Sequence[Token], *, by_strong: bool) -> None:
        """Weak identifiers follow the customer; owned by an anonymous one, they bring him along; by a known one, they are detached."""
        for token in sorted(self.linking(weak), key=lambda token: (self.rules.of(token).priority, token)):
            customer = self.now(customer)
            owner = self.owner(token)
            if owner is None:
                why = self.too_much(self.owned(customer) | {token})
                if why:
                    self.object("link", why, [token, strongest(self.owned(customer), self.rules)])
                else:
                    self.link(token, customer)
            elif owner != customer:
                self.meet(customer, owner, token, by_strong=by_strong)

    def meet(self, customer: UUID, owner: UUID, token: Token, *, by_strong: bool) -> None:
        """The customer was met with a weak identifier of another: one of them anonymous, they are one; both known, it links no more."""
        if self.is_anonymous(owner) or self.is_anonymous(customer):
            why = self.too_much(self.owned(owner) | self.owned(customer))
            if why:
                self.object("merge", why, [token, strongest(self.owned(customer), self.rules)])
            else:
                self.merge([customer, owner])
        elif by_strong:
            self.detached.append(token)
            self.fired.append(f"shared:{kind_of(token)}")

    def merge(self, customers: Sequence[UUID]) -> UUID:
        """Move everything to the oldest."""
        winner = min(customers, key=lambda customer: (self.age(customer), str(customer)))
        for loser in sorted((c for c in customers if c != winner), key=lambda c: (self.age(c), str(c))):
            for token in sorted(self.owned(loser)):
                self.link(token, winner, before=loser)
            self.heir[loser] = winner
        return winner

    def link(self, token: Token, owner: UUID, before: UUID | None = None) -> None:
        self.number += 1
        self.links.append(Link(token, str(owner), self.number, str(before) if before else ""))
        if before:
            self.owned(before).discard(token)
        self.owners[token] = owner
        self.owned(owner).add(token)

    def too_much(self, tokens: set[Token]) -> Objection | None:
        """Why one customer may not own all of these; None where he may."""
        if self.known.walls.sides and self.known.walls.between(tokens):
            return APART
        if len(tokens) > self.rules.most:
            return Objection("most", f"more than {self.rules.most} identifiers")
        for kind, count in sorted(Counter(kind_of(token) for token in tokens).items()):
            limit = self.rules.kinds.get(kind, self.rules.other).limit
            if count > limit:
                return Objection(f"limit:{kind}", f"more than {limit} of {kind}")
        return None

    def object(self, what: str, why: Objection, between: Sequence[Token]) -> None:
        """Something is not linked. Where a person decided so before, he is not asked again."""
        self.fired.append(why.rule)
        if why is not APART:
            self.conflicts.append(f"{what}: {why.why}")
            self.between = self.between or tuple(sorted(dict.fromkeys(between)))

    def change(self) -> Identity:
        founded = next((number for number in self.founded.values()), 0)
        return Identity(tuple(self.links), founded, "; ".join(dict.fromkeys(self.conflicts)), tuple(self.detached), self.between)
