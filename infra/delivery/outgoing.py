"""Puts what delivers together: the agent's step and the sender with its adapters, on connections of their own, so that no slow receiver
takes one from the hops. Reading order: Outgoing."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import structlog

from api.ports import WebhookNotFound
from infra import database
from infra.decisions import DecisionStore
from infra.delivery.adapters import WebhookAdapter
from infra.delivery.addresses import Allowed
from infra.delivery.http import Http
from infra.delivery.webhooks import WebhookStore
from infra.sealing import KeyRing
from infra.settings import Settings
from projections.deliveries.table import WEBHOOK, Taken
from streams.deliver import Deliver
from streams.sending import Adapter, Sender

POOL = 6
BY_RECEIVER = "receiver"

log = structlog.get_logger()


class Outgoing:
    """The deliveries of one worker."""

    name = "sender"

    def __init__(self, settings: Settings, dsn: str, keys: KeyRing, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._settings, self._dsn, self._keys, self._clock = settings.delivery, dsn, keys, clock
        self._decisions = DecisionStore(dsn)

    async def open(self, stack: AsyncExitStack, name: str) -> None:
        """Connect."""
        allowed = Allowed(self._settings.allow)
        pool = await stack.enter_async_context(database.open_pool(self._dsn, name=f"{name}-sender", largest=POOL))
        http = Http(allowed)
        stack.push_async_callback(http.close)
        stack.callback(self._decisions.close)
        self._webhooks = WebhookStore(self._decisions, self._keys, allowed, self._clock)
        adapters: dict[str, Adapter] = {"webhook": WebhookAdapter(pool, self._keys, http, self._clock)}
        jitter = Random()  # noqa: S311 - spreads tries, and hides nothing
        self.sender = Sender(pool, adapters, self._gone, pace=self._pace, random=jitter, clock=time.monotonic)
        self.deliver = Deliver(pool, self.sender.wake)

    async def take(self, value: bytes) -> None:
        """What the agent does with a record of `signals`."""
        await self.deliver.take(value)

    async def run(self) -> None:
        """Send until cancelled."""
        await self.sender.run()

    def _pace(self, lane: str) -> float:
        return self._settings.webhook_pace if lane.startswith(WEBHOOK) else self._settings.pace

    async def _gone(self, taken: Taken, why: str) -> None:
        """The receiver does not exist any more."""
        try:
            await self._webhooks.disable(UUID(taken.lane.removeprefix(WEBHOOK)), BY_RECEIVER, why)
        except WebhookNotFound:
            log.warning("gone, and never there", lane=taken.lane)
