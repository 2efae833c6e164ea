"""Somebody who sends events all the while, through the HTTP door and into the inbox, and remembers what was acknowledged.

Reading order: Emitter, happening.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from aggregates.touchpoint import event_id

SOURCE = "https://chaos.example/"
PEOPLE = 200
PACE = 0.2  # seconds between two batches of one sender, on average: about 180 events a second in all

Event = dict[str, Any]


@dataclass(slots=True)
class Emitter:
    """Sends batches until told to stop; a batch without an answer is sent again, with the same ids, until it has one."""

    url: str
    key: str
    inbox: str
    kafka: Mapping[str, Any]
    seed: int
    acknowledged: set[str] = field(default_factory=set)
    batches: int = 0
    stopping: bool = False
    answered: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def flowing(self, lanes: int = 3) -> AsyncIterator[None]:
        """Events flow until the end of the block, and then all of them have their answers."""
        self.stopping = False
        sending = [asyncio.create_task(self._post(lane)) for lane in range(lanes)]
        sending.append(asyncio.create_task(self._produce(lanes)))
        try:
            yield
        finally:
            self.stopping = True
            async with asyncio.timeout(120):
                await asyncio.gather(*sending)

    async def more(self, batches: int, within: float = 60) -> None:
        """Wait until so many more batches were acknowledged."""
        target = self.batches + batches
        async with asyncio.timeout(within), self.answered:
            await self.answered.wait_for(lambda: self.batches >= target)

    async def lasts(self, seconds: float, batches: int) -> None:
        """So many seconds of events, and so many batches at least."""
        end = asyncio.get_running_loop().time() + seconds
        await self.more(batches)
        while asyncio.get_running_loop().time() < end:
            await self.more(1)

    async def _post(self, lane: int) -> None:
        """Through the HTTP door."""
        async with httpx.AsyncClient(base_url=self.url, auth=(self.key, ""), timeout=15) as client:
            async for batch in self._batches(lane):
                await insist(lambda batch=batch: self._posted(client, batch))  # type: ignore[misc]

    async def _posted(self, client: httpx.AsyncClient, batch: list[Event]) -> bool:
        try:
            answer = await client.post("/v1/events", json=batch)
        except httpx.TransportError:
            return False
        if answer.status_code >= 500:
            return False
        assert answer.status_code == 200, answer.text
        items = answer.json()["items"]
        assert [item["status"] for item in items] == ["accepted"] * len(batch), items
        await self._remember(item["event_id"] for item in items)
        return True

    async def _produce(self, lane: int) -> None:
        """Into the inbox, as any Kafka client may."""
        producer = AIOKafkaProducer(**self.kafka, acks="all")
        await producer.start()
        try:
            async for batch in self._batches(lane):
                for event in batch:
                    await insist(lambda event=event: self._produced(producer, event))  # type: ignore[misc]
                await self._remember(str(event_id("inbox", SOURCE, event["id"])) for event in batch)
        finally:
            await producer.stop()

    async def _produced(self, producer: AIOKafkaProducer, event: Event) -> bool:
        headers = [("content-type", b"application/cloudevents+json")]
        try:
            await producer.send_and_wait(self.inbox, msgspec.json.encode(event), headers=headers)
        except KafkaError:
            return False
        return True

    async def _batches(self, lane: int) -> AsyncIterator[list[Event]]:
        """At the pace of people, not as fast as possible: what is slow here is dying and coming back."""
        first = self.batches
        chance = random.Random(f"{self.seed} {lane} {first}")
        for number in count():
            if self.stopping:
                return
            yield [happening(chance, f"{first}-{lane}-{number}-{n}") for n in range(chance.choice((1, 3, 8, 24)))]
            await asyncio.sleep(chance.expovariate(1 / PACE))

    async def _remember(self, events: Iterable[str]) -> None:
        async with self.answered:
            self.acknowledged.update(events)
            self.batches += 1
            self.answered.notify_all()


async def insist(attempt: Callable[[], Awaitable[bool]]) -> None:
    """As a client does: again, until there is an answer."""
    while not await attempt():  # noqa: ASYNC110 - the server tells nobody when it is back
        await asyncio.sleep(0.05)


def happening(chance: random.Random, id_: str) -> Event:
    """Something one of a few people did: by phone, by e-mail, by device, and now and then by two, which joins what was apart."""
    person = chance.randrange(PEOPLE)
    phone, email, device = f"0912000{person:04d}", f"p{person}@chaos.example", f"d-{person}"
    kind = chance.random()
    data: dict[str, Any]
    if kind < 0.35:
        type_, data = "web.page_viewed", {"who": {"device": device}, "url": "https://chaos.example/"}
    elif kind < 0.6:
        type_, data = "call.ended", {"who": {"phone": phone}, "call_id": id_, "talk_seconds": 60}
    elif kind < 0.85:
        lines = [{"sku": "a", "quantity": 1, "unit_price": "10"}]
        type_, data = (
            "sales.order_placed",
            {"who": {"email": email}, "order_id": id_, "lines": lines, "total": "10", "currency": "USD"},
        )
    elif kind < 0.97:
        type_, data = "web.identified", {"who": {"device": device, "email": email}, "traits": {"name": f"Person {person}"}}
    else:
        type_, data = "profile.reported", {"who": {"email": email, "phone": phone}, "traits": {"city": "Shiraz"}}
    return {"specversion": "1.0", "id": id_, "source": SOURCE, "type": type_, "data": data}
