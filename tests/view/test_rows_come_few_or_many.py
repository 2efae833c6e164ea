"""Rows come to a statement the same, whether they ride along with it or are staged."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections import rows
from projections.rows import Columns, Connection, bring, texts

pytestmark = pytest.mark.engines

KINDS: dict[str, st.SearchStrategy[Any]] = {
    "uuid": st.uuids(),
    "text": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    "bytea": st.binary(),
    "timestamptz": st.builds(datetime.fromtimestamp, st.floats(-6e10, 2.5e11), st.sampled_from([UTC, timezone(timedelta(hours=3.5))])),
    "bool": st.booleans(),
    "int2": st.integers(-(2**15), 2**15 - 1),
    "int4": st.integers(-(2**31), 2**31 - 1),
    "int8": st.integers(-(2**63), 2**63 - 1),
    "numeric": st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20),
    "float4": st.floats(width=32),
    "float8": st.floats(),
}
COLUMNS = Columns("brought", {f"a_{type_}": type_ for type_ in KINDS})


async def came(connection: Connection, told: list[tuple[Any, ...]], few: int) -> list[tuple[Any, ...]]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rows, "FEW", few)
        brought = await bring(connection, COLUMNS, told)
    cursor = await connection.execute(f"SELECT {COLUMNS.all} FROM {brought.source}".encode(), brought.values, binary=True)
    return [tuple(map(repr, row)) for row in await cursor.fetchall()]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(st.tuples(*(st.none() | kind for kind in KINDS.values())), min_size=1, max_size=4))
async def test_few_and_many_are_the_same(connection: Connection, told: list[tuple[Any, ...]]) -> None:
    assert await came(connection, told, 0) == await came(connection, told, 200)
    await connection.commit()


async def test_what_looks_like_something_else_stays_what_it_is(connection: Connection) -> None:
    words = ["NULL", "", '"', "\\", "{a,b}", " x ", "%s", "علی\u200cرضا", "\n"]
    row = (UUID(int=1), None, b"\\x00", datetime(2026, 3, 21, tzinfo=UTC), None, 1, 2, 3, Decimal("1E+3"), float("-inf"), 0.1)
    told = [(row[0], word, *row[2:]) for word in words]
    found = await came(connection, told, 200)
    assert [one[1] for one in found] == [repr(word) for word in words]
    assert found == await came(connection, told, 0)
    cursor = await connection.execute("SELECT %s::text[]", (texts(words),))
    assert await cursor.fetchone() == (words,)
