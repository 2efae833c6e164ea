"""Puts what delivers together: the agent's step and the sender with its adapters, on connections of their own, so that no slow receiver
takes one from the hops. Reading order: Outgoing."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import structlog

from aggregates.log import Log
from aggregates.webhook import WebhookNotFound
from infra import database
from infra.decisions import DecisionStore
from infra.delivery.adapters import WebhookAdapter
from infra.delivery.addresses import Allowed
from infra.delivery.channels import EmailAdapter, Links, Messages, SmsAdapter, TaskAdapter, Writing
from infra.delivery.http import Http
from infra.delivery.rechecking import Rechecking, against
from infra.delivery.smpp import SmppAdapter
from infra.delivery.smpp_receipts import Receipts
from infra.delivery.webhooks import WebhookStore
from infra.sealing import KeyRing
from infra.settings import Settings
from projections.contacts import tasks
from projections.deliveries.table import WEBHOOK, Pace, Taken
from streams.deliver import Deliver
from streams.sending import Adapter, Sender
from streams.silences import Silences

POOL = 6
BY_RECEIVER = "receiver"
EVERYWHERE = "0.0.0.0/0,::/0"

log = structlog.get_logger()


class Outgoing:
    """The deliveries of one worker."""

    name = "sender"

    def __init__(
        self, settings: Settings, dsn: str, keys: KeyRing, publisher: Log, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._all, self._settings = settings, settings.delivery
        self._dsn, self._keys, self._publisher, self._clock = dsn, keys, publisher, clock
        self._center: SmppAdapter | None = None
        self._decisions = DecisionStore(dsn)

    async def open(self, stack: AsyncExitStack, name: str) -> None:
        """Connect."""
        allowed = Allowed(self._all.deliveries_allowed)
        pool = await stack.enter_async_context(database.open_pool(self._dsn, name=f"{name}-sender", largest=POOL))
        http = Http(allowed)
        stack.push_async_callback(http.close)
        stack.callback(self._decisions.close)
        self._webhooks = WebhookStore(self._decisions, self._keys, allowed, self._clock)
        rechecking = Rechecking(pool, self._keys, self._clock, against)
        messages, links = Messages(self._settings.messages), Links(self._all.reached_at, self._keys)
        writing = Writing(messages, links, rechecking)
        people = TaskAdapter(pool, rechecking)
        adapters: dict[str, Adapter] = {
            "webhook": rechecking.before(WebhookAdapter(pool, self._keys, http, self._clock)),
            **dict.fromkeys(tasks.CHANNELS, people),
        }
        if self._all.smpp.host is not None:
            receipts = Receipts(pool, self._publisher, self._keys, self._all.kafka.prefix, self._all.zone, self._clock)
            adapters["sms"] = self._center = SmppAdapter(self._all.smpp, writing, receipts)
        elif self._all.sms.url is not None:
            # An operator wrote the gateway's address, not a user of the API: his own network is fine.
            gateway = Http(Allowed(EVERYWHERE))
            stack.push_async_callback(gateway.close)
            adapters["sms"] = SmsAdapter(self._all.sms, writing, gateway, self._clock)
        if self._all.email.host is not None:
            adapters["email"] = EmailAdapter(self._all.email, messages, links, rechecking, self._clock)
        pace = Pace(self._settings.pace, self._settings.webhook_pace)
        jitter = Random()  # noqa: S311 - spreads tries, and hides nothing
        self.sender = Sender(pool, adapters, self._gone, pace=pace, random=jitter, clock=time.monotonic)
        self.deliver = Deliver(pool, self.sender.wake, adapters.keys())
        self._silences = Silences(pool, self._publisher, self._all.kafka.prefix)

    async def take(self, values: Sequence[bytes]) -> None:
        """What the agent does with records of `signals`."""
        await self.deliver.take(values)

    async def run(self) -> None:
        """Send, and tell what was not sent after all, until cancelled."""
        async with asyncio.TaskGroup() as together:
            together.create_task(self.sender.run())
            together.create_task(self._silences.run())
            if self._center is not None:
                together.create_task(self._center.run())

    async def _gone(self, taken: Taken, why: str) -> None:
        """The receiver does not exist any more."""
        try:
            await self._webhooks.disable(UUID(taken.lane.removeprefix(WEBHOOK)), BY_RECEIVER, why)
        except WebhookNotFound:
            log.warning("gone, and never there", lane=taken.lane)
