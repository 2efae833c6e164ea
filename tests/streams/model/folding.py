"""The second hop, as the processor `customer`, `moving` and their lane do it together.

A view is the tuple of the events folded into it, in order: whatever was folded twice, or not, shows. A part keeps such a tuple too; it
hears every new event at once, also while the customer is folded anew. Reading order: folding, handling, handing_over, refolding,
folding_on, Draft.
"""

from bisect import insort
from collections.abc import Generator, Sequence
from random import Random
from uuid import UUID

from aggregates.identifier import Token
from tests.streams.model.store import DONE, NOBODY, Chore, Displaced, Lock, Steps, Store, Told

States = dict[UUID, tuple[str, ...]]
"""What one worker remembers of the views of one partition."""


def folding(store: Store, cache: States, partition: int, random: Random, piece: int) -> Steps:
    """One partition's life with one worker."""
    lock, place = Lock(("customer", partition)), store.positions["customer", partition]
    while True:
        yield lock
        place.tenure += 1
        mine = place.next, place.tenure
        yield DONE
        cache.clear()
        try:
            yield from sending(store, partition, lock, mine)
            while True:
                batch = store.customer_events[partition][mine[0] : mine[0] + random.randint(1, 3)]
                chores = sorted((chore.asked, customer, kind) for (of, customer, kind), chore in store.chores.items() if of == partition)
                if not batch and not chores:
                    yield None
                    continue
                yield lock
                if (place.next, place.tenure) != mine:
                    raise Displaced
                draft = Draft(store, cache, partition, piece)
                if batch:
                    yield from handling(draft, batch, asked=mine[0] + len(batch) - 1)
                else:
                    yield from long_work(draft, *chores[0][1:])
                draft.commit()
                place.next += len(batch)
                mine = place.next, place.tenure
                yield DONE
                yield from sending(store, partition, lock, mine)
        except Displaced:
            yield DONE


def sending(store: Store, partition: int, lock: Lock, mine: tuple[int, int]) -> Steps:
    """Publish what is in the outbox, then take it out."""
    rows = list(store.outbox[partition])
    for told in rows:
        yield None
        store.publish(told)
    if rows:
        yield lock
        place = store.positions["customer", partition]
        if (place.next, place.tenure) != mine:
            raise Displaced
        del store.outbox[partition][: len(rows)]
        yield DONE


class Draft:
    """What one transaction has written: seen by itself alone until it commits."""

    def __init__(self, store: Store, cache: States, partition: int, piece: int) -> None:
        self.store, self.cache, self.partition, self.piece = store, cache, partition, piece
        self.put: dict[tuple[UUID, str], Token] = {}
        self.gone: set[tuple[UUID, str]] = set()
        self.views: dict[UUID, tuple[str, ...]] = {}
        self.kept: dict[UUID, tuple[str, ...]] = {}
        self.learned: States = {}
        self.dropped: set[UUID] = set()
        self.outbox: list[Told] = []
        self.chores: dict[tuple[UUID, str], Chore | None] = {}

    def rows(self, customer: UUID) -> dict[str, Token]:
        """A customer's rows, as a statement sees them now."""
        own = {event: decider for (of, event), decider in self.put.items() if of == customer}
        seen = self.store.timeline[customer] | own
        return {event: decider for event, decider in seen.items() if (customer, event) not in self.gone}

    def chore(self, customer: UUID, kind: str) -> Chore | None:
        """Long work for a customer, as a statement sees it now."""
        if (customer, kind) in self.chores:
            return self.chores[customer, kind]
        return self.store.chores.get((self.partition, customer, kind))

    def commit(self) -> None:
        """Everybody sees it."""
        store = self.store
        for customer, event in self.gone:
            store.timeline[customer].pop(event, None)
        for (customer, event), decider in self.put.items():
            if (customer, event) not in self.gone:
                store.timeline[customer].setdefault(event, decider)
        for customer, view in self.views.items():
            store.views[customer] = view
            if not view:
                del store.views[customer]
        for customer, kept in self.kept.items():
            store.kept[customer] = kept
            if not kept:
                del store.kept[customer]
        for (customer, kind), chore in self.chores.items():
            if chore is None:
                store.chores.pop((self.partition, customer, kind), None)
            else:
                store.chores[self.partition, customer, kind] = chore
        store.outbox[self.partition] += self.outbox
        self.cache.update(self.learned)
        for customer in self.dropped:
            self.cache.pop(customer, None)


