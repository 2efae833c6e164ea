"""Says whose each touchpoint is: reads `touchpoints`, writes identity and one receipt each, publishes `customer-events`.

The receipt answers every duplicate, whenever and in whatever partition it is met again: the same body changes nothing and says nothing,
another body under the same id is a dead letter. Most touchpoints name identifiers that one customer owns; they change nothing and take no
lock. The others take the one identity lock, re-read and decide. Reading order: Resolve.apply, _under_one_rule, _attribute,
_receipts; which rules those are is in `ruled`.

No batch attributes anything to a customer while he is erased: each holds `ERASING` shared, the one with the decision alone. What a door had
received before the erasure and comes only now is the erased customer's (`_stragglers`), and so is it when he comes back as somebody new.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from aggregates.identifier import Token
from aggregates.identity import Attribution, Erase, Knowledge, Rules, Said, attribute, decide, settled, strongest
from aggregates.identity import decisions as deciding
from aggregates.identity.publishing import Carried
from aggregates.refusal import REUSED
from aggregates.sealing import KeyDestroyed, open_sealed, whole_data
from aggregates.touchpoint import derive
from aggregates.wire import CustomerEvent, Identity, SealedTouchpoint, encoder, identity_decoder, tokens, touchpoint_decoder
from projections.contacts import responses
from projections.contacts.naming import Name, name_in
from projections.erasure import table as erasure
from projections.erasure.table import Gone
from projections.identity import knowing
from projections.identity.knowing import Change
from projections.rows import Cursor, texts
from streams.record import Batch, Bury, Connection, Effect, Keys, NoChores, Publication, Record, check
from streams.ruled import Ruled, carried
from streams.words import ERASED, KEY, MOVED, word

OWNERS = 500_000
LOCK = 0x59454B54  # "YEKT": the advisory lock of all who change identity
ERASING = 0x45524153  # "ERAS": held shared by every batch, and alone by one that erases


class Overtaken(psycopg.OperationalError):
    """Another partition answered an event while this one made up what it changes: once more, from the answer."""


class Receipt(msgspec.Struct, frozen=True):
    """What became of a touchpoint; a row of `identity.receipts`."""

    event_id: str
    body: str
    customer_id: str | None
    decider: str
    identity: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Pending:
    """A touchpoint of the batch with its place and its tokens."""

    record: Record
    touchpoint: SealedTouchpoint
    who: tuple[Token, ...]
    decision: Said | None = None  # a person's word about who is who: it is nobody's event
    rules: Carried | None = None  # a rule set: what stands after it in the partition is attributed under it

    @property
    def offset(self) -> int:
        """Its place in the partition."""
        return self.record.offset


class Resolve(NoChores):
    """The processor. Its cache of owners may be behind another worker's moves: the customer step forwards what that sends astray."""

    name = "resolve"
    topic = "touchpoints"
    durable_outbox = False

    def __init__(self, rules: Rules, keys: Keys) -> None:
        self._keys, self._ruled = keys, Ruled(rules, keys)
        self._learned: dict[int, tuple[Rules, dict[Token, UUID], int]] = {}
        self._erasure = 0  # as of which what is remembered of owners holds
        self._gone: dict[Token, Gone] = {}

    def forget(self, partition: int) -> None:
        """Identity is of all partitions: drop everything."""
        self._ruled.forget(partition)
        self._learned.pop(partition, None)
        self._erasure = -1

    def committed(self, batch: Batch) -> None:
        if batch.partition in self._learned:
            rules, learned, as_of = self._learned.pop(batch.partition)
            if as_of != self._erasure:
                return  # somebody was erased between the commit and now
            owners = self._ruled.owners(rules)
            if len(owners) > OWNERS:
                owners.clear()
            owners.update(learned)

    async def apply(self, connection: Connection, batch: Batch) -> list[Effect]:
        pending, buried = _decode(batch.records)
        alone = any(isinstance(item.decision, Erase) for item in pending)
        async with connection.pipeline():
            await connection.execute(f"SELECT pg_advisory_xact_lock{'' if alone else '_shared'}(%s)", (ERASING,))
            latest = await erasure.latest(connection)
        final: dict[str, Receipt] = {}
        for nth, some in enumerate(_in_turn(pending)):
            await self._remember_erasures(connection, await erasure.latest(connection) if nth else latest)
            final |= await self._under_one_rule(connection, batch.partition, some)
            if told := some[-1].rules:
                await self._ruled.adopt(connection, batch.partition, told)
        reused = [item for item in pending if final[item.touchpoint.yektaevent].body != item.touchpoint.yektabody]
        if reused:
            await self._keys.fetch(connection, {item.touchpoint.yektaseal for item in reused})
            buried += [_reused(item, self._keys) for item in reused]
        first: list[Pending] = []
        again: list[Pending] = []
        for item in pending:
            receipt = final[item.touchpoint.yektaevent]
            (first if receipt.offset == item.offset and receipt.partition == batch.partition else again).append(item)
        if again:
            await _note_copies(connection, again)
        return [*buried, *_publications(first, final)]

    async def _remember_erasures(self, connection: Connection, latest: Cursor) -> None:
        """Owners that were remembered before the last erasure may be nobody now."""
        row = await latest.fetchone()
        if row is not None and row[0] != self._erasure:
            self._ruled.disown()
            self._gone = await erasure.gone(connection)
            self._erasure = int(row[0])

    def _stragglers(self, pending: Sequence[Pending], rules: Rules, decided: dict[str, Receipt], partition: int) -> list[Pending]:
        """What was received before an erasure goes with it when its strongest identifier did; of others what was erased is left out."""
        left = []
        for item in pending:
            gone = {token for token in item.who if (one := self._gone.get(token)) and item.touchpoint.yektarecorded < one.at}
            if not gone or item.decision is not None:
                left.append(item)
            elif (first := strongest(item.who, rules)) in gone:
                straggler = Attribution(self._gone[first].customer, first, Identity())
                decided.setdefault(item.touchpoint.yektaevent, _receipt(item, partition, straggler))
            else:
                left.append(replace(item, who=tuple(token for token in item.who if token not in gone)))
        return left

    async def _under_one_rule(self, connection: Connection, partition: int, pending: Sequence[Pending]) -> dict[str, Receipt]:
        """Answer these touchpoints, the last of which may publish the rules of those after it, or erase somebody."""
        rules = await self._ruled.under(connection, partition)
        fired: list[str] = []
        last = pending[-1].touchpoint.yektarecorded
        usable = await self._ruled.usable(connection, rules, [item.touchpoint for item in pending], fired)
        if usable:
            pending = [replace(item, who=usable.get(item.touchpoint.yektaevent, item.who)) for item in pending]
        pending = await _by_contact(connection, pending, rules)
        learned: dict[Token, UUID] = {}
        self._learned[partition] = rules, learned, self._erasure
        owners = self._ruled.owners(rules)
        decided: dict[str, Receipt] = {}
        if self._gone:
            pending = self._stragglers(pending, rules, decided, partition)
        await _look_up(connection, pending, owners, learned)
        unsettled: list[Pending] = []
        for item in {item.touchpoint.yektaevent: item for item in reversed(pending)}.values():  # of duplicates the first counts
            attribution = None if item.decision else settled(lambda token: learned.get(token) or owners.get(token), item.who, rules)
            if attribution is None:
                unsettled.append(item)
            else:
                decided[item.touchpoint.yektaevent] = _receipt(item, partition, attribution)
        unsettled.sort(key=lambda item: item.offset)
        changes: list[Change] = []
        known = Knowledge()
        if unsettled:
            known, changes = await self._attribute(connection, rules, unsettled, partition, decided, learned, fired)
        async with connection.pipeline():  # under the identity lock others wait for each way to the server
            if changes:
                await knowing.write(connection, known, changes)
            if fired:
                await knowing.count(connection, partition, fired, last)
            inserted = await _insert(connection, decided) if decided else None
        stored = await _others(connection, decided, inserted) if inserted else {}
        if any(str(change.event) in stored for change in changes):
            raise Overtaken
        return decided | stored

    async def _attribute(
        self,
        connection: Connection,
        rules: Rules,
        unsettled: Sequence[Pending],
        partition: int,
        decided: dict[str, Receipt],
        learned: dict[Token, UUID],
        fired: list[str],
    ) -> tuple[Knowledge, list[Change]]:
        """Attribute, under the identity lock, what founds, links or moves; what is known then, and what changed, is to be written down."""
        wanted = {token for item in unsettled for token in item.who}
        named = {token for item in unsettled if item.decision for token in item.decision.tokens}
        async with connection.pipeline():
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            begun = await knowing.begin(connection, wanted, named)
            existing = await _existing(connection, [item.touchpoint.yektaevent for item in unsettled])
        erased = {item.decision.customer for item in unsettled if isinstance(item.decision, Erase)}
        known = await knowing.knowledge(connection, begun, wanted, named, erased)
        answered = await _by_event(existing)
        changes: list[Change] = []
        for item in unsettled:
            event = UUID(item.touchpoint.yektaevent)
            if str(event) in answered:
                decided[str(event)] = answered[str(event)]
                continue
            attribution, change = _decide(known, event, item, rules)
            fired += attribution.fired
            if change is not None:
                if isinstance(item.decision, Erase):
                    change = change._replace(why=await self._why(connection, item))
                known.learn(change.customer, change.change)
                changes.append(change)
            decided[str(event)] = _receipt(item, partition, attribution)
        learned.update({token: known.owners[token] for item in unsettled for token in item.who if token in known.owners})
        learned.update({link.token: known.owners[link.token] for change in changes for link in change.change.links if link.owner})
        return known, changes

    async def _why(self, connection: Connection, item: Pending) -> str:
        """Why somebody is erased, as it was said."""
        await self._keys.fetch(connection, [item.touchpoint.yektaseal])
        try:
            return str(open_sealed(item.touchpoint, self._keys).personal.get("reason", ""))
        except KeyDestroyed:
            return ""


