"""The view's rows and the terms of search: written together, found again."""

import random
from collections.abc import Sequence
from uuid import UUID

import pytest

from projections.rows import Connection
from projections.search.table import Found, place_of, search
from projections.search.terms import terms_of
from projections.timeline import table as timeline
from projections.timeline.table import row_of
from projections.view import table as views
from projections.view.fold import initial
from projections.view.state import State
from tests.view.telling import Happening, folded, happened

pytestmark = pytest.mark.engines

SARA, ALI, REZA = UUID(int=1), UUID(int=2), UUID(int=3)


async def keep(connection: Connection, schema: str, customer: UUID, history: Sequence[Happening]) -> State:
    """Put a customer's events and view where they belong."""
    await timeline.insert(connection, schema, [row_of(happening.event, happening.record, customer, 0, 0) for happening in history])
    state = folded(history)
    await views.save(connection, schema, [(customer, state, 0, 9)])
    return state


def named(name: str, *who: tuple[str, str], day: float = 0) -> list[Happening]:
    return [happened("profile.reported", {"traits": {"name": name}}, who=who), happened("web.page_viewed", {"url": "/"}, who=who, day=day)]


async def stored(connection: Connection, schema: str, customer: UUID) -> set[tuple[str, str]]:
    cursor = await connection.execute(f"SELECT kind, term FROM {schema}.terms WHERE customer_id = %s", (customer,))
    return {(kind, term) for kind, term in await cursor.fetchall()}


async def found(connection: Connection, schema: str, query: str) -> dict[UUID, tuple[str, ...]]:
    results: list[Found] = await search(connection, schema, query)
    return {result.customer_id: result.matched for result in results}


async def test_states_come_back_as_they_were_saved(connection: Connection, schema: str) -> None:
    sara = await keep(connection, schema, SARA, named("سارا کریمی", ("phone", "+989121234567")))
    assert await views.load(connection, schema, [SARA, ALI]) == {SARA: sara}
    more = folded([*named("سارا کریمی", ("phone", "+989121234567")), happened("call.ended", {"call_id": "c"}, day=3)])
    await views.save(connection, schema, [(SARA, more, 1, 10), (ALI, initial(), 1, 11)])
    assert await views.load(connection, schema, [SARA, ALI]) == {SARA: more, ALI: initial()}
    await views.delete(connection, schema, [SARA])
    assert await views.load(connection, schema, [SARA]) == {}
    assert await stored(connection, schema, SARA) == set()


async def test_saving_ends_a_move(connection: Connection, schema: str) -> None:
    async def moving() -> object:
        cursor = await connection.execute(f"SELECT moving FROM {schema}.view")
        row = await cursor.fetchone()
        return row and row[0]

    state = await keep(connection, schema, SARA, named("Sara"))
    assert await moving() is False
    await views.flag(connection, schema, SARA)
    assert await moving() is True
    await views.save(connection, schema, [(SARA, state, 0, 9)])
    assert await moving() is False


async def test_terms_follow_the_state_and_are_left_alone_when_nothing_changed(connection: Connection, schema: str) -> None:
    async def versions() -> set[object]:
        cursor = await connection.execute(f"SELECT term, xmin FROM {schema}.terms")
        return {(term, xmin) for term, xmin in await cursor.fetchall()}

    phone = ("phone", "+989121234567")
    state = await keep(connection, schema, SARA, named("سارا کریمی", phone))
    assert await stored(connection, schema, SARA) == terms_of(state)
    await connection.commit()
    before = await versions()
    await keep(connection, schema, SARA, named("سارا کریمی", phone, day=5))
    await connection.commit()
    assert await versions() == before
    renamed = await keep(connection, schema, SARA, named("سارا رضایی", phone, day=6))
    await connection.commit()
    assert await stored(connection, schema, SARA) == terms_of(renamed)
    assert {version for version in before if version not in await versions()} == {
        version
        for version in before
        if version[0] == "کریمی"  # type: ignore[index]
    }


