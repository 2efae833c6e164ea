"""What else is made of a customer's facts in the transaction that folds them: rules, scores, whatever comes. The seam of `customer`.

A part hears each new fact of each customer once, in the order of the log, behind the lock on the partition's position; what it writes
through the moment's connection stands or falls with the timeline rows, and what it returns goes through the outbox. Decisions about
everybody (broadcasts) and words to one customer (timers) come in the same order, so that a replay meets them in the same place. In a
rebuild there are no parts: what they keep is no read model.
Reading order: Moment, Heard, Refolded, Part, Forgetful, Past, Folding, Spoken, Choosing, Skimming, Parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from aggregates.fact import Fact, fact_of, unsealed
from aggregates.sealing import KeyDestroyed, open_sealed
from aggregates.wire import CustomerEvent
from projections.view.state import State
from streams.record import Connection, Effect, Keys


class Heard(NamedTuple):
    """A fact that is new in a customer's timeline; or a word to him, which is in no timeline."""

    offset: int
    customer: str
    event: CustomerEvent
    fact: Fact | None  # opened, its personal fields included, where any part reads it; None: a word


@dataclass(slots=True)
class Moment:
    """One transaction of one partition. `before`: views."""

    connection: Connection
    schema: str
    partition: int
    end: int  # the offset after the batch; in a chore the position
    before: Mapping[str, State] = field(default_factory=dict)
    fresh: frozenset[str] = frozenset()  # event ids (`yektaevent`) whose rows this transaction put into the timeline
    since: Mapping[UUID, datetime] = field(default_factory=dict)  # of who is refolded: when the fact was received that moved his rows

    def is_new(self, customer: str) -> bool:
        """Whether nothing of a customer is older than this transaction, as far as is known without asking."""
        view = self.before.get(customer)
        return view is not None and not view.events


class Refolded(NamedTuple):
    """A customer who was folded anew to the end: what the parts have made of him, and since when his rows are his."""

    parts: Mapping[str, Any]
    since: datetime


class Part(Protocol):
    """One further fold. It must cost nothing where it has nothing to do."""

    name: str

    async def ready(self, moment: Moment) -> None:
        """Called first in every transaction: bring what is kept for the partition into memory, if it is not there."""
        ...

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        """Whether it is to hear this fact or word. Asked for every event: a look into a dictionary."""
        ...

    async def decided(self, moment: Moment, event: CustomerEvent) -> list[Effect]:
        """A decision about everybody is in force from here on. One that is not newer than what is known changes nothing."""
        ...

    async def told(self, moment: Moment, heard: Sequence[Heard]) -> list[Effect]:
        """What it wanted, in the order of the log."""
        ...

    async def refolded(self, moment: Moment, customers: Mapping[UUID, Any]) -> list[Effect]:
        """Rows came to these customers or went away. With each what this part made of all rows he has now, if it is `Folding`."""
        ...

    async def pulse(self, moment: Moment) -> list[Effect]:
        """The end of every transaction that folded or did chores: timers, for one."""
        ...

    def restless(self, partition: int) -> bool:
        """Whether `pulse` has something to do though nothing comes; asked whenever the partition is idle."""
        ...

    def committed(self, partition: int) -> None:
        """The transaction stands: caches may now believe it."""
        ...

    def forget(self, partition: int) -> None:
        """Drop what is remembered of a partition: it was lost, got, or rolled back."""
        ...


class Forgetful:
    """A part that remembers nothing from one transaction to the next, that no decision concerns, and for which no time passes."""

    async def ready(self, moment: Moment) -> None:
        """Nothing is remembered."""

    async def decided(self, moment: Moment, event: CustomerEvent) -> list[Effect]:
        """Nothing is decided about it."""
        return []

    async def pulse(self, moment: Moment) -> list[Effect]:
        """There is no time here."""
        return []

    def restless(self, partition: int) -> bool:
        """Never."""
        return False

    def committed(self, partition: int) -> None:
        """Nothing is remembered."""

    def forget(self, partition: int) -> None:
        """Nothing is remembered."""


class Past(NamedTuple):
    """A fact of a history that is told anew, opened."""

    event: CustomerEvent
    fact: Fact


@runtime_checkable
class Folding(Protocol):
    """A part that keeps what follows from all facts of a customer, and can go on from any place in them. It says nothing on the way.

    While a history is told anew, what was kept before stays in force, and the part hears what comes in as ever.
    """

    name: str

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        """As for `Part`."""
        ...

    def begin(self, partition: int) -> Any:
        """Nothing is known of a customer."""
        ...

    def fold(self, partition: int, so_far: Any, told: Sequence[Past]) -> Any:
        """What his next facts that it wants make of it, in order of time. All facts of an instant come together."""
        ...

    def pack(self, so_far: Any) -> bytes:
        """As bytes."""
        ...

    def unpack(self, partition: int, packed: bytes) -> Any | None:
        """What was packed; None where something is in force now that has not heard the facts before."""
        ...


