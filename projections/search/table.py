"""Search's SQL: the terms of customers in, the customers of a query out. Reading order: write, search, why, place_of."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from aggregates.normal import persian
from projections.rows import Connection, uuids
from projections.search.terms import Asked, Term, spellings
from projections.timeline.row import folded_ref

CANDIDATES = 1000
"""So many customers at most are ranked; whoever types two letters wants a hint, not a list of half the customers."""

SPELLINGS = 6
"""So many ways to write a query at most are looked for, of those of which each word is somebody's."""

_LAST = "\U0010ffff"
REFERENCE = "reference"


class Found(NamedTuple):
    """A customer, and by what he was found: kinds of term, or `reference` for an order's, a call's, a quote's number."""

    customer_id: UUID
    name: str
    last_seen: datetime | None
    matched: tuple[str, ...]


class Place(NamedTuple):
    """Where somebody stands among all who are found by a query."""

    referred: bool
    last_seen: datetime | None
    customer_id: UUID


async def write(
    connection: Connection, schema: str, terms: Mapping[UUID, frozenset[Term]], unknown: Collection[UUID] = frozenset()
) -> None:
    """Make these the terms of these customers; only what differs is written. Of whoever is unknown none are stored yet."""
    before = [customer for customer in terms if customer not in unknown]
    known_by = await _terms(connection, schema, before) if before else {}
    stored = {(customer, term) for customer, known in known_by.items() for term in known}
    wanted = {(customer, term) for customer, known in terms.items() for term in known}
    if gone := stored - wanted:
        await connection.execute(
            f"DELETE FROM {schema}.terms t USING unnest(%s::uuid[], %s::text[], %s::text[]) AS gone(customer_id, kind, term)"
            " WHERE t.customer_id = gone.customer_id AND t.kind = gone.kind AND t.term = gone.term",
            _columns(gone),
        )
    if new := wanted - stored:
        await connection.execute(
            f"INSERT INTO {schema}.terms SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING", _columns(new)
        )


def _columns(rows: Iterable[tuple[UUID, Term]]) -> tuple[str, list[str], list[str]]:
    """Rows as one array a column, in an order that makes neighbours of what the indexes keep together."""
    ordered = sorted(rows)
    return uuids(customer for customer, _ in ordered), [kind for _, (kind, _) in ordered], [term for _, (_, term) in ordered]


async def _terms(connection: Connection, schema: str, customers: Iterable[UUID]) -> dict[UUID, set[Term]]:
    """The stored terms of those of these customers that have any."""
    cursor = await connection.execute(
        f"SELECT customer_id, kind, term FROM unnest(%s::uuid[]) AS wanted(customer_id) JOIN {schema}.terms USING (customer_id)",
        (uuids(customers),),
    )
    terms: dict[UUID, set[Term]] = {}
    for customer, kind, term in await cursor.fetchall():
        terms.setdefault(customer, set()).add((kind, term))
    return terms


async def search(connection: Connection, schema: str, query: str, limit: int = 20, after: Place | None = None) -> list[Found]:
    """Customers that match every word, as it is typed or with two neighbours as one or one word as two, those seen last first; before them
    whoever the whole query is an order's number of. The next of them `after` a place."""
    written = spellings(query)
    by_reference = await _by_reference(connection, schema, query)
    found = [one for one in by_reference if after is None or (after.referred and _follows(one, after))][:limit]
    if len(found) < limit:
        further = None if after is None or after.referred else after
        besides = [one.customer_id for one in by_reference]
        found += await _by_terms(connection, schema, written, limit - len(found), besides, further)
    terms = await _terms(connection, schema, [one.customer_id for one in found])
    reasons = ((one, (why(asked, terms.get(one.customer_id, ())) for asked in written)) for one in found)
    return [one._replace(matched=one.matched + next(filter(None, reason), ())) for one, reason in reasons]


def place_of(found: Found) -> Place:
    """Where one who was found stands."""
    return Place(REFERENCE in found.matched, found.last_seen, found.customer_id)


def _follows(one: Found, place: Place) -> bool:
    """Whether somebody who is found by a reference comes after a place there: in the order of the queries, who was never seen last."""
    if one.last_seen is None or place.last_seen is None or one.last_seen == place.last_seen:
        return (one.last_seen is None, one.customer_id) > (place.last_seen is None, place.customer_id)
    return one.last_seen < place.last_seen


def why(asked: Iterable[Asked], terms: Iterable[Term]) -> tuple[str, ...]:
    """The kinds of term by which these words match; empty when one of them does not."""
    known = list(terms)
    matched: set[str] = set()
    for word in asked:
        kinds = {
            kind for kind, term in known if (kind, term) in word.exact or any(k == kind and term.startswith(p) for k, p in word.prefixes)
        }
        if not kinds:
            return ()
        matched |= kinds
    return tuple(sorted(matched))