async def test_a_customer_is_found_by_what_an_agent_has_at_hand(connection: Connection, schema: str) -> None:
    await keep(
        connection,
        schema,
        SARA,
        [
            *named("سارا علی‌زاده کریمی", ("phone", "+989121234567"), ("email", "Sara.K@example.ir"), ("customer_number", "10042")),
            happened("sales.order_placed", {"order_id": "O-5001", "total": "1", "currency": "IRR"}),
        ],
    )
    await keep(connection, schema, ALI, named("علی رضایی", ("phone", "+982188776655"), ("email", "ali@example.ir"), day=3))
    await keep(connection, schema, REZA, named("Reza Alavi", ("phone", "+14155550123"), ("device", "d-4567")))
    for query in (
        *("سارا", "سارا کریمی", "كريمي", "کریمی سارا", "عليزاده", "علی‌زاده", "سارا 4567"),
        *("09121234567", "+98 912 123 4567", "0098-912-123-4567", "989121234567", "۰۹۱۲ ۱۲۳ ۴۵۶۷", "1234567", "4567", "912123456 7"),
        *("sara.k@example.ir", "SARA.K", "10042", "۱۰۰۴۲", "O-5001", " O-5001 ", "o-5001", "O-۵۰۰۱"),
    ):
        assert set(await found(connection, schema, query)) == {SARA}, query
    assert set(await found(connection, schema, "021 8877 6655")) == {ALI}
    assert set(await found(connection, schema, "(415) 555-0123")) == {REZA}
    assert set(await found(connection, schema, "al")) == {ALI, REZA}
    for query in ("", "   ", "سارا رضایی", "o-500", "d-4567", "5550199", "%", "_", "a\0b"):
        assert await found(connection, schema, query) == {}, query


async def test_what_stands_around_a_word_that_was_copied_hides_nobody(connection: Connection, schema: str) -> None:
    await keep(connection, schema, SARA, named("Sara Karimi-Jones", ("email", "sara@x.ir"), ("phone", "+989121234567")))
    await keep(connection, schema, ALI, named("مهندس.علی (ملک‌زاده)", ("email", "ali@x.ir"), ("customer_number", "[c-7]")))
    for query in (
        "Karimi, Sara",
        "“Sara Karimi”",
        "Sara – Karimi",
        "Sara & Karimi",
        "<sara@x.ir>;",
        "Sara <sara@x.ir>",
        "(4567),",
        "Jones",
    ):
        assert set(await found(connection, schema, query)) == {SARA}, query
    for query in ("ملک زاده", "(ملک‌زاده)", "ملک", "علی", "[C-7]"):
        assert set(await found(connection, schema, query)) == {ALI}, query
    for query in (",", "&", "Karimi & ali@x.ir", "ones"):
        assert await found(connection, schema, query) == {}, query


async def test_a_number_is_found_in_any_spelling_and_only_whole(connection: Connection, schema: str) -> None:
    spelt = {
        "ORD-ABC-77": ("ord-abc-77", "Ord-Abc-۷۷"),
        "۱۴۰۵۷۷۸۸": ("14057788", "١٤٠٥٧٧٨٨"),
        "كد-۵۵": ("کد-55", "کد-۵۵", "كد-٥٥"),
        "علی‌۹": ("علی۹", "علي‌9"),
        "plain-1": ("PLAIN-1", "plain‌-۱"),
        "two  words ": ("Two Words", "two words"),
        "ﷺ" * 300: (),
        "ء": (),
    }
    kept = {UUID(int=number): ref for number, ref in enumerate(spelt, 1)}
    for customer, ref in kept.items():
        order = happened("sales.order_placed", {"order_id": ref, "total": "1", "currency": "IRR"}, who=(), id_=str(customer))
        await keep(connection, schema, customer, [order])
    for customer, ref in kept.items():
        for query in (ref, *spelt[ref]):
            assert await found(connection, schema, query) == {customer: ("reference",)}, query
        assert await found(connection, schema, "x" + ref) == {}
    cursor = await connection.execute(f"SELECT ref FROM {schema}.timeline WHERE ref_folded IS NULL ORDER BY 1")
    assert [row[0] for row in await cursor.fetchall()] == ["plain-1", "ء"], "what is folded already is kept once"


async def test_a_number_that_was_kept_before_folded_ones_were_is_found_as_it_was_sent(connection: Connection, schema: str) -> None:
    order = happened("sales.order_placed", {"order_id": "ORD-1", "total": "1", "currency": "IRR"}, who=())
    await keep(connection, schema, SARA, [order])
    await connection.execute(f"UPDATE {schema}.timeline SET ref_folded = NULL")
    assert await found(connection, schema, " ORD-۱") == {SARA: ("reference",)}


