"""Tells customers' histories anew, from their rows: to the view, and to the parts that keep what follows from all facts.

A history may be told in pieces, a transaction each; in between, what came of it so far is bytes. Both hear the facts in the order of
effective time, and those of one instant together. Reading order: Retold, Retelling.begin, go_on, pack, unpack.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aggregates.fact import Fact, fact_of
from aggregates.wire import CustomerEvent, customer_event_decoder
from projections.view.fold import begin, evolve, openings
from projections.view.state import State, decode, encode
from streams.parts import Folding, Past, opening_of
from streams.record import Connection, Keys

_packed = msgspec.msgpack.Decoder(dict[str, bytes])


@dataclass(frozen=True, slots=True)
class Retold:
    """What came of the facts told so far."""

    view: State
    parts: Mapping[str, Any] = field(default_factory=dict)  # by name; empty where only the view is folded anew


class Retelling:
    """`parts`: those that fold what is told."""

    def __init__(self, keys: Keys, parts: Sequence[Folding] = ()) -> None:
        self._keys, self._parts = keys, {part.name: part for part in parts}

    def begin(self, partition: int, *, whole: bool) -> Retold:
        """Nothing was told yet. `whole`: the parts are to hear it too."""
        return Retold(begin(), {name: part.begin(partition) for name, part in self._parts.items()} if whole else {})

    async def go_on(self, connection: Connection, partition: int, histories: Sequence[tuple[Retold, Sequence[bytes]]]) -> list[Retold]:
        """Tell some customers' next records."""
        decoded = [(before, [customer_event_decoder.decode(record) for record in records]) for before, records in histories]
        told = [(before, events, openings(before.view, events), self._wanted(partition, before, events)) for before, events in decoded]
        await self._keys.fetch(
            connection,
            {
                event.yektaseal
                for _, events, opens, wanted in told
                for event, opened, names in zip(events, opens, wanted, strict=True)
                if event.yektaseal > 0 and (opened or names)
            },
        )
        return [self._told(partition, *one) for one in told]

    def pack(self, retold: Retold) -> tuple[bytes, bytes]:
        """As bytes: the view, and what the parts made of it."""
        parts = {name: self._parts[name].pack(made) for name, made in retold.parts.items()}
        return encode(retold.view), msgspec.msgpack.encode(parts)

    def unpack(self, partition: int, view: bytes, parts: bytes, *, whole: bool) -> Retold | None:
        """What was packed; None where a part cannot go on from it, since other rules are in force now."""
        packed = _packed.decode(parts)
        if not whole:
            return Retold(decode(view))
        made = {name: part.unpack(partition, packed[name]) if name in packed else None for name, part in self._parts.items()}
        return None if None in made.values() else Retold(decode(view), made)

    def _wanted(self, partition: int, before: Retold, events: Sequence[CustomerEvent]) -> list[list[str]]:
        """Of each event the parts that are to hear it."""
        wants = [(name, self._parts[name].wants) for name in before.parts]
        return [[name for name, wanted in wants if wanted(partition, event)] for event in events]

    def _told(
        self, partition: int, before: Retold, events: Sequence[CustomerEvent], opens: Sequence[bool], wanted: Sequence[Sequence[str]]
    ) -> Retold:
        view = before.view
        heard: dict[str, list[Past]] = {name: [] for name in before.parts}
        for event, opened, names in zip(events, opens, wanted, strict=True):
            fact: Fact = fact_of(event)
            whole = opening_of(fact, event, self._keys) if opened or names else fact
            view = evolve(view, whole if opened else fact)
            for name in names:
                heard[name].append(Past(event, whole))
        return Retold(view, {name: self._parts[name].fold(partition, before.parts[name], some) for name, some in heard.items()})