def handling(draft: Draft, batch: Sequence[Told], asked: int) -> Steps:
    """Put what is at home into the timeline, forward the rest, fold what is new, then do what identity said."""
    store = draft.store
    marked = store.moved & {told.customer for told in batch}
    yield None
    events = [told for told in batch if told.event]
    owners = [store.owner(told.customer, told.decider) if told.customer in marked else told.customer for told in events]
    yield None
    new: dict[UUID, list[str]] = {}
    for told, owner in zip(events, owners, strict=True):
        if owner != told.customer:
            draft.outbox.append(told._replace(customer=owner))
        elif told.event not in draft.rows(owner):
            draft.put[owner, told.event] = told.decider
            new.setdefault(owner, []).append(told.event)
    yield None
    for customer, arrived in new.items():
        if customer != NOBODY and not busy(draft, customer, min(arrived)):
            state = list(draft.cache.get(customer, store.views.get(customer, ())))
            for event in arrived:
                insort(state, event)
            draft.views[customer] = draft.learned[customer] = tuple(state)
    words = list(dict.fromkeys(told.customer for told in batch if told.word))
    refold: list[UUID] = []
    if words:
        yield None
        refold = yield from handing_over(draft, words, asked)
    for customer, arrived in new.items():
        if customer != NOBODY:
            draft.kept[customer] = tuple(sorted([*store.kept.get(customer, ()), *arrived]))
    yield from refolding(draft, refold, asked)


def busy(draft: Draft, customer: UUID, earliest: str) -> bool:
    """Whether a refold will meet these events; it begins again when the first of them is behind its cursor."""
    chore = draft.chore(customer, "refold")
    if chore is not None and earliest <= chore.after:
        draft.chores[customer, "refold"] = Chore(chore.asked)
    return chore is not None


def handing_over(draft: Draft, customers: Sequence[UUID], asked: int) -> Generator[Lock | None, None, list[UUID]]:
    """Hand over what is not theirs, up to a piece; whom to fold anew now."""
    gone = [
        (customer, event, decider, owner)
        for customer in customers
        for event, decider in draft.rows(customer).items()
        if (owner := draft.store.owner(customer, decider)) != customer
    ][: draft.piece]
    for customer, event, decider, owner in gone:
        draft.gone.add((customer, event))
        draft.gone.discard((owner, event))
        draft.put[owner, event] = decider
    draft.outbox += [Told(owner, word="received") for owner in dict.fromkeys(owner for *_, owner in gone)]
    yield None
    if len(gone) < draft.piece:
        return list(customers)
    for customer in customers:
        draft.chores[customer, "hand_over"] = draft.chore(customer, "hand_over") or Chore(asked)
    return []


def refolding(draft: Draft, customers: Sequence[UUID], asked: int) -> Steps:
    """Fold them anew: whoever is being folded begins again; the others at once, or each by himself where they are more than a piece."""
    idle: list[UUID] = []
    for customer in customers:
        if (chore := draft.chore(customer, "refold")) is not None:
            draft.chores[customer, "refold"] = Chore(chore.asked)
        else:
            idle.append(customer)
    together = sum(len(draft.rows(customer)) for customer in idle) <= draft.piece
    for customer in idle:
        if not together:
            draft.dropped.add(customer)
            draft.chores[customer, "refold"] = Chore(asked)
        else:
            yield from folding_on(draft, customer, Chore(asked), at_once=True)


def folding_on(draft: Draft, customer: UUID, chore: Chore, *, at_once: bool = False) -> Steps:
    """Fold the next piece of a history; keep how far it came, or the view when that was all."""
    rows = sorted(event for event in draft.rows(customer) if event > chore.after)[: None if at_once else draft.piece]
    folded = chore.folded + tuple(rows)
    yield None
    draft.dropped.add(customer)
    if len(rows) == draft.piece and not at_once:
        asked = (draft.chore(customer, "refold") or chore).asked
        draft.chores[customer, "refold"] = Chore(asked, rows[-1], folded)
    else:
        draft.chores[customer, "refold"] = None
        draft.views[customer] = draft.kept[customer] = folded


def long_work(draft: Draft, customer: UUID, kind: str) -> Steps:
    """One piece of the oldest chore."""
    chore = draft.chore(customer, kind)
    assert chore is not None
    if kind == "refold":
        yield from folding_on(draft, customer, chore)
    else:
        draft.chores[customer, kind] = None
        refold = yield from handing_over(draft, (customer,), chore.asked)
        yield from refolding(draft, refold, chore.asked)
