"""Keeps webhooks: their events, how each stands, their secrets sealed. Reading order: WebhookStore, opened."""

import secrets as randomness
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from aggregates import webhook as webhooks
from aggregates.decision import Also, Decision, Decisions, Overtaken
from aggregates.sealing import Sealer
from aggregates.webhook import Event, SealedSecret, Webhook, WebhookMade, WebhookNotFound, WebhookRegistered, WebhookRotated
from aggregates.webhook_signature import ENTROPY, secret_of
from infra.delivery.addresses import Allowed, check_registration
from projections.deliveries.webhooks import kept

_event = msgspec.json.Decoder(Event)
TRIES = 5
AGAIN = timedelta(minutes=1)
"""For how long a form that is sent again is a second press of the same button."""


class WebhookStore:
    """The adapter of `api.ports.Webhooks`."""

    def __init__(self, decisions: Decisions, sealer: Sealer, allowed: Allowed, clock: Callable[[], datetime]) -> None:
        self._decisions, self._sealer, self._allowed, self._clock = decisions, sealer, allowed, clock

    async def register(
        self,
        by: str,
        url: str,
        types: tuple[str, ...],
        description: str,
        id_: UUID | None = None,
        remember: Callable[[UUID], Also] | None = None,
    ) -> WebhookMade:
        """A new webhook and, this once, its secret; an id that was given comes with one registration. `remember` goes with it; raises
        Overtaken where that is there already."""
        await check_registration(url, self._allowed)
        known, text = id_ or uuid4(), secret_of(randomness.token_bytes(ENTROPY))
        event = webhooks.register(known, self._clock(), by, url, types, self._sealed(known, text), description)
        also = [] if remember is None else [remember(known)]
        try:
            return WebhookMade(await self._record(None, event, *also), text)
        except Overtaken as error:
            if id_ is None:
                raise
            raise webhooks.NotAllowed("This webhook is registered already: its secret was shown then, and only then.") from error

    async def rotate(self, id_: UUID, by: str, grace: timedelta, seen: int | None = None) -> WebhookMade:
        """A new secret; those before it sign too for `grace`."""
        text = secret_of(randomness.token_bytes(ENTROPY))
        now = self._clock()
        changed = await self._change(id_, lambda held: webhooks.rotate(held, now, by, self._sealed(id_, text), now + grace, seen))
        return WebhookMade(changed, text)

    async def just_made(self, id_: UUID, by: str) -> SealedSecret | None:
        """The secret that the latest change of a webhook made, if it was made by the same and just now: by a press before this one."""
        decisions = await self._decisions.load(id_)
        last = _event.decode(decisions[-1].state) if decisions else None
        if isinstance(last, WebhookRegistered | WebhookRotated) and last.by == by and self._clock() - last.at <= AGAIN:
            return last.secret
        return None

    async def disable(self, id_: UUID, by: str, reason: str) -> Webhook:
        """Send nothing to it any more."""
        return await self._change(id_, lambda held: webhooks.disable(held, self._clock(), by, reason))

    async def enable(self, id_: UUID, by: str) -> Webhook:
        """Send to it again."""
        return await self._change(id_, lambda held: webhooks.enable(held, self._clock(), by))

    async def delete(self, id_: UUID, by: str) -> None:
        """Forget it."""
        await self._change(id_, lambda held: webhooks.delete(held, self._clock(), by))

    async def _change(self, id_: UUID, decide: Callable[[Webhook], Event | None]) -> Webhook:
        """Decide on how it stands now; when another decided in the meantime, on how it stands then."""
        for _ in range(TRIES):
            held = webhooks.replay(_event.decode(decision.state) for decision in await self._decisions.load(id_))
            if held is None:
                raise WebhookNotFound(f"No webhook has the id {id_}.")
            event = decide(held)
            if event is None:
                return held
            try:
                return await self._record(held, event)
            except Overtaken:
                continue
        raise webhooks.NotAllowed("Others change this webhook all the time: try again.")

    async def _record(self, held: Webhook | None, event: Event, *also: Also) -> Webhook:
        now = webhooks.evolve(held, event)
        decision = Decision(now.id, now.version, str(event.__struct_config__.tag), msgspec.json.encode(event))
        await self._decisions.record([decision], [kept(now), *also])
        return now

    def _sealed(self, id_: UUID, text: str) -> SealedSecret:
        number, sealed = self._sealer.seal(b"webhook:" + id_.bytes, text.encode(), id_.bytes)
        return SealedSecret(number, sealed)
