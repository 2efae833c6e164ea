"""Dry runs: what rules and a policy would have said and done over a range of the live timeline, with the code of `yekta evaluate rules`.

Effects are values in memory here: nothing is written, nothing can be sent. The rows come in the order in which they were received (those
of sources that replay their own time by that time), each under the customer whose it is today. Reading order: Rehearsing, `_Run`.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from aggregates.contact_policy.policy import Policy
from aggregates.rules.rule import Contact, Rule
from aggregates.wire import CustomerEvent, customer_event_decoder
from api.ports import Candidacy, Rehearsed, Said
from infra import rehearsed_values
from infra.evaluation.rules.run import QUANTILES, Evaluation
from infra.rehearsed_values import Values
from infra.sealing import KeyRing, MasterKey
from projections import generation
from projections.contacts import fold as contacts
from projections.contacts import policies
from projections.timeline.row import EVENT_CLOCK
from projections.value import table as valued
from projections.value.fold import WEIGHED
from projections.value.given import SCORE as VALUE
from streams.parts import opened

LOOKBACK = timedelta(days=400)
"""How far before the range facts are read, which windows that reach into it may count. What lasts is read from the beginning: a consent
that was given two years ago allows what it says."""

PIECE = 1_000
"""Rows at a time: what is fetched holds up the loop, in which others are answered."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the timeline, opened."""

    customer: UUID
    heard: datetime
    event: CustomerEvent


class Rehearsing:
    """The adapter of `api.ports.Rehearsals`. One at a time in a process: it takes all of a core."""

    def __init__(self, dsn: str, master: MasterKey) -> None:
        self._dsn, self._master = dsn, master
        self._turn = asyncio.Lock()

    async def rehearse(
        self, rules: Sequence[Rule], policy: Policy | None, since: datetime, until: datetime, reached: Callable[[float], None]
    ) -> Rehearsed:
        """Run it beside the loop."""
        async with self._turn, await psycopg.AsyncConnection.connect(self._dsn, application_name="yekta-dry-run") as connection:
            await connection.set_read_only(True)
            in_force = policy or (await policies.in_force(connection))[1]
            evaluation = Evaluation(rules, in_force, await policies.salt(connection))
            published = await _quantiles(connection)
            for of, at, id_, cuts in published:
                evaluation.publish(of, (at, id_, ""), {float(place): float(cut) for place, cut in cuts.items()})
            types = {type_ for trigger in evaluation.triggers for type_ in trigger.types} - {QUANTILES}
            values = None
            if rehearsed_values.wanted(evaluation.triggers):
                given = min((at for of, at, _, _ in published if of == VALUE), default=None)
                values = Values(terms := await valued.terms(connection), given)
                evaluation.publish(VALUE, (since - LOOKBACK, "", ""), await rehearsed_values.cuts(connection, terms, until))
                types |= WEIGHED
            lasting = frozenset[str]()
            if any(isinstance(rule.do, Contact) for rule in rules):
                types |= contacts.TYPES
                lasting = contacts.LASTING
            ran = _Run(evaluation, KeyRing(self._master), values, since)
            done = 0
            asked = {"types": list(types), "lasting": list(lasting), "from": since - LOOKBACK, "to": until, "clock": EVENT_CLOCK}
            rows_of = await _rows(connection)
            ((all_,),) = await (await connection.execute(f"SELECT count(*) {rows_of}", asked)).fetchall()
            async with connection.cursor(name="dry_run", binary=True) as cursor:
                await cursor.execute(f"SELECT customer_id, heard, record {rows_of} ORDER BY heard, log_partition, log_offset", asked)
                while rows := await cursor.fetchmany(PIECE):
                    events = await asyncio.to_thread(_read, rows)
                    await ran.keys.fetch(connection, {row.event.yektaseal for row in events if row.event.yektaseal > 0})
                    await asyncio.to_thread(ran.tell, events)
                    done += len(events)
                    reached(done / all_)
        return await asyncio.to_thread(ran.end, until)


class _Run:
    """What one dry run holds, which is used beside the loop alone."""

    def __init__(self, evaluation: Evaluation, keys: KeyRing, values: Values | None, since: datetime) -> None:
        self.keys = keys
        self._evaluation, self._values, self._since = evaluation, values, since
        self._count = 0

    def tell(self, rows: Sequence[_Row]) -> None:
        """The next rows."""
        for row in rows:
            fact = opened(row.event, self.keys)
            self._evaluation.tell(row.customer, row.heard, fact)
            for score in self._values.heard(row.customer, row.heard, fact) if self._values else ():
                self._evaluation.tell(row.customer, row.heard, score)
        self._count += sum(self._since <= row.heard for row in rows)

    def end(self, until: datetime) -> Rehearsed:
        """Let happen what is due until then; what came of all, and nothing is held any more."""
        self._evaluation.end(until)
        told = Rehearsed(self._count, tuple(_said(self._evaluation, self._since)))
        self._evaluation.let_go()
        if self._values:
            self._values.let_go()
        return told


def _read(rows: Sequence[tuple[UUID, datetime, bytes]]) -> list[_Row]:
    return [_Row(customer, heard, customer_event_decoder.decode(record)) for customer, heard, record in rows]


async def _rows(connection: psycopg.AsyncConnection[Any]) -> str:
    """The rows of a range, as a query has them after what it selects."""
    schema = await generation.live(connection)
    return (
        f"FROM (SELECT customer_id, log_partition, log_offset, record, type,"
        f" CASE WHEN flags & %(clock)s > 0 THEN at ELSE recorded END AS heard FROM {schema}.timeline"
        " WHERE type = ANY(%(types)s) AND customer_id <> '00000000-0000-0000-0000-000000000000') t"
        " WHERE (heard >= %(from)s OR type = ANY(%(lasting)s)) AND heard < %(to)s"
    )


async def _quantiles(connection: psycopg.AsyncConnection[Any]) -> list[tuple[str, datetime, str, dict[str, float]]]:
    cursor = await connection.execute("SELECT DISTINCT ON (of, at, id) of, at, id, cuts FROM streams.quantiles ORDER BY of, at, id")
    return await cursor.fetchall()


def _said(evaluation: Evaluation, since: datetime) -> Iterator[Said]:
    for id_, (signal, person) in evaluation.signals.items():
        if signal.recorded_at < since:
            continue
        outcome = evaluation.outcomes.get(id_)
        candidacy = None
        if outcome is not None:
            candidacy = Candidacy(outcome.result, outcome.channel or None, outcome.at, outcome.until, outcome.reason or None)
        yield Said(
            id_,
            signal.rule,
            signal.version,
            person.present.id,
            signal.source,
            signal.cause,
            signal.occurred_at,
            signal.recorded_at,
            signal.late,
            id_ in evaluation.withdrawn,
            candidacy,
        )