class Spoken(NamedTuple):
    """A record as the parts come to hear of it: a new fact, a decision, or a word to a customer."""

    offset: int
    customer: str  # empty: about everybody
    event: CustomerEvent
    fact: Fact | None = None  # where it is a fact that is new; opened or not
    whole: bool = False  # it is opened already, if anything of it is sealed


@runtime_checkable
class Choosing(Protocol):
    """A part to which most of what it wants tells nothing after all: of whom, it knows before anything is opened for it."""

    async def chosen(self, moment: Moment, wanted: Sequence[Spoken]) -> Sequence[Spoken]:
        """What of this it is to be told."""
        ...


@runtime_checkable
class Skimming(Protocol):
    """A part to which it is enough of some facts that they came: those need not be opened for it."""

    def reads(self, partition: int, event: CustomerEvent) -> bool:
        """Whether it looks at what this fact says. Asked of what it wants."""
        ...


_offset = attrgetter("offset")


class Parts:
    """All parts of one processor."""

    def __init__(self, keys: Keys, parts: Sequence[Part]) -> None:
        self._keys, self._parts = keys, parts

    def __bool__(self) -> bool:
        return bool(self._parts)

    @property
    def folding(self) -> list[Folding]:
        """Those to which histories are told anew."""
        return [part for part in self._parts if isinstance(part, Folding)]

    async def ready(self, moment: Moment) -> None:
        """Called first in every transaction."""
        for part in self._parts:
            await part.ready(moment)

    async def told(self, moment: Moment, new: Sequence[Spoken], spoken: Sequence[Spoken]) -> list[Effect]:
        """Tell all parts what came: facts and what was spoken, in the order of the log."""
        effects: list[Effect] = []
        run: list[Spoken] = []
        for item in sorted([*new, *spoken], key=_offset) if spoken else new:
            if item.customer or item.fact is not None:
                run.append(item)
                continue
            effects += await self._tell(moment, run)
            run = []
            for part in self._parts:
                effects += await part.decided(moment, item.event)
        return effects + await self._tell(moment, run)

    async def end(self, moment: Moment, refolded: Mapping[UUID, Refolded]) -> list[Effect]:
        """The end of a transaction: who was folded anew, with what each part made of him, and then time passes."""
        effects: list[Effect] = []
        moment.since = {customer: one.since for customer, one in refolded.items()}
        for part in self._parts if refolded else ():
            effects += await part.refolded(moment, {customer: one.parts.get(part.name) for customer, one in refolded.items()})
        for part in self._parts:
            effects += await part.pulse(moment)
        return effects

    def restless(self, partition: int) -> bool:
        """Whether a part has something to do though nothing comes."""
        return any(part.restless(partition) for part in self._parts)

    def committed(self, partition: int) -> None:
        """The transaction stands."""
        for part in self._parts:
            part.committed(partition)

    def forget(self, partition: int) -> None:
        """What is remembered of a partition no longer holds."""
        for part in self._parts:
            part.forget(partition)

    async def _tell(self, moment: Moment, run: Sequence[Spoken]) -> list[Effect]:
        """Open what somebody wants to hear, once, and let each hear what he wants."""
        wanted: list[Sequence[Spoken]] = []
        for part in self._parts:
            wants, partition = part.wants, moment.partition
            items: Sequence[Spoken] = [item for item in run if item.customer and wants(partition, item.event)]
            wanted.append(await part.chosen(moment, items) if items and isinstance(part, Choosing) else items)
        opening = self._opening(moment.partition, wanted)
        if opening:
            await self._keys.fetch(moment.connection, set(opening.values()))
        made: dict[int, Heard] = {}
        effects: list[Effect] = []
        for part, items in zip(self._parts, wanted, strict=True):
            if not items:
                continue
            for item in items:
                if item.offset not in made:
                    fact = opening_of(item.fact, item.event, self._keys) if item.fact and item.offset in opening else item.fact
                    made[item.offset] = Heard(item.offset, item.customer, item.event, fact)
            effects += await part.told(moment, [made[item.offset] for item in items])
        return effects

    def _opening(self, partition: int, wanted: Sequence[Sequence[Spoken]]) -> dict[int, int]:
        """By offset the keys of facts that somebody reads and that are not open yet."""
        found: dict[int, int] = {}
        for part, items in zip(self._parts, wanted, strict=True):
            reads = part.reads if isinstance(part, Skimming) else None
            for item in items:
                if item.event.yektaseal > 0 and not item.whole and (reads is None or reads(partition, item.event)):
                    found[item.offset] = item.event.yektaseal
        return found


def opened(event: CustomerEvent, keys: Keys) -> Fact:
    """The fact with all that can still be read of it; its key is in memory."""
    return opening_of(fact_of(event), event, keys)


def opening_of(fact: Fact, event: CustomerEvent, keys: Keys) -> Fact:
    """A fact, opened; as it is where nothing of it is sealed, or can be opened any more."""
    if event.yektaseal <= 0:
        return fact
    try:
        return unsealed(fact, event, open_sealed(event, keys))
    except KeyDestroyed:
        return fact
