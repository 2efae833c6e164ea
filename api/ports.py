"""What the API needs from outside, as narrow as it can be: `infra` brings the adapters, tests bring their own.

Reading order: Secrets, Keys, Dependencies.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from aggregates.access import Key, Role
from aggregates.contact_policy.policy import Policy
from aggregates.decision import Also, Decisions
from aggregates.log import Log
from aggregates.rules.rule import Rule
from aggregates.sealing import Sealer
from aggregates.source import Source
from aggregates.webhook import SealedSecret, Webhook, WebhookMade
from api.awaiting import Awaiting
from api.changes import Changes
from api.key_ring import KeyRing
from api.limits import Limits
from api.recent import Recent
from projections.contacts.handing import Rechecks

Connection = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]


class ReachableLog(Log, Protocol):
    """A log of which one can ask whether it is there."""

    async def reachable(self) -> bool:
        """Whether a record could be published now."""
        ...

    async def ends(self, topics: Sequence[str]) -> Mapping[tuple[str, int], int]:
        """The offset after the last record of every partition of these topics. Raises NotAcknowledged."""
        ...


class Secrets(Sealer, Protocol):
    """A sealer that can also bring data keys into memory, so that what was sealed can be opened."""

    @property
    def free(self) -> int:
        """How many fresh data keys are left to seal with."""
        ...

    @property
    def can_seal(self) -> bool:
        """Whether there is any data key to seal with."""
        ...

    async def fetch(self, connection: Connection, numbers: Collection[int]) -> None:
        """Hold the data keys with these numbers."""
        ...


@dataclass(frozen=True, slots=True)
class Minted:
    """A key just made: the only moment at which its secret is known."""

    key: Key
    secret: str


class Keys(Protocol):
    """Creates and ends keys; each change is an event and is seen by every process at once."""

    async def create(
        self,
        by: str,
        *,
        source: Source | None = None,
        role: str = "",
        label: str = "",
        until: datetime | None = None,
        once: bool = False,
        id_: UUID | None = None,
    ) -> Minted:
        """Make a key for a source or a role; by an id that it is given once alone. Raises NotAllowed."""
        ...

    async def rotate(self, key: UUID, by: str, grace: timedelta) -> Minted:
        """Give the key a new secret. Raises NotAllowed, KeyNotFound."""
        ...

    async def revoke(self, key: UUID, by: str) -> None:
        """End the key. Raises KeyNotFound."""
        ...

    async def redeem(self, secret: str) -> Key:
        """Exchange a one-time token, once in all processes. Raises NotAllowed, KeyNotFound."""
        ...


class KeyNotFound(Exception):
    """No key has this id."""


class Webhooks(Protocol):
    """Registers and ends webhooks. All raise aggregates.webhook.NotAllowed, WebhookNotFound for an id that is none's."""

    async def register(
        self,
        by: str,
        url: str,
        types: tuple[str, ...],
        description: str,
        id_: UUID | None = None,
        remember: Callable[[UUID], Also] | None = None,
    ) -> WebhookMade:
        """A new webhook; by an id that it is given once alone. `remember` goes with it. Raises aggregates.webhook.AddressRefused, and
        Overtaken where what is to be remembered is there already."""
        ...

    async def rotate(self, id_: UUID, by: str, grace: timedelta, seen: int | None = None) -> WebhookMade:
        """A new secret; those before it sign too for `grace`. `seen`: the version that was looked at."""
        ...

    async def just_made(self, id_: UUID, by: str) -> SealedSecret | None:
        """The secret that the latest change of a webhook made, if it was made by the same and just now: by a press before this one."""
        ...

    async def disable(self, id_: UUID, by: str, reason: str) -> Webhook:
        """Send nothing to it any more."""
        ...

    async def enable(self, id_: UUID, by: str) -> Webhook:
        """Send to it again."""
        ...

    async def delete(self, id_: UUID, by: str) -> None:
        """Forget it."""
        ...


class Policies(Protocol):
    """Publishes the contact policy."""

    async def publish(self, by: str, text: str) -> int:
        """Put a policy in force, whose text was read and found right; its version."""
        ...


@dataclass(frozen=True, slots=True)
class Candidacy:
    """What would have become of a contact."""

    outcome: str
    channel: str | None
    at: datetime
    until: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """A signal that a rule would have given."""

    id: UUID
    rule: str
    version: int
    customer: UUID
    source: str
    cause: str
    occurred_at: datetime
    recorded_at: datetime
    late: bool
    withdrawn: bool
    candidacy: Candidacy | None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of a dry run."""

    events: int  # in the range, of types that matter
    signals: tuple[Said, ...]


class Rehearsals(Protocol):
    """Runs rules over what happened, without any effect."""

    async def rehearse(
        self, rules: Sequence[Rule], policy: Policy | None, since: datetime, until: datetime, reached: Callable[[float], None]
    ) -> Rehearsed:
        """What these rules would have said between two times, by this policy or the one in force; `reached` hears the
        share that is done."""
        ...


class Appended(NamedTuple):
    """A record that was just appended to a topic."""

    topic: str
    value: bytes
    headers: Sequence[tuple[str, bytes | None]]


Following = Callable[[], Awaitable[list[Appended]]]
"""What was appended since it was asked last; an empty list after a second without."""

Wordless = Callable[[str, Sequence[str]], Sequence[str]]
"""(contact, channels that are preferred) -> those channels by which its customer would read no more than its name."""

Follow = Callable[[Sequence[str]], AbstractAsyncContextManager[Following]]
"""Follows topics from this moment on, for as long as the context lasts. Raises NotAcknowledged."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who an identity provider says somebody is, and what he may do here; None: nothing."""

    subject: str
    name: str
    role: Role | None


class NotLetIn(Exception):
    """The identity provider is away, or does not let somebody in. The message says why, for operators."""


class Provider(Protocol):
    """An OpenID Connect provider."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def leave(self, redirect: str, state: str, nonce: str, challenge: str) -> str:
        """The address at the provider to which a browser is sent. Raises NotLetIn."""
        ...

    async def arrive(self, redirect: str, code: str, verifier: str, nonce: str) -> Person:
        """Who came back with this code. Raises NotLetIn."""
        ...


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics that the API writes to or tells of, prefix included."""

    inbox: str
    touchpoints: str
    customer_events: str
    dead_letters: str
    scores: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Everything the API is made of; `infra.serving` makes one, the tests another."""

    log: ReachableLog
    topics: Topics
    secrets: Secrets
    ring: KeyRing
    keys: Keys
    decisions: Decisions
    pool: Pool
    by_key: Pool  # for statements that ask by a key alone: their plans do for every key
    changes: Changes
    awaiting: Awaiting
    schema: Callable[[], Awaitable[str]]  # the read schema that is live now
    clock: Callable[[], datetime]
    zone: str
    follow: Follow
    rehearsals: Rehearsals
    webhooks: Webhooks
    policies: Policies
    rechecks: Rechecks
    signalled: Changes  # signals were given
    wordless: Wordless
    unsound: Callable[[bytes, bytes, bytes, str], str]  # why a snapshot of a churn model is not loaded; empty where it is
    kafka: str = "localhost:9092"  # where producers find the inbox
    provider: Provider | None = None  # None: people sign in with tokens alone
    recent: Recent = field(default_factory=Recent)
    limits: Limits = field(default_factory=Limits)
