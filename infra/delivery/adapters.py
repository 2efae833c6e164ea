"""Brings one delivery to one kind of receiver. Reading order: WebhookAdapter; e-mail and SMS are modules of their own."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from aggregates.sealing import KeyDestroyed
from aggregates.webhook_signature import headers
from infra.delivery.http import Answer, Http
from projections.deliveries import webhooks
from projections.deliveries.table import WEBHOOK, Taken
from streams.record import Connection, Keys
from streams.sending import Attempt

GONE = 410
ASKS_FOR_TIME = (429, 503)


class WebhookAdapter:
    """Posts to a webhook as Standard Webhooks has it."""

    def __init__(self, pool: AsyncConnectionPool[Connection], keys: Keys, http: Http, clock: Callable[[], datetime]) -> None:
        self._pool, self._keys, self._http, self._clock = pool, keys, http, clock

    async def __call__(self, taken: Taken) -> Attempt:
        async with self._pool.connection() as connection:
            id_ = UUID(taken.lane.removeprefix(WEBHOOK))
            webhook = await webhooks.one(connection, id_)
            if webhook is None:
                return Attempt("failed", error="the webhook was deleted")
            now = self._clock()
            held = [secret for secret in webhook.secrets if secret.until is None or secret.until > now]
            await self._keys.fetch(connection, [secret.seal for secret in held])
        try:
            secrets = [self._keys.unseal(secret.seal, secret.sealed, webhook.id.bytes).decode() for secret in held]
        except KeyDestroyed:
            return Attempt("failed", error="its secret was erased: register it anew")
        signed = headers(secrets, str(taken.message), int(now.timestamp()), taken.body)
        answer = await self._http.send("POST", webhook.url, {"content-type": "application/json", **signed}, taken.body, now=now)
        return of_answer(answer)


def of_answer(answer: Answer) -> Attempt:
    """What an answer means: 2xx is success, 410 the end, 429 and 503 may ask for time, anything else is tried again."""
    if answer.succeeded:
        return Attempt("sent", answer.status)
    if answer.status == GONE:
        return Attempt("gone", answer.status, "the receiver answered 410: it is gone")
    after = answer.retry_after if answer.status in ASKS_FOR_TIME else None
    return Attempt("again", answer.status, answer.error, after)
