"""The SQL of examples: in as they are told, out as days close and labels become known; and what labels are told by.

Only the learner writes here. Reading order: Row, remember, witness, unsaid, unlabelled, evidence, write_back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from msgspec import msgpack

from projections.churn.anchors import Anchors
from projections.churn.features import Features
from projections.churn.messages import Told
from projections.rows import Connection, stage, uuids, write

_features = msgpack.Decoder(dict[str, float])

Place = tuple[int, bool]
"""Definition, and whether the time is that of replayed sources: each has days of its own."""


@dataclass(slots=True)
class Row:
    """An example on its way."""

    day: int
    silent: bool
    customer: UUID
    decider: str
    features: Features
    anchors: Anchors
    given: float
    snapshot: int
    logit: float | None = None
    remembered: bytes | None = None
    lost: bool | None = None


class Evidence(NamedTuple):
    """What labels of a customer are told by."""

    returns: tuple[int, ...]
    losses: tuple[int, ...]
    ends: float | None


NOTHING = Evidence((), (), None)


@dataclass(slots=True)
class _Told:
    """What was told of it at once."""

    returns: set[int]
    losses: set[int]
    whole: bool  # it is all there is
    ends: float | None = None
    floor: int = -1


_Key = tuple[int, bool, int, bool, str]
_Said = tuple[str, bytes, list[float], float, int]

_OWNER = (  # whose an example is now: as `owners` says
    "COALESCE((SELECT i.customer_id FROM identity.identifiers i, identity.moved l"
    " WHERE i.identifier = e.decider AND l.customer_id = e.customer_id), e.customer_id)"
)

_COLUMNS = ("definition", "replayed", "day", "silent", "customer_id", "decider", "features", "anchors", "given", "snapshot")
_TYPES = ("int2", "bool", "int4", "bool", "uuid", "text", "bytea", "float8[]", "float8", "int8")
_STAGE = ", ".join(f"{column} {type_}" for column, type_ in zip(_COLUMNS, _TYPES, strict=True))
_ALL = ", ".join(_COLUMNS)
_BACK = ("definition", "replayed", "day", "silent", "customer_id", "logit", "remembered", "lost")
_BACK_TYPES = ("int2", "bool", "int4", "bool", "uuid", "float8", "bytea", "bool")
_BACK_STAGE = ", ".join(f"{column} {type_}" for column, type_ in zip(_BACK, _BACK_TYPES, strict=True))
_READ = "day, silent, customer_id, decider, features, anchors, given, snapshot, logit, remembered, lost"


async def remember(connection: Connection, told: Iterable[Told], known: Mapping[Place, int]) -> dict[Place, int]:
    """Keep what was said. Of a customer's day the last word counts, until the day has closed; what is too late for its label is let go.

    `known` says for each place the first example day whose label is not yet known. Answers the first day of each that has something.
    """
    told = list(told)
    rows: dict[_Key, _Said] = {}
    of: dict[tuple[int, str], set[_Key]] = {}  # the rows of each customer: many are said again at once
    voided: list[tuple[UUID, int, int, bool]] = []
    spared: dict[_Key, None] = {}  # of the rows those told again by who voids: what was said of them already stands
    for one in told:
        for since, silent in ((one.void, True), (one.left, False)):
            if since is not None:
                voided.append((UUID(one.customer), one.definition, since, silent))
                his = of.get((one.definition, one.customer), set())
                for key in [key for key in his if key[2] >= since and (key[3] or not silent)]:
                    his.remove(key)
                    del rows[key]
                    spared.pop(key, None)
        for said in one.examples:
            if said.day >= known.get((one.definition, one.replayed), -1):
                key = (one.definition, one.replayed, said.day, said.silent, one.customer)
                rows[key] = (said.decider or one.decider, msgpack.encode(said.features), list(said.anchors), said.given, said.snapshot)
                of.setdefault((one.definition, one.customer), set()).add(key)
                if one.void is not None or one.left is not None:
                    spared[key] = None
    if voided:
        again = [(UUID(customer), *place) for *place, customer in spared]
        columns = [*zip(*voided, strict=True), *(zip(*again, strict=True) if again else [()] * 5)]
        await connection.execute(
            "DELETE FROM churn.examples e USING unnest(%s::uuid[], %s::int2[], %s::int4[], %s::bool[])"
            " AS v(customer_id, definition, day, silent) WHERE e.customer_id = v.customer_id AND e.definition = v.definition"
            f" AND (e.silent OR NOT v.silent) AND e.day >= v.day AND e.lost IS NULL AND {_OWNER} = v.customer_id"
            " AND (e.customer_id, e.definition, e.replayed, e.day, e.silent) NOT IN"
            " (SELECT * FROM unnest(%s::uuid[], %s::int2[], %s::bool[], %s::int4[], %s::bool[]))",
            [list(column) for column in columns],
        )
    first: dict[Place, int] = {}
    for definition, replayed, day, _, _ in rows:
        first[definition, replayed] = min(day, first.get((definition, replayed), day))
    await _insert(connection, rows)
    if anew := [(UUID(one.customer), one.definition, one.left) for one in told if one.left is not None and one.whole]:
        await connection.execute(  # what was said of his under customers whose identifiers he has now
            "DELETE FROM churn.examples e USING unnest(%s::uuid[], %s::int2[], %s::int4[]) AS v(customer_id, definition, day),"
            " identity.moves m WHERE m.owner = v.customer_id AND e.customer_id = m.before AND e.customer_id <> v.customer_id"
            f" AND e.definition = v.definition AND e.day >= v.day AND e.lost IS NULL AND {_OWNER} = v.customer_id",
            [list(column) for column in zip(*anew, strict=True)],
        )
    return first


async def _insert(connection: Connection, rows: Mapping[_Key, _Said]) -> None:
    """Of what was said already nothing changes."""
    if not rows:
        return
    await stage(connection, "examples_stage", _STAGE)
    async with connection.cursor() as cursor:
        async with cursor.copy(f"COPY examples_stage ({_ALL}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(_TYPES)
            for (definition, replayed, day, silent, customer), rest in rows.items():
                await write(copy, (definition, replayed, day, silent, UUID(customer), *rest))
        await cursor.execute(
            f"INSERT INTO churn.examples AS e ({_ALL}) SELECT {_ALL} FROM examples_stage"
            " ON CONFLICT (definition, replayed, day, silent, customer_id) DO UPDATE SET decider = excluded.decider,"
            " features = excluded.features, anchors = excluded.anchors, given = excluded.given, snapshot = excluded.snapshot"
            " WHERE e.logit IS NULL"
        )


async def witness(connection: Connection, told: Iterable[Told], oldest: Mapping[Place, int]) -> None:
    """Keep the days that labels are told by; those before `oldest` no label asks for any more."""
    heard: dict[tuple[str, int], _Told] = {}
    for one in told:
        known = heard.get((one.customer, one.definition))
        if known is None or one.whole:
            known = heard[one.customer, one.definition] = _Told(set(), set(), one.whole)
        known.returns.update(one.returns)
        known.losses.update(one.losses)
        known.ends, known.floor = one.ends, oldest.get((one.definition, one.replayed), -1)
    if gone := [place for place, now in heard.items() if now.whole and not now.returns and not now.losses and now.ends is None]:
        await connection.execute(
            "DELETE FROM churn.evidence e USING unnest(%s::uuid[], %s::int2[]) AS g(customer_id, definition)"
            " WHERE e.customer_id = g.customer_id AND e.definition = g.definition",
            [list(column) for column in zip(*gone, strict=True)],
        )
        heard = {place: now for place, now in heard.items() if place not in gone}
    if not heard:
        return
    before = await evidence(connection, [UUID(customer) for (customer, _), now in heard.items() if not now.whole])
    await stage(connection, "evidence_stage", "customer_id uuid, definition int2, returns int4[], losses int4[], ends float8")
    async with connection.cursor() as cursor:
        async with cursor.copy("COPY evidence_stage FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(("uuid", "int2", "int4[]", "int4[]", "float8"))
            for (customer, definition), now in heard.items():
                had = NOTHING if now.whole else before.get((UUID(customer), definition), NOTHING)
                both = ((now.returns, had.returns), (now.losses, had.losses))
                days = [sorted(day for day in new.union(old) if day >= now.floor) for new, old in both]
                await write(copy, (UUID(customer), definition, *days, now.ends))
        await cursor.execute(
            "INSERT INTO churn.evidence SELECT * FROM evidence_stage ON CONFLICT (customer_id, definition)"
            " DO UPDATE SET returns = excluded.returns, losses = excluded.losses, ends = excluded.ends"
        )


async def evidence(connection: Connection, customers: Iterable[UUID]) -> dict[tuple[UUID, int], Evidence]:
    """What is known of these customers."""
    cursor = await connection.execute(
        "SELECT customer_id, definition, returns, losses, ends FROM churn.evidence WHERE customer_id = ANY(%s::uuid[])",
        (uuids(customers),),
        binary=True,
    )
    return {(customer, definition): Evidence(tuple(a), tuple(b), ends) for customer, definition, a, b, ends in await cursor.fetchall()}


async def owners(connection: Connection, rows: Sequence[Row]) -> dict[tuple[UUID, str], UUID]:
    """Whose these examples are now, of those whose customer lost identifiers: the present owner of their decider."""
    cursor = await connection.execute(
        "SELECT customer_id FROM identity.moved WHERE customer_id = ANY(%s::uuid[])", (uuids({row.customer for row in rows}),)
    )
    moved = {row[0] for row in await cursor.fetchall()}
    theirs = [row for row in rows if row.customer in moved] if moved else []
    if not theirs:
        return {}
    cursor = await connection.execute(
        "SELECT identifier, customer_id FROM identity.identifiers WHERE identifier = ANY(%s)", ([row.decider for row in theirs],)
    )
    now: dict[str, UUID] = dict(await cursor.fetchall())
    return {(row.customer, row.decider): now.get(row.decider, row.customer) for row in theirs}


async def next_day(connection: Connection, place: Place, closed: int | None, horizon: int) -> int | None:
    """The first day after `closed` on which something is to be said or learnt; None: nothing waits."""
    if closed is None:
        cursor = await connection.execute("SELECT min(day) FROM churn.examples WHERE definition = %s AND replayed = %s", place)
    else:
        cursor = await connection.execute(
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM churn.examples WHERE definition = %s AND replayed = %s AND day BETWEEN %s AND %s)"
            " THEN %s ELSE (SELECT min(day) FROM churn.examples WHERE definition = %s AND replayed = %s AND day > %s) END",
            (*place, closed - horizon - 1, closed, closed + 1, *place, closed),
        )
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def reach(connection: Connection, place: Place, first: int, last: int, horizon: int, most: int) -> int:
    """The last day up to which one goes on from `first` without reading more than so many rows at once: those of the days, and those whose
    labels become known in them. One day at least."""
    known = horizon + 1
    cursor = await connection.execute(
        "SELECT of, sum(rows)::int8 FROM (SELECT CASE WHEN day >= %(first)s THEN day ELSE day + %(known)s END AS of, count(*) AS rows"
        " FROM churn.examples WHERE definition = %(definition)s AND replayed = %(replayed)s AND (day BETWEEN %(first)s AND %(last)s"
        " OR day BETWEEN %(first)s - %(known)s AND %(last)s - %(known)s) GROUP BY day) AS days GROUP BY of ORDER BY of",
        {"first": first, "last": last, "known": known, "definition": place[0], "replayed": place[1]},
    )
    read = 0
    for day, rows in await cursor.fetchall():
        read += rows
        if read > most:
            return max(first, int(day) - 1)
    return last


async def waiting(connection: Connection, place: Place, said: tuple[int, int], known: tuple[int, int]) -> list[Row]:
    """What is to be said of some days, and what is to be learnt of some, first and last; in a fixed order."""
    rows: list[Row] = []
    for condition, days in (("logit IS NULL", said), ("logit IS NOT NULL", known)):
        cursor = await connection.execute(
            f"SELECT {_READ} FROM churn.examples WHERE definition = %s AND replayed = %s AND day BETWEEN %s AND %s AND lost IS NULL"
            f" AND {condition} ORDER BY day, silent, customer_id",
            (*place, *days),
            binary=True,
        )
        rows += [_row(*row) for row in await cursor.fetchall()]
    return rows


async def learnt_last(connection: Connection, place: Place, most: int) -> list[Row]:
    """The latest examples at events whose labels are known, the oldest first."""
    cursor = await connection.execute(
        f"SELECT {_READ} FROM churn.examples WHERE definition = %s AND replayed = %s AND lost IS NOT NULL AND NOT silent"
        " ORDER BY day DESC, customer_id LIMIT %s",
        (*place, most),
        binary=True,
    )
    return [_row(*row) for row in reversed(await cursor.fetchall())]


class Judged(NamedTuple):
    """An example whose label is known, without what it was said from."""

    anchors: Sequence[float]
    given: float
    logit: float
    remembered: bytes
    lost: bool


async def of_month(connection: Connection, place: Place, first: int, end: int, *, silent: bool) -> list[Judged]:
    """The examples of some days whose labels are known."""
    cursor = await connection.execute(
        "SELECT anchors, given, logit, remembered, lost FROM churn.examples"
        " WHERE definition = %s AND replayed = %s AND day >= %s AND day < %s AND silent = %s AND lost IS NOT NULL",
        (*place, first, end, silent),
        binary=True,
    )
    return [Judged(*row) for row in await cursor.fetchall()]


async def write_back(connection: Connection, place: Place, rows: Sequence[Row]) -> None:
    """Write down what the learner said, and the labels."""
    rows = [row for row in rows if row.logit is not None]
    if not rows:
        return
    await stage(connection, "back_stage", _BACK_STAGE)
    async with connection.cursor() as cursor:
        async with cursor.copy(f"COPY back_stage ({', '.join(_BACK)}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(_BACK_TYPES)
            for row in rows:
                await write(copy, (*place, row.day, row.silent, row.customer, row.logit, row.remembered, row.lost))
        await cursor.execute(
            "UPDATE churn.examples e SET logit = s.logit, remembered = s.remembered, lost = s.lost FROM back_stage s"
            " WHERE (e.definition, e.replayed, e.day, e.silent, e.customer_id) = (s.definition, s.replayed, s.day, s.silent, s.customer_id)"
        )


Judgement = tuple[int, int, float | None, float, float]
"""Examples, of them lost, AUC, log-loss, calibration error."""


async def write_month(connection: Connection, place: Place, month: date, model: str, judged: Judgement, *, silent: bool) -> None:
    """A model's judgement of a month."""
    await connection.execute(
        "INSERT INTO churn.months VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (definition, replayed, silent, month, model)"
        " DO UPDATE SET rows = excluded.rows, lost = excluded.lost, auc = excluded.auc, log_loss = excluded.log_loss,"
        " calibration_error = excluded.calibration_error",
        (*place, silent, month, model, *judged),
    )


def _row(
    day: int,
    silent: bool,
    customer: UUID,
    decider: str,
    features: bytes,
    anchors: Sequence[float],
    given: float,
    snapshot: int,
    logit: float | None,
    remembered: bytes | None,
    lost: bool | None,
) -> Row:
    return Row(day, silent, customer, decider, _features.decode(features), Anchors(*anchors), given, snapshot, logit, remembered, lost)