async def test_pages_show_everybody_who_is_found_once(connection: Connection, schema: str) -> None:
    """Whoever the number is of in front, some of whom are called by it too, and who was never seen last."""

    def of(number: int) -> list[Happening]:
        seen = [happened("web.page_viewed", {"url": "/"}, who=(), day=number // 3, id_=f"page {number}")] if number % 5 else []
        order = {"order_id": "Novin", "total": "1", "currency": "IRR"}
        named = [happened("profile.reported", {"traits": {"name": "novin"}}, who=(), id_=f"name {number}")] if number < 9 else []
        ordered = [happened("sales.order_placed", order, who=(), day=-1, id_=f"order {number}")] if 6 <= number < 12 else []
        return named + ordered + seen

    for number in range(12):
        await keep(connection, schema, UUID(int=number + 1), of(number))
    everybody = await search(connection, schema, "novin", limit=50)
    assert {one.customer_id.int for one in everybody} == set(range(1, 13))
    assert [one.matched[0] for one in everybody] == ["reference"] * 6 + ["name"] * 6
    for limit in (1, 2, 5, 6, 12):
        shown = await search(connection, schema, "novin", limit)
        while more := await search(connection, schema, "novin", limit, place_of(shown[-1])):
            shown += more
            assert len(shown) <= len(everybody), limit
        assert shown == everybody, limit


async def test_a_space_typed_in_the_place_of_a_half_space_finds_him_too(connection: Connection, schema: str) -> None:
    await keep(connection, schema, SARA, named("زهرا ملک\u200cزاده", ("phone", "+989121234567")))
    await keep(connection, schema, ALI, named("علی\u200cرضا کریمی", ("phone", "+989351114567")))
    for query in ("زهرا ملک زاده", "ملک زاده", "ملک\u200cزاده", "ملكزاده", "زهرا ملک زا", "ملک زاده 4567"):
        assert SARA in await found(connection, schema, query), query
    assert await found(connection, schema, "علی رضا کریمی") == {ALI: ("name",)}
    assert await found(connection, schema, "علی رضا زاده") == {}
    assert await found(connection, schema, "رضا علی") == {}
    await keep(connection, schema, ALI, named("علی‌رضا سیف‌الله‌زاده تهرانی"))
    assert await found(connection, schema, "علی رضا سیف الله زاده") == {ALI: ("name",)}
    assert await found(connection, schema, "علی رضا سیف‌الله زاده تهرانی") == {ALI: ("name",)}
    assert await found(connection, schema, "علی رضا سیف الله زاده کریمی") == {}


async def test_a_name_in_two_words_is_found_in_one_and_the_reverse_whoever_else_is(connection: Connection, schema: str) -> None:
    names = ("عبد الله کریمی", "عبدالله کریمی", "الله عبدی", "Ian Mc Donald", "Ian McDonald", "Donald Ian")
    kept = [UUID(int=number) for number in range(1, len(names) + 1)]
    for customer, name in zip(kept, names, strict=True):
        await keep(connection, schema, customer, named(name))
    for query in ("عبدالله", "عبدالله کریمی", "عبد الله کریمی", "کریمی عبد الله", "عبدالله كريمي"):
        assert await found(connection, schema, query) == dict.fromkeys(kept[:2], ("name",)), query
    for query in ("McDonald", "mc donald", "ian mcdonald", "Mc Donald Ian"):
        assert await found(connection, schema, query) == dict.fromkeys(kept[3:5], ("name",)), query
    for query in ("کریمیعبدالل", "ماcdonald", "donald mc donald mc x"):
        assert await found(connection, schema, query) == {}, query
    everybody = await search(connection, schema, "عبدالله")
    first = await search(connection, schema, "عبدالله", 1)
    assert first + await search(connection, schema, "عبدالله", 1, place_of(first[0])) == everybody


async def test_a_result_says_why_and_who_was_seen_last_comes_first(connection: Connection, schema: str) -> None:
    await keep(connection, schema, SARA, named("Sara Karimi", ("phone", "+989121234567"), day=1))
    await keep(connection, schema, ALI, named("Sara Alavi", ("phone", "+989351114567"), day=2))
    results = await search(connection, schema, "sara 4567")
    assert [(result.customer_id, result.name, result.matched) for result in results] == [
        (ALI, "Sara Alavi", ("name", "phone")),
        (SARA, "Sara Karimi", ("name", "phone")),
    ]
    assert [result.customer_id for result in await search(connection, schema, "sara", limit=1)] == [ALI]
    order = happened("sales.order_placed", {"order_id": "o-9", "total": "1", "currency": "IRR"}, day=-1, who=())
    await keep(connection, schema, REZA, [order])
    assert await found(connection, schema, "o-9") == {REZA: ("reference",)}


async def test_a_common_word_is_looked_up_among_the_rare_ones(connection: Connection, schema: str) -> None:
    numbers = random.Random(1).sample(range(10**6, 10**7), 1500)
    rows = [
        (UUID(int=100 + n), folded([happened("profile.reported", {"traits": {"name": f"Ali No{number}"}}, who=())]), 0, n)
        for n, number in enumerate(numbers)
    ]
    await views.save(connection, schema, rows)
    assert set(await found(connection, schema, f"ali no{numbers[1400]}")) == {UUID(int=1500)}
    assert len(await search(connection, schema, "ali", limit=7)) == 7
