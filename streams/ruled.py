"""Under which rules of identity each partition of `touchpoints` stands, and which identifiers count under them.

A published rule set is a record in every partition: what stands before it is attributed under the one before, what stands after it under
the new one, live and whenever it is read again. A version that is not newer is ignored. Reading order: Ruled.under, adopt, usable.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from aggregates.identifier import Token, kind_of
from aggregates.identity import Rules, publishing
from aggregates.sealing import KeyDestroyed, open_sealed
from aggregates.wire import SealedTouchpoint, encoder, tokens
from streams.record import Connection, Keys
from streams.words import KEY

KEPT = 200_000

Changed = dict[str, tuple[Token, ...]]
"""By event id the identifiers that count, where these are others than the record names."""


class Ruled:
    """What is remembered of rules; all of it can be read again."""

    def __init__(self, built_in: Rules, keys: Keys) -> None:
        self._built_in, self._keys = built_in, keys
        self._under: dict[int, Rules] = {}
        self._judged: dict[int, dict[Token, bool]] = {}  # by version: whether a value is blocked by a pattern
        self._owners: dict[int, dict[Token, UUID]] = {}  # by version: who is known to own what

    def forget(self, partition: int) -> None:
        """What was learned in a transaction that failed does not hold."""
        self._under.pop(partition, None)
        self._owners.clear()

    def owners(self, rules: Rules) -> dict[Token, UUID]:
        """Who owns what, as far as it is remembered under these rules."""
        return self._owners.setdefault(rules.version, {})

    def disown(self) -> None:
        """Somebody was erased: what is remembered of owners no longer holds."""
        self._owners.clear()

    async def under(self, connection: Connection, partition: int) -> Rules:
        """The rules that the partition is under."""
        known = self._under.get(partition)
        if known is None:
            cursor = await connection.execute("SELECT rules::text FROM identity.rules_in_force WHERE partition = %s", (partition,))
            row = await cursor.fetchone()
            known = publishing.received(publishing.decoder.decode(row[0])) if row else self._built_in
            self._under[partition] = known
        return known

    async def adopt(self, connection: Connection, partition: int, told: publishing.Carried) -> None:
        """From here on the partition is under these rules, if they are newer."""
        rules = publishing.received(told)
        if rules.version <= (await self.under(connection, partition)).version:
            return
        await connection.execute(
            "INSERT INTO identity.rules_in_force (partition, version, rules) VALUES (%s, %s, %s) ON CONFLICT (partition)"
            " DO UPDATE SET version = excluded.version, rules = excluded.rules",
            (partition, rules.version, encoder.encode(told).decode()),
        )
        self._under[partition] = rules
        for old in {*self._owners, *self._judged} - {one.version for one in self._under.values()}:
            self._owners.pop(old, None)
            self._judged.pop(old, None)

    async def usable(
        self, connection: Connection, rules: Rules, touchpoints: Sequence[SealedTouchpoint], fired: list[str]
    ) -> Mapping[str, tuple[Token, ...]]:
        """By event id the identifiers that count, where these are others than the record names."""
        changed: Changed = {}
        patterned = {name for name, kind in rules.kinds.items() if kind.patterns}
        if patterned:
            await self._judge(connection, rules, patterned, touchpoints)
        if patterned or rules.blocked:
            judged = self._judged.get(rules.version, {})
            for one in touchpoints:
                who = tokens(one.yektawho)
                left = tuple(token for token in who if token not in rules.blocked and not judged.get(token))
                if len(left) != len(who):
                    fired += [f"blocked:{kind_of(token)}" for token in who if token not in left]
                    changed[one.yektaevent] = left
        mortal = {name: kind.days for name, kind in rules.kinds.items() if kind.days}
        if mortal:
            await self._age(connection, mortal, touchpoints, changed)
        return changed

    async def _judge(self, connection: Connection, rules: Rules, kinds: set[str], touchpoints: Sequence[SealedTouchpoint]) -> None:
        """Look at values that were not looked at before; one whose key was destroyed is not held against anybody."""
        judged = self._judged.setdefault(rules.version, {})
        if len(judged) > KEPT:
            judged.clear()
        unseen = [
            one
            for one in touchpoints
            if one.yektaseal and any(kind_of(token) in kinds and token not in judged for token in tokens(one.yektawho))
        ]
        await self._keys.fetch(connection, {one.yektaseal for one in unseen})
        for one in unseen:
            try:
                values = open_sealed(one, self._keys).identifiers
            except KeyDestroyed:
                continue
            for token, (kind, value) in zip(tokens(one.yektawho), values, strict=False):
                judged[token] = kind in kinds and rules.kinds[kind].matches(value)

    async def _age(
        self, connection: Connection, days: Mapping[str, int], touchpoints: Sequence[SealedTouchpoint], changed: Changed
    ) -> None:
        """Identifiers unseen for too long are somebody else's from now on: they go on under another name."""
        named = {token for one in touchpoints for token in tokens(one.yektawho) if kind_of(token) in days}
        cursor = await connection.execute("SELECT identifier, last, epoch FROM identity.seen WHERE identifier = ANY(%s)", (list(named),))
        seen: dict[Token, tuple[datetime, int]] = {Token(row[0]): (row[1], row[2]) for row in await cursor.fetchall()}
        before = dict(seen)
        for one in touchpoints:
            who = changed.get(one.yektaevent, tokens(one.yektawho))
            for token in who:
                if token in named:
                    last, epoch = seen.get(token, (one.time, 0))
                    old = one.time - last > timedelta(days=days[kind_of(token)])
                    if old or one.time - last > timedelta(days=1) or token not in seen:
                        seen[token] = (max(last, one.time), epoch + old)
            if any(seen[token][1] for token in who if token in named):
                changed[one.yektaevent] = tuple(aged(token, seen[token][1]) if token in named else token for token in who)
        await _remember(connection, {token: fact for token, fact in seen.items() if before.get(token) != fact})


async def _remember(connection: Connection, seen: Mapping[Token, tuple[datetime, int]]) -> None:
    if seen:
        await connection.execute(
            "INSERT INTO identity.seen AS s (identifier, last, epoch) SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::int[])"
            " ON CONFLICT (identifier) DO UPDATE SET last = GREATEST(s.last, excluded.last), epoch = GREATEST(s.epoch, excluded.epoch)",
            (list(seen), [last for last, _ in seen.values()], [epoch for _, epoch in seen.values()]),
        )


def aged(token: Token, epoch: int) -> Token:
    """The identifier as it is called since it was forgotten so many times; `projections/identity/table` calls it so too."""
    return Token(f"{token}~{epoch}") if epoch else token


def carried(touchpoint: SealedTouchpoint) -> publishing.Carried | None:
    """The rule set that Yekta's own record publishes. Raises msgspec.ValidationError."""
    if touchpoint.yektakey != KEY or touchpoint.type != publishing.PUBLISHED:
        return None
    told: publishing.Carried = publishing.decoder.decode(touchpoint.data)
    return told