async def _by_contact(connection: Connection, pending: Sequence[Pending], rules: Rules) -> Sequence[Pending]:
    """Who answers a contact, and does not say who he is, is whom it was made to: it goes by his strongest identifier."""
    asked: dict[str, Name] = {}
    for item in pending:
        unnamed = item.touchpoint.type in responses.NAMING and not item.touchpoint.yektawho
        if unnamed and (name := name_in(msgspec.json.decode(item.touchpoint.data))):
            asked[item.touchpoint.yektaevent] = name
    if not asked:
        return pending
    known = await responses.identifiers(connection, set(asked.values()))
    who = {event: (strongest(known[name], rules),) for event, name in asked.items() if known.get(name)}
    return [replace(item, who=who.get(item.touchpoint.yektaevent, item.who)) for item in pending]


def _in_turn(pending: Sequence[Pending]) -> Iterable[Sequence[Pending]]:
    """The touchpoints in pieces: rules hold for what stands after them, and an erasure is decided on what stands before it."""
    begin = 0
    for number, item in enumerate(pending):
        if isinstance(item.decision, Erase) and begin < number:
            yield pending[begin:number]
            begin = number
        if item.rules is not None or isinstance(item.decision, Erase):
            yield pending[begin : number + 1]
            begin = number + 1
    if begin < len(pending):
        yield pending[begin:]


