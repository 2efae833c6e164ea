"""A whole Yekta of its own to be mistreated: engines, API and workers under their supervisor, and somebody who sends events all the while.

Reading order: House, Emitter.
"""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg

from aggregates.source import Source
from infra import waiting
from infra.access import KeyStore
from infra.engines import ports
from infra.everything import everything, worker_program
from infra.refolding import Verdict, verify
from infra.running import Running
from infra.settings import Settings, load

SOURCE = "https://chaos.example/"
PEOPLE = 60


@dataclass(slots=True)
class Emitter:
    """Sends batches until told to stop; a batch without an answer is sent again, with the same ids, until it has one."""

    url: str
    key: str
    seed: int
    acknowledged: set[str] = field(default_factory=set)
    batches: int = 0
    stopping: bool = False
    answered: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self, lane: int) -> None:
        """One lane of several."""
        chance = random.Random(f"{self.seed} {lane}")
        async with httpx.AsyncClient(base_url=self.url, auth=(self.key, ""), timeout=15) as client:
            while not self.stopping:
                batch = [event(chance, f"{self.seed}-{lane}-{self.batches}-{n}") for n in range(chance.choice((1, 5, 20, 60)))]
                await self._insist(client, batch)

    async def _insist(self, client: httpx.AsyncClient, batch: list[dict[str, Any]]) -> None:
        while True:
            try:
                answer = await client.post("/v1/events", json=batch)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 200:
                break
            assert answer.status_code >= 500, answer.text
            await asyncio.sleep(0.05)
        items = answer.json()["items"]
        assert [item["status"] for item in items] == ["accepted"] * len(batch), items
        async with self.answered:
            self.acknowledged.update(item["event_id"] for item in items)
            self.batches += 1
            self.answered.notify_all()

    async def more(self, batches: int, within: float) -> bool:
        """Wait until so many more batches were acknowledged; False when that takes too long."""
        target = self.batches + batches
        try:
            async with asyncio.timeout(within), self.answered:
                await self.answered.wait_for(lambda: self.batches >= target)
        except TimeoutError:
            return False
        return True


def event(chance: random.Random, id_: str) -> dict[str, Any]:
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


@dataclass(slots=True)
class House:
    """What runs, and how to hurt it."""

    here: Running
    settings: Settings
    emitter: Emitter
    crash_file: Path
    deaths: Counter[str]

    def kill(self, name: str) -> None:
        """kill -9."""
        self.signal(name, signal.SIGKILL)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a child, if it lives."""
        child = self.here.supervisor.children[name]
        if child.process.returncode is None:
            os.kill(child.pid, number)

    async def until_deaths(self, number: int, within: float) -> bool:
        """Wait, while events flow, until so many children have died."""
        try:
            async with asyncio.timeout(within):
                while self.deaths.total() < number:
                    await self.emitter.more(1, within=1)
        except TimeoutError:
            return False
        return True

    async def add_worker(self, number: int) -> None:
        """One more worker."""
        await self.here.supervisor.start(worker_program(self.here, f"worker-{number}"))

    async def remove_worker(self, number: int) -> None:
        """One worker less."""
        await self.here.supervisor.end(f"worker-{number}")

    async def settle(self) -> Verdict:
        """Stop sending, wait until all is visible, and say what verifying says."""
        self.crash_file.unlink(missing_ok=True)
        self.emitter.stopping = True
        await waiting.wait(self.settings, within=150)
        return await verify(self.settings)

    async def rows(self) -> Counter[str]:
        """How often each event is in the timeline."""
        async with await psycopg.AsyncConnection.connect(self.here.endpoints.dsn) as connection:
            cursor = await connection.execute("SELECT event_id::text, count(*) FROM read_1.timeline GROUP BY 1")
            return Counter(dict(await cursor.fetchall()))

    async def leftovers(self) -> tuple[int, int, int]:
        """Rows of outbox and chores, and dead letters."""
        async with await psycopg.AsyncConnection.connect(self.here.endpoints.dsn) as connection:
            cursor = await connection.execute(
                "SELECT (SELECT count(*) FROM streams.outbox), (SELECT count(*) FROM streams.chores),"
                " (SELECT count(*) FROM letters.letters)"
            )
            row = await cursor.fetchone()
            assert row is not None
            return row[0], row[1], row[2]


@asynccontextmanager
async def house(home: Path, seed: int, *, workers: int, lanes: int = 3) -> AsyncIterator[House]:
    """Everything up, and events flowing."""
    crash_file = home / "crash"
    os.environ["YEKTA_CRASH_FILE"] = str(crash_file)
    deaths: Counter[str] = Counter()

    def notice(name: str, what: str) -> None:
        if what.startswith(("was killed", "ended")):
            deaths[name] += 1

    settings = load(home=home, api={"port": ports.choose(None)}, workers=workers)
    try:
        async with everything(settings, notice=notice) as here:
            with closing(KeyStore(here.endpoints.dsn, _now)) as keys:
                minted = await keys.create("chaos", source=Source("chaos"))
            url = here.state.api_url
            assert url is not None
            emitter = Emitter(url, minted.secret, seed)
            sending = [asyncio.create_task(emitter.run(lane)) for lane in range(lanes)]
            try:
                assert await emitter.more(5, within=60)
                yield House(here, settings, emitter, crash_file, deaths)
            finally:
                emitter.stopping = True
                await asyncio.wait(sending, timeout=60)
                for task in sending:
                    task.cancel()
    finally:
        del os.environ["YEKTA_CRASH_FILE"]


def _now() -> datetime:
    return datetime.now(UTC)
