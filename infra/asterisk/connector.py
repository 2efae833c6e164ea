"""Listens to one PBX for as long as it lives, and tells the log what it hears: through the HTTP door, under the PBX's own write key.

When the connection is lost it comes back, asks which channels live, and tells of the calls that ended meanwhile. Reading order: Pbx,
Connector.run, _listen, _tell.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import structlog

from infra.asterisk.call import event
from infra.asterisk.calls import found, hear, missed, moment
from infra.asterisk.manager import Manager, ManagerLost, ManagerRefused, Message, connected
from infra.asterisk.store import Store
from infra.errors import Refusal
from infra.posting import post

BATCH = 100
LONGEST_PAUSE = 10.0
SIGN_OF_LIFE = 5.0
"""So often it is written down that the PBX lives: a call that vanishes with it ended then, at the earliest."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pbx:
    """Where a PBX is, and how we are known there."""

    name: str
    host: str
    port: int
    username: str
    secret: str

    @property
    def source(self) -> str:
        """The CloudEvents source of its calls: the same live and from files."""
        return f"/asterisk/{self.name}"


class Connector:
    """The one listener of a PBX."""

    def __init__(self, pbx: Pbx, store: Store, url: str, key: str, clock: Callable[[], float] = time.time) -> None:
        self._pbx, self._store, self._url, self._key, self._clock = pbx, store, url, key, clock
        self._calls = store.calls()
        self._more = asyncio.Event()
        self._ahead = 0.0  # how far the PBX's clock is before ours
        self._kept = 0.0
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Listen and tell, until cancelled. Raises Refusal when the PBX does not let us in."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell())
            group.create_task(self._listen())

    async def _listen(self) -> None:
        pause = 0.25
        while True:
            try:
                async with connected(self._pbx.host, self._pbx.port, self._pbx.username, self._pbx.secret) as manager:
                    pause = 0.25
                    log.info("pbx_connected", pbx=self._pbx.name)
                    await self._hear(manager)
            except ManagerRefused as error:
                raise Refusal(f"Asterisk at {self._pbx.host} does not let {self._pbx.username} in: {error}.") from error
            except ManagerLost as error:
                log.warning("pbx_lost", pbx=self._pbx.name, why=str(error))
            self.listening.clear()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _hear(self, manager: Manager) -> None:
        """Events as they come; after the list of live channels it is known who hung up while nobody listened."""
        manager.ask_for_channels()
        live: set[str] = set()
        since = self._store.last_heard()
        caught_up = False
        async for message in manager.messages():
            now = self._pbx_time(message)
            kind = message.get("Event", "")
            if kind == "CoreShowChannel":
                linked = found(self._calls, message, now)
                live.add(linked)
                self._keep([linked], [], now)
            elif kind == "CoreShowChannelsComplete" and not caught_up:
                caught_up = True
                gone, facts = missed(self._calls, live, since)
                self._keep(gone, [event(one, self._pbx.source) for one in facts], now)
                self.listening.set()
            else:
                changed, facts = hear(self._calls, message, now)
                if kind == "Newchannel" and not caught_up:
                    live.update(changed)  # it began while the list was told
                if changed or now > self._kept + SIGN_OF_LIFE:
                    self._keep(changed, [event(one, self._pbx.source) for one in facts], now)

    def _pbx_time(self, message: Message) -> float:
        """Now, as the PBX's clock has it: so that what is said of a call that vanished fits what was said of it before."""
        now = self._clock()
        stamp = moment(message, 0.0)
        if stamp:
            self._ahead = stamp - now
        return now + self._ahead

    def _keep(self, changed: list[str], events: list[dict[str, object]], now: float) -> None:
        self._store.keep(self._calls, changed, events, now)
        self._kept = now
        if events:
            self._more.set()

    async def _tell(self) -> None:
        """What waits goes through the door in its order, and is forgotten when it is in the log."""
        async with httpx.AsyncClient(base_url=self._url, timeout=30) as client:
            while True:
                self._more.clear()
                waiting = self._store.waiting(BATCH)
                if not waiting:
                    await self._more.wait()
                    continue
                try:
                    answer = await post(client, self._key, b"[" + b",".join(body for _, body in waiting) + b"]")
                except Refusal as refusal:  # calls go on while the door is shut: what they say waits in the file
                    log.error("door_shut", pbx=self._pbx.name, why=str(refusal))
                    continue
                if answer.status_code == 200:
                    self._store.told(waiting[-1][0])
                else:
                    log.error("door_refuses", pbx=self._pbx.name, status=answer.status_code)
                    await asyncio.sleep(LONGEST_PAUSE)
