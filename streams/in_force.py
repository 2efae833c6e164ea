"""What is in force in one partition: its rules, ready to run, by the types they name, and the quantiles published so far.

Every partition learns it from its own log (`rule.decided`, `quantile.published`), so that a replay has the same rules at the same place.
A decision that is not newer than the one it knows changes nothing. Reading order: InForce, load, decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

import msgspec
from psycopg.types.json import Jsonb

from aggregates.declaration import Decided, decided_type
from aggregates.rules import reading
from aggregates.rules.rule import Absence, Rule, SegmentChange
from aggregates.rules.rule import Sequence as Steps
from aggregates.wire import CustomerEvent
from projections.triggers.checks import NO_QUANTILES, Quantiles
from projections.triggers.storing import Storing
from projections.triggers.trigger import CONSENT, SCORED, Trigger, trigger_of
from streams.record import Connection, Halt

RULE, SEGMENT = decided_type("rule"), decided_type("segment")
"""A rule or a segment stands differently from here on: `Decided`."""

QUANTILE = "quantile.published"
"""A quantile of all customers: `{of: value, cuts: {"90": 1200}}`."""


class Published(msgspec.Struct, frozen=True):
    """What is told of a quantile."""

    of: str
    cuts: dict[str, float]


@dataclass(frozen=True, slots=True)
class Active:
    """A version of a rule that is watched in this partition."""

    rule: Rule
    trigger: Trigger
    storing: Storing
    state: str
    since: datetime
    until: datetime | None  # another version took its place: it only ends what it has begun
    order: int = 0
    key: tuple[str, int] = field(init=False)  # name and version

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (self.rule.name, self.rule.version))

    @property
    def has_timers(self) -> bool:
        """Whether it may say something though nothing comes."""
        return self.trigger.timed

    @property
    def ending(self) -> int:
        """The roles of facts that may still end what has begun; all of them while it is in force."""
        if self.until is None:
            return -1
        match self.rule.when:
            case Steps(steps):
                opening = len(steps)
            case SegmentChange():
                opening = 2
            case Absence():
                return ~1  # the second word of an absence ends it
            case _:
                opening = 1
        return ~((1 << opening) - 1)


@dataclass(slots=True)
class InForce:
    """All of one partition."""

    known: dict[tuple[str, str, int], Decided] = field(default_factory=dict)
    rules: dict[tuple[str, int], Active] = field(default_factory=dict)
    by_type: Mapping[str, tuple[Active, ...]] = field(default_factory=dict)
    older: Mapping[tuple[str, int], tuple[Active, ...]] = field(default_factory=dict)  # versions that only end what they have begun
    quantiles: Quantiles = NO_QUANTILES
    read: frozenset[str] = frozenset()  # types of which some rule looks at what a fact says; of others it is enough that they came

    @property
    def types(self) -> frozenset[str]:
        """All types that some rule names."""
        return frozenset(self.by_type)

    def put(self, decided: Decided, since: datetime, until: datetime | None) -> None:
        """This version stands so."""
        self.known[decided.kind, decided.name, decided.version] = decided
        if decided.kind == "rule":
            if decided.state == "retired" and until is None:
                self.rules.pop((decided.name, decided.version), None)
            else:
                rule, trigger, storing = _ready(decided.text, decided.zone, decided.version)
                self.rules[rule.name, rule.version] = Active(rule, trigger, storing, decided.state, since, until)

    def settle(self) -> None:
        """Find the rules by type, and of each the versions before it."""
        in_order = sorted(self.rules.values(), key=lambda active: (active.since, active.key))
        by_type: dict[str, list[Active]] = {}
        versions: dict[str, list[Active]] = {}
        for order, active in enumerate(in_order):
            self.rules[active.key] = numbered = replace(active, order=order)
            versions.setdefault(active.rule.name, []).append(numbered)
            for type_ in active.trigger.types:
                by_type.setdefault(type_, []).append(numbered)
        self.by_type = {type_: tuple(some) for type_, some in by_type.items()}
        several = [some for some in versions.values() if len(some) > 1]
        self.older = {one.key: tuple([other for other in some if other.key < one.key]) for some in several for one in some}
        patterns = [(type_, pattern) for active in in_order for type_, some in active.trigger.roles.items() for _, pattern in some]
        self.read = frozenset({type_ for type_, pattern in patterns if pattern.where is not None or type_ in (SCORED, *CONSENT)})


async def load(connection: Connection, partition: int) -> InForce:
    """What the partition was told so far."""
    here = InForce()
    cursor = await connection.execute(
        "SELECT kind, name, version, number, state, text, zone, since, until FROM streams.in_force WHERE partition = %s", (partition,)
    )
    for kind, name, version, number, state, text, zone, since, until in await cursor.fetchall():
        here.put(Decided(kind, name, version, number, state, text, zone, since), since, until)
    cursor = await connection.execute("SELECT of, at, id, cuts FROM streams.quantiles WHERE partition = %s", (partition,))
    for of, at, id_, cuts in await cursor.fetchall():
        here.quantiles = here.quantiles.with_published(of, (at, id_, ""), _numbers(cuts))
    here.settle()
    return here


async def decided(connection: Connection, partition: int, here: InForce, event: CustomerEvent) -> Decided | None:
    """Take in what was decided; what it was, if that changed anything. Raises Halt for what this version cannot read."""
    try:
        if event.type == QUANTILE:
            await _quantile(connection, partition, here, event)
            return None
        if event.type not in (RULE, SEGMENT):
            return None
        told = msgspec.json.decode(event.data, type=Decided)
        known = here.known.get((told.kind, told.name, told.version))
        if known is not None and known.number >= told.number:
            return None
        if told.kind == "rule":
            _ready(told.text, told.zone, told.version)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Halt(f"A decision of the type {event.type} cannot be read: {error}. Start the version that wrote it.") from error
    newer = [one for (kind, name, _), one in here.known.items() if (kind, name) == (told.kind, told.name) and one.version > told.version]
    replaced = told.at if told.state == "retired" and newer else None
    if told.state in ("published", "paused"):
        for (kind, name, version), one in list(here.known.items()):
            if (kind, name) == (told.kind, told.name) and version < told.version and one.state != "retired":
                await _keep(connection, partition, here, msgspec.structs.replace(one, state="retired", number=told.number), told.at)
    await _keep(connection, partition, here, told, replaced)
    here.settle()
    return told


async def _keep(connection: Connection, partition: int, here: InForce, told: Decided, until: datetime | None) -> None:
    cursor = await connection.execute(
        "INSERT INTO streams.in_force AS f (partition, kind, name, version, number, state, text, zone, since, until)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (partition, kind, name, version)"
        " DO UPDATE SET number = excluded.number, state = excluded.state, until = excluded.until RETURNING since",
        (partition, told.kind, told.name, told.version, told.number, told.state, told.text, told.zone, told.at, until),
    )
    row = await cursor.fetchone()
    here.put(told, row[0] if row else told.at, until)


async def _quantile(connection: Connection, partition: int, here: InForce, event: CustomerEvent) -> None:
    published = msgspec.json.decode(event.data, type=Published)
    await connection.execute(
        "INSERT INTO streams.quantiles (partition, of, at, id, cuts) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (partition, published.of, event.time, event.id, Jsonb(published.cuts)),
    )
    stamp = (event.time, event.id, "")
    if all(known != stamp for known, _ in here.quantiles.published.get(published.of, ())):
        here.quantiles = here.quantiles.with_published(published.of, stamp, _numbers(published.cuts))


def _numbers(cuts: Mapping[str, float]) -> dict[float, float]:
    return {float(percentile): float(cut) for percentile, cut in cuts.items()}


@lru_cache(2_000)
def _ready(text: str, zone: str, version: int) -> tuple[Rule, Trigger, Storing]:
    """The rule of a text that was checked when it was declared, under the version it was given."""
    read = reading.read(text, zone)
    if read.problems or len(read.rules) != 1:
        raise ValueError(read.problems[0].text() if read.problems else "it is not one rule")
    rule = replace(read.rules[0], version=version)
    trigger = trigger_of(rule)
    return rule, trigger, Storing(trigger)