async def _note_copies(connection: Connection, again: Sequence[Pending]) -> None:
    """Of events that were sent again: with which keys they were sealed this time. Whoever erases them destroys those too."""
    copies = {(item.touchpoint.yektaevent, item.touchpoint.yektaseal) for item in again if item.touchpoint.yektaseal > 0}
    if copies:
        events, numbers = zip(*copies, strict=True)
        await connection.execute(
            "INSERT INTO secrets.copies (event_id, number) SELECT * FROM unnest(%s::uuid[], %s::bigint[]) ON CONFLICT DO NOTHING",
            (list(events), list(numbers)),
        )
        await erasure.doom_copies(connection, events)


async def _look_up(connection: Connection, pending: Sequence[Pending], owners: dict[Token, UUID], learned: dict[Token, UUID]) -> None:
    missing = {token for item in pending for token in item.who if token not in owners}
    if missing:
        cursor = await connection.execute(
            "SELECT identifier, customer_id FROM identity.identifiers WHERE identifier = ANY(%s::text[])", (texts(missing),)
        )
        learned.update(await cursor.fetchall())


def _decide(known: Knowledge, event: UUID, item: Pending, rules: Rules) -> tuple[Attribution, Change | None]:
    """Whose it is, and what that changes."""
    recorded = item.touchpoint.yektarecorded
    if item.decision is not None:
        made = decide(known, event, item.decision)
        return Attribution(None, None, made), Change(event, derive("customer", str(event)), made, recorded, item.decision)
    attribution = attribute(known, event, item.who, rules)
    if attribution.customer is None or attribution.change == Identity():
        return attribution, None
    return attribution, Change(event, attribution.customer, attribution.change, recorded)


def _decode(records: Sequence[Record]) -> tuple[list[Pending], list[Bury]]:
    pending, buried = [], []
    for record in records:
        try:
            touchpoint = touchpoint_decoder.decode(record.value or b"")
            check(touchpoint.yektaevent, touchpoint.data)
            decision, rules = _decision(touchpoint), carried(touchpoint)
        except msgspec.MsgspecError as bad:
            buried.append(Bury(record, "not_a_touchpoint", str(bad)))
        else:
            pending.append(Pending(record, touchpoint, tokens(touchpoint.yektawho), decision, rules))
    return pending, buried


def _decision(touchpoint: SealedTouchpoint) -> Said | None:
    """A person's word about who is who; a channel's event may have such a type too, and is an event like any other."""
    if touchpoint.yektakey != KEY or touchpoint.type not in deciding.TYPES.values():
        return None
    decided: Said = deciding.decoder.decode(touchpoint.data)
    return decided


