"""Where another system hears of us: the life of a webhook, as events.

It is registered, its secret rotated (the old one signs too for a grace), disabled by a person or by the receiver's 410, enabled, deleted
for good. Secrets come in sealed, times and ids as arguments. Reading order: Webhook, events, decide functions, evolve.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from uuid import UUID

import msgspec

TYPES = ("signal.fired", "signal.withdrawn", "contact.sent", "contact.held", "contact.silent")
"""What a webhook can be told. `signal.*` is all that begin so, `*` is all."""

FAMILIES = ("*", "signal.*", "contact.*")
MOST_TYPES = 20
LONGEST_URL = 2_000


class SealedSecret(msgspec.Struct, frozen=True, array_like=True):
    """A secret that only a sender can open; `until` None: as long as the webhook."""

    seal: int  # number of the data key
    sealed: bytes
    until: datetime | None = None


class WebhookRegistered(msgspec.Struct, frozen=True, tag="webhook.registered"):
    """Another system wants to hear of these types."""

    webhook: UUID
    at: datetime
    by: str
    url: str
    types: tuple[str, ...]
    secret: SealedSecret
    description: str = ""


class WebhookRotated(msgspec.Struct, frozen=True, tag="webhook.rotated"):
    """There is a new secret; those before it sign too until `grace`."""

    webhook: UUID
    at: datetime
    by: str
    secret: SealedSecret
    grace: datetime


class WebhookDisabled(msgspec.Struct, frozen=True, tag="webhook.disabled"):
    """Nothing is sent to it; what was to be sent waits."""

    webhook: UUID
    at: datetime
    by: str
    reason: str


class WebhookEnabled(msgspec.Struct, frozen=True, tag="webhook.enabled"):
    """It is sent to again."""

    webhook: UUID
    at: datetime
    by: str


class WebhookDeleted(msgspec.Struct, frozen=True, tag="webhook.deleted"):
    """It is gone for good."""

    webhook: UUID
    at: datetime
    by: str


Event = WebhookRegistered | WebhookRotated | WebhookDisabled | WebhookEnabled | WebhookDeleted


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as it stands."""

    id: UUID
    version: int
    url: str
    types: tuple[str, ...]
    description: str
    created: datetime
    by: str
    secrets: tuple[SealedSecret, ...]
    disabled: datetime | None = None
    reason: str = ""  # why it is disabled
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class WebhookMade:
    """A webhook whose secret was just made: the only moment at which it is known."""

    webhook: Webhook
    secret: str


class WebhookNotFound(Exception):
    """No webhook has this id."""


class NotAllowed(Exception):
    """The webhook is not in a state in which that can be done."""


class AddressRefused(Exception):
    """Nothing may be sent to this address; the message says why and what would allow it."""


def unknown_types(types: Iterable[str]) -> tuple[str, ...]:
    """Those of the types that nobody will ever be told of."""
    return tuple(type_ for type_ in types if type_ not in TYPES and type_ not in FAMILIES)


def wants(types: Iterable[str], type_: str) -> bool:
    """Whether who registered for these types hears of this one."""
    return any(wanted in ("*", type_) or (wanted.endswith(".*") and type_.startswith(wanted[:-1])) for wanted in types)


def register(
    webhook: UUID, at: datetime, by: str, url: str, types: tuple[str, ...], secret: SealedSecret, description: str = ""
) -> WebhookRegistered:
    """A new webhook. Without types it hears of nothing, so it names at least one."""
    if not types or unknown_types(types):
        raise NotAllowed(f"A webhook names at least one of {', '.join((*TYPES, *FAMILIES))}.")
    return WebhookRegistered(webhook, at, by, url, tuple(dict.fromkeys(types)), secret, description)


def rotate(webhook: Webhook, at: datetime, by: str, secret: SealedSecret, grace: datetime, seen: int | None = None) -> WebhookRotated:
    """Replace the secret; both sign until `grace`, for the time that the receiver needs to learn the new one.

    `seen` is the version that the one who asks has looked at: a page that is sent twice makes one secret.
    """
    _there(webhook)
    if seen is not None and webhook.version != seen:
        raise NotAllowed("The webhook changed since it was looked at: it has no new secret by this.")
    return WebhookRotated(webhook.id, at, by, secret, grace)


def disable(webhook: Webhook, at: datetime, by: str, reason: str) -> WebhookDisabled | None:
    """Send nothing to it any more; nothing is said again of one that is disabled."""
    _there(webhook)
    return None if webhook.disabled else WebhookDisabled(webhook.id, at, by, reason)


def enable(webhook: Webhook, at: datetime, by: str) -> WebhookEnabled | None:
    """Send to it again, what waited too."""
    _there(webhook)
    return WebhookEnabled(webhook.id, at, by) if webhook.disabled else None


def delete(webhook: Webhook, at: datetime, by: str) -> WebhookDeleted | None:
    """Forget it for good; once gone nothing is said again."""
    return None if webhook.deleted else WebhookDeleted(webhook.id, at, by)


def evolve(webhook: Webhook | None, event: Event) -> Webhook:
    """The webhook after the event."""
    match event:
        case WebhookRegistered():
            return Webhook(event.webhook, 1, event.url, event.types, event.description, event.at, event.by, (event.secret,))
        case _ if webhook is None:
            raise ValueError(f"{event} has nothing to change: its webhook was never registered")
        case WebhookRotated():
            before = [msgspec.structs.replace(secret, until=_earlier(secret.until, event.grace)) for secret in webhook.secrets]
            still = tuple(secret for secret in before if secret.until is None or secret.until > event.at)
            return replace(webhook, version=webhook.version + 1, secrets=(event.secret, *still))
        case WebhookDisabled():
            return replace(webhook, version=webhook.version + 1, disabled=event.at, reason=event.reason)
        case WebhookEnabled():
            return replace(webhook, version=webhook.version + 1, disabled=None, reason="")
        case WebhookDeleted():
            return replace(webhook, version=webhook.version + 1, deleted=event.at, secrets=())


def replay(events: Iterable[Event]) -> Webhook | None:
    """The webhook that its events make."""
    return reduce(evolve, events, None)


def _there(webhook: Webhook) -> None:
    if webhook.deleted is not None:
        raise NotAllowed("The webhook was deleted: register another.")


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None or other < one else one