async def _by_reference(connection: Connection, schema: str, query: str) -> list[Found]:
    """By the reference as it is compared: its own text, where that is folded, or the one beside it. As it was sent and with plain letters,
    too: what was kept before folded ones were has only that."""
    query = query.replace("\0", "")
    folded = folded_ref(query)
    cursor = await connection.execute(
        f"SELECT v.customer_id, v.name, v.last_seen FROM {schema}.view v JOIN (SELECT DISTINCT customer_id FROM ("
        f"SELECT customer_id FROM {schema}.timeline WHERE ref = ANY(%s) UNION ALL"
        f" SELECT customer_id FROM {schema}.timeline WHERE ref_folded = %s) r LIMIT %s) t USING (customer_id)"
        " ORDER BY v.last_seen DESC NULLS LAST, v.customer_id",
        ([text for text in {query.strip(), persian.plain(query), folded} if text], folded, CANDIDATES),
    )
    return [Found(row[0], row[1], row[2], (REFERENCE,)) for row in await cursor.fetchall()]


async def _by_terms(
    connection: Connection, schema: str, written: Sequence[Sequence[Asked]], limit: int, besides: Sequence[UUID], after: Place | None
) -> list[Found]:
    """In each way to write the query the rarest word leads; the others are looked up for each of its customers."""
    one_word = len(written) == 1 and len(written[0]) == 1
    by_rarity = written if one_word else await _by_rarity(connection, schema, written)
    if not by_rarity:
        return []
    selects, values = [], list[Any]()
    for leading, *others in by_rarity:
        also = "".join(
            f" AND EXISTS (SELECT 1 FROM {schema}.terms o JOIN unnest(%s::text[], %s::text[], %s::text[]) AS p(kind, low, high)"
            " ON o.kind = p.kind AND o.term >= p.low AND o.term < p.high WHERE o.customer_id = t.customer_id)"
            for _ in others
        )
        selects.append(
            "SELECT c.customer_id FROM unnest(%s::text[], %s::text[], %s::text[]) AS p(kind, low, high), LATERAL ("
            f"SELECT t.customer_id FROM {schema}.terms t WHERE t.kind = p.kind AND t.term >= p.low AND t.term < p.high{also} LIMIT %s) c"
        )
        values += (*ranges(leading), *(column for word in others for column in ranges(word)), CANDIDATES)
    further, place = "", list[Any]()
    if after is not None:
        further = " AND (coalesce(v.last_seen, '-infinity'), %s::uuid) < (coalesce(%s::timestamptz, '-infinity'), v.customer_id)"
        place = [after.customer_id, after.last_seen]
    cursor = await connection.execute(
        f"SELECT v.customer_id, v.name, v.last_seen FROM {schema}.view v JOIN ("
        f"SELECT DISTINCT customer_id FROM ({' UNION ALL '.join(selects)}) every"
        f") found USING (customer_id) WHERE v.customer_id <> ALL(%s){further} ORDER BY v.last_seen DESC NULLS LAST, v.customer_id LIMIT %s",
        (*values, list(besides), *place, limit),
    )
    return [Found(row[0], row[1], row[2], ()) for row in await cursor.fetchall()]


async def _by_rarity(connection: Connection, schema: str, written: Sequence[Sequence[Asked]]) -> Sequence[Sequence[Asked]]:
    """The ways to write a query of which each word is somebody's, with the word of fewest customers first. Counting ends where it makes no
    difference."""
    words = list(dict.fromkeys(word for asked in written for word in asked))
    if not words:
        return []
    wanted = [(number, *range_) for number, word in enumerate(words) for range_ in zip(*ranges(word), strict=True)]
    cursor = await connection.execute(
        "SELECT p.word, count(*) FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[]) AS p(word, kind, low, high), LATERAL ("
        f"SELECT 1 FROM {schema}.terms t WHERE t.kind = p.kind AND t.term >= p.low AND t.term < p.high LIMIT %s) c GROUP BY p.word",
        (*(list(column) for column in zip(*wanted, strict=True)), CANDIDATES),
    )
    counts = {words[number]: count for number, count in await cursor.fetchall()}
    known = [sorted(asked, key=counts.__getitem__) for asked in written if all(word in counts for word in asked)]
    return known[:SPELLINGS]


def ranges(word: Asked) -> tuple[list[Any], list[Any], list[Any]]:
    """Kinds, lowest terms and the bounds above of what a word may be; stored terms have no character below U+0001."""
    wanted = [(kind, prefix, prefix + _LAST) for kind, prefix in word.prefixes] + [(kind, term, term + "\x01") for kind, term in word.exact]
    return [w[0] for w in wanted], [w[1] for w in wanted], [w[2] for w in wanted]
