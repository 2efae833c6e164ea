"""A whole Yekta of its own to be mistreated: engines, API and workers under their supervisor. Reading order: House, house."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg

from aggregates.source import Source
from infra import waiting
from infra.access import KeyStore
from infra.engines import ports
from infra.errors import Refusal
from infra.everything import everything, worker_program
from infra.home import Home
from infra.refolding import Verdict, verify
from infra.running import Running
from infra.settings import Settings, load
from infra.topics import topic_names
from tests.chaos.emitter import Emitter
from tests.conftest import PARTITIONS

CRASH_FILE = "YEKTA_CRASH_FILE"


@dataclass(slots=True)
class House:
    """What runs, and how to hurt it."""

    here: Running
    settings: Settings
    emitter: Emitter
    crash_file: Path
    deaths: Counter[str]
    frozen: dict[str, list[psutil.Process]] = field(default_factory=dict)

    def kill(self, name: str) -> bool:
        """kill -9; False when it is dead already."""
        process = self.here.supervisor.children[name].process
        return process.returncode is None and self._signal(process.pid, signal.SIGKILL)

    def log(self, name: str) -> list[str]:
        """The lines that a process wrote."""
        return Home(self.settings.home).log_of(name).read_text().splitlines()

    def freeze(self, name: str) -> None:
        """Everything of it stands still: as on a machine that hangs, or is cut off."""
        self.frozen[name] = self._tree(name)
        for process in self.frozen[name]:
            self._signal(process.pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """It goes on as if nothing had happened."""
        for process in self.frozen.pop(name, ()):
            self._signal(process.pid, signal.SIGCONT)

    def _tree(self, name: str) -> list[psutil.Process]:
        top = psutil.Process(self.here.supervisor.children[name].process.pid)
        return [top, *top.children(recursive=True)]

    @staticmethod
    def _signal(pid: int, number: signal.Signals) -> bool:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
        return False

    async def crash(self, point: str, within: float = 60) -> None:
        """Wait, while events flow, until a process has died at this point."""
        deaths = self.deaths.total()
        begins = point.endswith(".assigned")
        self.crash_file.write_text(f"{point} {1 if begins else 0.3}")
        if begins:  # only who begins passes it
            deaths += self.kill("worker-1")
        await self.until(lambda: self.deaths.total() > deaths and not self.crash_file.exists(), within, f"nobody died at {point}")

    async def until(self, condition: Callable[[], bool], within: float, why: str) -> None:
        """Wait for a condition."""
        try:
            async with asyncio.timeout(within):
                while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(why) from None

    async def add_worker(self, number: int) -> None:
        """One more worker."""
        await self.here.supervisor.start(worker_program(self.here, f"worker-{number}"))

    async def remove_worker(self, number: int) -> None:
        """One worker less."""
        await self.here.supervisor.end(f"worker-{number}")

    async def visible(self) -> None:
        """All that was accepted until now is in the views."""
        try:
            await waiting.wait(self.settings, within=150)
        except Refusal as late:
            raise AssertionError(f"{late}\n{await self._what_goes_on()}") from None

    async def _what_goes_on(self) -> str:
        """Where every partition stands, and what PostgreSQL is doing."""
        async with await psycopg.AsyncConnection.connect(self.here.endpoints.dsn) as connection:
            cursor = await connection.execute(
                "SELECT row_to_json(p)::text FROM streams.positions p UNION ALL"
                " SELECT concat_ws(' ', pid, application_name, state, wait_event, xact_start, pg_blocking_pids(pid)::text, left(query, 99))"
                " FROM pg_stat_activity WHERE datname = current_database() AND (state <> 'idle' OR wait_event <> 'ClientRead')"
            )
            return "\n".join([row[0] for row in await cursor.fetchall()])

    async def verdict(self) -> Verdict:
        """What verifying says."""
        return await verify(self.settings)

    async def rows(self) -> Counter[str]:
        """How often each event is in the timeline."""
        async with await psycopg.AsyncConnection.connect(self.here.endpoints.dsn) as connection:
            cursor = await connection.execute("SELECT event_id::text, count(*) FROM read_1.timeline GROUP BY 1")
            return Counter(dict(await cursor.fetchall()))

    async def left_over(self) -> tuple[list[str], int, int]:
        """Dead letters, by reason and place, and how many rows of outbox and chores there are."""
        async with await psycopg.AsyncConnection.connect(self.here.endpoints.dsn) as connection:
            cursor = await connection.execute(
                "SELECT (SELECT coalesce(array_agg(reason || ' ' || place), '{}') FROM letters.letters),"
                " (SELECT count(*) FROM streams.outbox), (SELECT count(*) FROM streams.chores)"
            )
            row = await cursor.fetchone()
            assert row is not None
            return row[0], row[1], row[2]


@asynccontextmanager
async def house(home: Path, seed: int, *, workers: int) -> AsyncIterator[House]:
    """Everything up."""
    os.environ[CRASH_FILE] = str(home / "crash")
    deaths: Counter[str] = Counter()

    def notice(name: str, what: str) -> None:
        if what.startswith(("was killed", "ended")):
            deaths[name] += 1

    settings = load(home=home, api={"port": ports.choose(None)}, kafka={"partitions": PARTITIONS}, workers=workers)
    try:
        async with everything(settings, notice=notice) as here:
            with closing(KeyStore(here.endpoints.dsn, _now)) as keys:
                minted = await keys.create("chaos", source=Source("chaos"))
            assert here.state.api_url is not None
            inbox = topic_names(settings.kafka.prefix).inbox
            emitter = Emitter(here.state.api_url, minted.secret, inbox, here.endpoints.kafka_client_kwargs, seed)
            yield House(here, settings, emitter, home / "crash", deaths)
    finally:
        del os.environ[CRASH_FILE]


def _now() -> datetime:
    return datetime.now(UTC)