def _reused(item: Pending, keys: Keys) -> Bury:
    """The second event under an id, as its sender wrote it."""
    touchpoint = item.touchpoint
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": touchpoint.id,
        "source": touchpoint.source,
        "type": touchpoint.type,
        "time": touchpoint.time,
    }
    try:
        event["data"] = whole_data(touchpoint, open_sealed(touchpoint, keys))
    except KeyDestroyed:
        event["data"] = touchpoint.data
    return Bury(
        item.record,
        REUSED.reason,
        REUSED.detail,
        REUSED.pointer,
        REUSED.mend,
        touchpoint.yektakey,
        encoder.encode(event),
        "application/cloudevents+json",
        UUID(touchpoint.yektaevent),
    )


def _receipt(item: Pending, partition: int, attribution: Attribution) -> Receipt:
    change = attribution.change
    return Receipt(
        item.touchpoint.yektaevent,
        item.touchpoint.yektabody,
        str(attribution.customer) if attribution.customer else None,
        attribution.decider or "",
        encoder.encode(change).decode() if change != Identity() else "",
        partition,
        item.offset,
    )


async def _existing(connection: Connection, events: Collection[str]) -> Cursor:
    return await connection.execute(
        'SELECT event_id::text, body, customer_id::text, decider, identity, partition, "offset" FROM identity.receipts'
        " WHERE event_id = ANY(%s::uuid[])",
        (texts(events),),
    )


async def _by_event(receipts: Cursor) -> dict[str, Receipt]:
    return {row[0]: Receipt(*row) for row in await receipts.fetchall()}


async def _insert(connection: Connection, decided: Mapping[str, Receipt]) -> Cursor:
    """Insert the receipts of what is new."""
    return await connection.execute(
        'INSERT INTO identity.receipts (event_id, body, customer_id, decider, identity, partition, "offset")'
        ' SELECT event_id, body, customer_id, decider, identity, partition, "offset" FROM json_to_recordset(%s::json)'
        ' AS r(event_id uuid, body text, customer_id uuid, decider text, identity text, partition smallint, "offset" bigint)'
        " ORDER BY event_id ON CONFLICT DO NOTHING RETURNING event_id::text",
        (encoder.encode(list(decided.values())).decode(),),
    )


async def _others(connection: Connection, decided: Mapping[str, Receipt], inserted: Cursor) -> dict[str, Receipt]:
    """Of what was not new, the receipts that stand."""
    new = {row[0] for row in await inserted.fetchall()}
    old = [event for event in decided if event not in new]
    return await _by_event(await _existing(connection, old)) if old else {}


def _publications(pending: Sequence[Pending], receipts: dict[str, Receipt]) -> Iterable[Effect]:
    """What is published for each touchpoint: the event under its customer, and word to every customer that lost identifiers by it.

    Only the record that has the receipt is published, as often as it is read. A retry was received at another time and sealed with other
    keys: were it published too, two records that differ would be one event, and which of them counts would depend on the order in which
    partitions are read. Whoever reads the partition of the first record publishes that one, before its position passes it.
    """
    for item in pending:
        touchpoint = item.touchpoint
        receipt = receipts[touchpoint.yektaevent]
        customer = receipt.customer_id or ""
        yield Publication(
            "customer-events", (customer or touchpoint.yektaevent).encode(), encoder.encode(_attributed(touchpoint, customer, receipt))
        )
        if receipt.identity:
            yield from _word_to_losers(touchpoint, identity_decoder.decode(receipt.identity))


def _attributed(touchpoint: SealedTouchpoint, customer: str, receipt: Receipt) -> CustomerEvent:
    return CustomerEvent(
        specversion="1.0",
        id=touchpoint.id,
        source=touchpoint.source,
        type=touchpoint.type,
        time=touchpoint.time,
        yektaevent=touchpoint.yektaevent,
        yektakey=touchpoint.yektakey,
        yektarecorded=touchpoint.yektarecorded,
        yektaseal=touchpoint.yektaseal,
        data=touchpoint.data,
        subject=customer,
        yektadecider=receipt.decider,
        yektaidentity=receipt.identity,
        yektasealed=touchpoint.yektasealed,
        yektawho=touchpoint.yektawho,
        yektaversion=touchpoint.yektaversion,
        yektasimulated=touchpoint.yektasimulated,
        yektabackfill=touchpoint.yektabackfill,
        yektaclock=touchpoint.yektaclock,
        datacontenttype=touchpoint.datacontenttype,
    )


def _word_to_losers(touchpoint: SealedTouchpoint, change: Identity) -> Iterable[Publication]:
    for loser, owner in {link.before: link.owner for link in change.links if link.before}.items():
        yield word(MOVED if owner else ERASED, loser, touchpoint.yektaevent, touchpoint.yektarecorded)
