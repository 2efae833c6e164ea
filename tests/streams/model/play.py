"""Plays one history of the model: random people, owners of partitions, deaths and zombies at every step. The seed decides everything."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from aggregates.identifier import Token
from tests.streams.model.folding import States, folding
from tests.streams.model.resolving import Owners, resolving
from tests.streams.model.store import DONE, NOBODY, PARTITIONS, Lock, Steps, Store, Touch

LONGEST = 200_000  # steps; a history that takes more never ends


@dataclass(slots=True)
class Process:
    """One partition's lane of a worker."""

    worker: int
    steps: Steps
    wants: Lock | None = None
    holds: set[Lock] = field(default_factory=set)


@dataclass(slots=True)
class History:
    """One history and what it has come to."""

    seed: int
    random: Random = field(init=False)
    store: Store = field(default_factory=Store)
    processes: list[Process] = field(default_factory=list)
    caches: dict[int, Owners] = field(default_factory=dict)
    piece: int = 0
    deaths: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.piece = self.random.choice((1, 2, 3, 1000))

    def play(self) -> None:
        """Send, shake, then let new workers in peace do what is left."""
        touches = list(self.touches())
        danger = self.random.choice((0.0, 0.02, 0.08))
        self.assign_all(worker=0)
        while touches:
            if self.random.random() < 0.1:
                self.send(touches.pop())
            if self.random.random() < danger:
                self.shake()
            self.step()
        self.processes.clear()
        self.assign_all(worker=10_000)
        for _ in range(LONGEST):
            if self.idle():
                return
            self.step()
        raise AssertionError("the history never ends")

    def touches(self) -> list[Touch]:
        """What happens to a few people, who say of themselves only what is true."""
        people, count = self.random.randint(1, 3), self.random.choice((4, 8, 16))
        return [Touch(f"{self.random.randrange(100):02}-{number}", "", self.who(self.random.randrange(people))) for number in range(count)]

    def who(self, person: int) -> tuple[Token, ...]:
        """Some of a person's identifiers: strong ones, or weak ones alone, or with his number."""
        strong = [f"{kind}:{person}" for kind in self.random.sample(("email", "account", "user_id", "loyalty"), self.random.randint(1, 2))]
        weak = [f"device:{person}-{self.random.randrange(2)}" for _ in range(self.random.randint(1, 2))]
        number = f"customer_number:{person}"
        named: list[str] = self.random.choice((strong, strong, weak, [*weak, number], [*strong, number], []))
        return tuple(Token(token) for token in dict.fromkeys(named))

    def send(self, touch: Touch) -> None:
        """Append it, and perhaps again, anywhere; and perhaps another one under its id."""
        while True:
            self.random.choice(self.store.touchpoints).append(touch)
            if self.random.random() < 0.05:
                self.random.choice(self.store.touchpoints).append(
                    touch._replace(body="another", who=(Token("email:0"), Token("account:1")))
                )
            if self.random.random() < 0.7:
                return

    def assign_all(self, worker: int) -> None:
        """A worker gets every partition of both hops."""
        for partition in range(PARTITIONS):
            self.assign(worker, "resolve", partition)
            self.assign(worker, "customer", partition)

    def assign(self, worker: int, hop: str, partition: int) -> None:
        """Whoever has the partition is not told: from now on he is a zombie."""
        states: States = {}
        steps = (
            resolving(self.store, self.caches.setdefault(worker, {}), partition, self.random)
            if hop == "resolve"
            else folding(self.store, states, partition, self.random, self.piece)
        )
        self.processes.append(Process(worker, steps))

    def shake(self) -> None:
        """A worker dies, or a partition changes hands."""
        match self.random.randrange(3):
            case 0:
                dead = self.random.choice(self.processes).worker
                self.processes = [process for process in self.processes if process.worker != dead]
                self.deaths += 1
                self.assign_all(worker=self.random.choice((dead + 1, 0)))
            case 1:
                hop = self.random.choice(("resolve", "customer"))
                self.assign(self.random.randrange(3), hop, self.random.randrange(PARTITIONS))
            case _:
                self.assign_all(worker=self.random.randrange(3))

    def step(self) -> None:
        """Somebody goes on, until something may happen again."""
        held = {lock for process in self.processes for lock in process.holds}
        able = [process for process in self.processes if process.wants is None or process.wants not in held]
        process = self.random.choice(able)
        if process.wants is not None:
            process.holds.add(process.wants)
        process.wants = next(process.steps)
        if process.wants == DONE:
            process.holds.clear()
            process.wants = None

    def idle(self) -> bool:
        """Whether all is done."""
        store = self.store
        handled = all(
            store.positions[hop, partition].next == len(topic[partition])
            for hop, topic in (("resolve", store.touchpoints), ("customer", store.customer_events))
            for partition in range(PARTITIONS)
        )
        return handled and not store.chores and not any(store.outbox)

    def check(self) -> None:
        """Every event once under its present owner; views and what parts keep the folds of rows; nothing under an id but the first."""
        store = self.store
        sent = {touch.event for topic in store.touchpoints for touch in topic}
        owners = {event: store.owner(receipt.customer, receipt.decider) for event, receipt in store.receipts.items()}
        assert owners.keys() == sent
        rows = Counter((customer, event) for customer, events in store.timeline.items() for event in events)
        assert rows == Counter((owner, event) for event, owner in owners.items())
        histories: dict[UUID, list[str]] = {}
        for event, owner in owners.items():
            if owner != NOBODY:
                histories.setdefault(owner, []).append(event)
        assert store.views == {owner: tuple(sorted(events)) for owner, events in histories.items()}
        assert store.kept == store.views
        assert set(store.letters) == {
            touch for topic in store.touchpoints for touch in topic if touch.body != store.receipts[touch.event].body
        }
