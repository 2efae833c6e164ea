"""The first hop, as the processor `resolve` and its lane do it together. Reading order: resolving, deciding."""

from collections.abc import Generator, Mapping
from random import Random
from uuid import UUID

from aggregates.identifier import Token
from aggregates.identity import DEFAULT_RULES, Attribution, Knowledge, Owned, attribute, settled
from aggregates.touchpoint import derive
from tests.streams.model.store import DONE, NOBODY, Displaced, Lock, Place, Receipt, Steps, Store, Told, Touch

Owners = dict[Token, UUID]
"""What one worker remembers; it may be behind."""

Outcome = tuple[list[Told], list[Touch]]
"""What is to be published, and what is a dead letter."""


def resolving(store: Store, cache: Owners, partition: int, random: Random) -> Steps:
    """One partition's life with one worker."""
    lock, place = Lock(("resolve", partition)), store.positions["resolve", partition]
    while True:
        yield lock
        place.tenure += 1
        tenure, stored = place.tenure, place.next
        yield DONE
        cache.clear()
        done = stored
        try:
            while True:
                batch = store.touchpoints[partition][done : done + random.randint(1, 3)]
                if not batch and done == stored:
                    yield None
                    continue
                yield lock
                if (place.next, place.tenure) != (stored, tenure):
                    raise Displaced
                records = {(partition, done + number): touch for number, touch in enumerate(batch)}
                outcome = (yield from deciding(store, cache, records)) if batch else ([], [])
                if outcome is None:  # overtaken: once more
                    yield DONE
                    cache.clear()
                    continue
                place.next = stored = done
                yield DONE
                for told in outcome[0]:
                    yield None
                    store.publish(told)
                store.letters += outcome[1]
                done += len(batch)
        except Displaced:
            yield DONE


def deciding(store: Store, cache: Owners, records: Mapping[Place, Touch]) -> Generator[Lock | None, None, Outcome | None]:
    """Decide about a batch and write it down; None when another partition answered one of its events meanwhile."""
    learned = {
        token: owner for touch in records.values() for token in touch.who if token not in cache and (owner := store.known.owners.get(token))
    }
    yield None
    decided: dict[str, Receipt] = {}
    unsettled: dict[Place, Touch] = {}
    first = {touch.event: place for place, touch in reversed(list(records.items()))}  # of duplicates the first counts
    for place, touch in sorted((place, records[place]) for place in first.values()):
        easy = settled(lambda token: learned.get(token) or cache.get(token), touch.who, DEFAULT_RULES)
        if easy is None:
            unsettled[place] = touch
        else:
            decided[touch.event] = receipt(place, touch, easy)
    changes: dict[str, Attribution] = {}
    if unsettled:
        yield Lock("identity")
        known = copy(store.known)
        yield None
        answered = {touch.event: store.receipts[touch.event] for touch in unsettled.values() if touch.event in store.receipts}
        yield None
        for place, touch in unsettled.items():
            if touch.event in answered:
                decided[touch.event] = answered[touch.event]
                continue
            attribution = attribute(known, derive("event", touch.event), touch.who, DEFAULT_RULES)
            if attribution.customer is not None:
                known.learn(attribution.customer, attribution.change)
                changes[touch.event] = attribution
            decided[touch.event] = receipt(place, touch, attribution)
        learned |= {token: known.owners[token] for touch in unsettled.values() for token in touch.who if token in known.owners}
        yield None
    stored = {event: store.receipts[event] for event in decided if event in store.receipts}
    if not stored.keys().isdisjoint(changes):
        return None
    store.receipts |= {event: decided[event] for event in decided if event not in stored}
    for attribution in changes.values():
        store.known.learn(attribution.customer or NOBODY, attribution.change)
        store.moved.update(attribution.losers)
    cache.update(learned)
    return telling(records, decided | stored)


def receipt(place: Place, touch: Touch, attribution: Attribution) -> Receipt:
    """What is remembered of a decision."""
    return Receipt(place, touch.body, attribution.customer or NOBODY, attribution.decider or Token(""), attribution.losers)


def telling(records: Mapping[Place, Touch], receipts: dict[str, Receipt]) -> Outcome:
    """Every event under its customer and word to every loser, of its first record only; a second event under an id is a dead letter."""
    told, letters = [], []
    for place, touch in records.items():
        answer = receipts[touch.event]
        if answer.body != touch.body:
            letters.append(touch)
        if answer.place != place:
            continue
        told.append(Told(answer.customer, touch.event, answer.decider))
        told += [Told(loser, word="moved") for loser in answer.losers]
    return told, letters


def copy(known: Knowledge) -> Knowledge:
    """What a transaction has read, to make up changes with."""
    customers = {customer: Owned(owned.founded, set(owned.tokens)) for customer, owned in known.customers.items()}
    return Knowledge(dict(known.owners), customers, set(known.detached), known.number, dict(known.learned))
