"""Where one story plays: a log in memory, PostgreSQL, and words to say what was sent, who worked, and what came of it."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from aggregates.identifier import Token
from aggregates.identity import DEFAULT_RULES, Said, Split
from aggregates.identity import decisions as deciding
from aggregates.normal import normalise
from aggregates.sealing import seal
from aggregates.source import Source
from aggregates.touchpoint import derive, event_id
from aggregates.wire import CustomerEvent, customer_event_decoder
from infra.sealing import KeyRing
from projections.positions import table as positions
from streams.customer import Customer
from streams.moving import PIECE
from streams.points import Point, passed
from streams.record import Connection, Processor
from streams.resolve import Resolve
from streams.words import MOVED, RECEIVED, word
from tests.streams import truth
from tests.streams.crew import TOPIC_ID, Connections, Worker, until
from tests.streams.keys import MASTER
from tests.streams.memory import Memory
from tests.streams.people import BEGINNING, SOURCE, Sealed, touchpoint


class Ground:
    """One story."""

    def __init__(self, memory: Memory, pool: Connections, connection: Connection, keys: KeyRing) -> None:
        self.memory, self.pool, self.connection, self.keys = memory, pool, connection, keys
        self.sent: dict[UUID, Callable[[int], Sealed]] = {}
        self.times: Counter[UUID] = Counter()

    def send(
        self,
        id_: str,
        type_: str = "something.happened",
        minute: float | None = 0,
        *,
        at: int | None = None,
        source: Source = SOURCE,
        place: int = 0,
        **data: Any,
    ) -> UUID:
        """A door accepts an event; `who` is in the data. It is kept in the partition of its subject, or where it is told."""

        def accept(times: int) -> Sealed:
            return seal(touchpoint(id_, type_, data, minute, source, times=times, place=place), self.keys)

        event = touchpoint(id_, type_, data, minute, source).event_id
        self.sent.setdefault(event, accept)
        self.memory.append("touchpoints", *accept(0), at=at)
        return event

    def customer(self, id_: str) -> UUID:
        """The customer that this event would found."""
        return derive("customer", str(event_id(SOURCE.name, "/tests", id_)))

    def home(self, id_: str) -> int:
        """The partition of the customer that this event would found."""
        return self.memory.place(str(self.customer(id_)).encode())

    def again(self, event: UUID, *, at: int | None = None) -> None:
        """The client sends the very same event once more, perhaps through another partitioner: it is received later and sealed anew."""
        self.times[event] += 1
        self.memory.append("touchpoints", *self.sent[event](self.times[event]), at=at)

    def hire(self, *processors: Processor, piece: int = PIECE, most: int = 2000, at: Point = passed, topic_id: str = TOPIC_ID) -> Worker:
        """A worker that owns nothing yet; of both hops unless told of which."""
        keys = KeyRing(MASTER)
        both: list[Processor] = [Resolve(DEFAULT_RULES, keys), Customer(keys, piece=piece)]
        return Worker(self.memory, self.pool, list(processors) or both, at, most, topic_id)

    @asynccontextmanager
    async def working(self, *processors: Processor, piece: int = PIECE, most: int = 2000) -> AsyncIterator[Worker]:
        """A worker that owns everything, until the end of the block."""
        worker = self.hire(*processors, piece=piece, most=most)
        await worker.own_all()
        try:
            yield worker
        finally:
            await worker.die()

    async def work(self, *, piece: int = PIECE, most: int = 2000) -> None:
        """A worker does all there is to do."""
        async with self.working(piece=piece, most=most) as worker:
            await self.settle(worker)

    async def settle(self, *workers: Worker) -> None:
        """Wait until all that was sent is in the views."""

        async def done() -> bool:
            return await truth.settled(self.connection, self.memory)

        await until(done, unless=lambda: [failure for worker in workers for failure in worker.failures])

    def told_to_refold(self, customer: UUID) -> None:
        """Word that rows have come, though none have."""
        told = word(RECEIVED, str(customer), "for no reason", BEGINNING)
        self.memory.append(told.topic, told.key, told.value)

    async def passed(self, processor: str, worker: Worker) -> None:
        """Wait until a processor has handled all there is in its topic, acknowledgements included."""
        topic = worker.runners[processor].topic

        async def done() -> bool:
            return await positions.passed(self.connection, processor, self.memory.ends(topic))

        await until(done, unless=lambda: worker.failures)

    def decide(self, id_: str, decision: Said) -> UUID:
        """A person decides who is who."""
        told = deciding.touchpoint(decision, id_)
        self.sent[told.event_id] = lambda _: seal(told, self.keys)
        self.memory.append("touchpoints", *seal(told, self.keys))
        return told.event_id

    def token(self, kind: str, value: str) -> Token:
        """The token of an identifier."""
        return self.keys.token(normalise(kind, value))

    async def split(self, kind: str, customer: UUID, *processors: Processor) -> UUID:
        """A person says that identifiers of this kind are another's; who they go to."""
        rows = await self.ask("SELECT identifier FROM identity.identifiers WHERE customer_id = %s", customer)
        go = tuple(Token(token) for (token,) in rows if token.startswith(f"{kind}:"))
        stay = tuple(Token(token) for (token,) in rows if Token(token) not in go)
        self.decide(f"split {kind} {customer}", Split(by="tests", at=BEGINNING, go=go, stay=stay))
        async with self.working(*processors) as worker:
            await self.settle(worker)
        ((owner,),) = await self.ask("SELECT DISTINCT customer_id FROM identity.identifiers WHERE identifier = ANY(%s)", list(go))
        return UUID(str(owner))

    async def check(self) -> None:
        """All is as it must be."""
        await truth.check(self.connection, self.memory, self.sent, self.keys)

    async def check_rows(self) -> None:
        """Rows and views are as they must be, whatever was published of identity."""
        await truth.check_rows(self.connection, self.memory, self.sent, self.keys)

    async def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What PostgreSQL knows."""
        return await (await self.connection.execute(query.encode(), values or None)).fetchall()

    async def has(self, query: str, *values: Any) -> bool:
        """Whether PostgreSQL says yes."""
        return bool((await self.ask(query, *values))[0][0])

    async def waits_for_a_lock(self) -> None:
        """Until some transaction of this database waits for another's."""
        await until(
            lambda: self.has(
                "SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                " WHERE NOT l.granted AND a.datname = current_database())"
            )
        )

    async def owner(self, event: UUID) -> UUID:
        """Under whom an event is, now."""
        ((customer,),) = await self.ask("SELECT customer_id FROM read_1.timeline WHERE event_id = %s", event)
        return UUID(str(customer))

    async def customers(self) -> int:
        """How many have a view."""
        ((count,),) = await self.ask("SELECT count(*) FROM read_1.view")
        return int(count)

    @property
    def letters(self) -> list[str]:
        """The dead letters: reason and place."""
        return [(record.value or b"").decode() for record in self.memory.all("dead-letters")]

    @property
    def published(self) -> list[CustomerEvent]:
        """All of `customer-events`."""
        return [customer_event_decoder.decode(record.value or b"") for record in self.memory.all("customer-events")]

    def words(self, type_: str) -> list[str]:
        """The customers that were told something."""
        return [event.subject for event in self.published if event.type == type_]

    @property
    def moved(self) -> list[str]:
        """Who was told that identifiers went away."""
        return self.words(MOVED)

    @property
    def received(self) -> list[str]:
        """Who was told that rows have come."""
        return self.words(RECEIVED)
