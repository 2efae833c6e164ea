"""What comes of time that passes, though nothing happens: who leaves a segment, who is missed, also where years are told at once."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from projections.declared.table import announce
from streams import cutting
from streams.in_force import QUANTILE
from tests.triggers.marketer import Marketer, bought

pytestmark = pytest.mark.engines


async def test_who_comes_into_a_segment_leaves_it_when_time_passes(marketer: Marketer) -> None:
    await marketer.publish("triggers", "came", "when: {segment: fans, change: entered}\ndo: {notify: x}\n")
    await marketer.publish("triggers", "went", "when: {segment: fans, change: left}\ndo: {notify: x}\n")
    after = await marketer.api.send(marketer.key, bought("s-0", type_="seg.bought"))
    await marketer.api.get(marketer.token, "/v1/signals", after=after)
    await marketer.publish("segments", "fans", "when: {count: seg.bought, at_least: 1, within: 6s}\n")  # while s-0 is in
    await marketer.api.send(marketer.key, bought("s-1", type_="seg.bought"))

    async def went() -> bool:
        return len({one["customer_id"] for one in await marketer.signals("went")}) == 2

    await marketer.until(went)
    came = await marketer.signals("came")
    assert len(came) == 1  # who was in when it was published is told of to nobody
    shown = await marketer.api.get(marketer.token, "/v1/segments/fans")
    assert (shown["members"], shown["entered"]["day"], shown["left"]["day"]) == (0, 2, 2)
    exported = await marketer.api.client.get("/v1/segments/fans/export", auth=(marketer.token, ""))
    assert exported.text.splitlines() == ["customer_id,since"]
    problem = await marketer.post("/v1/segments", "segment: fans\nwhen: {not: {segment: fans}}\n", 422)
    assert "itself" in problem["detail"]
    assert [(one["line"], one["pointer"], one["code"]) for one in problem["errors"]] == [(2, "/when/not/segment", "circle")]
    await marketer.post("/v1/segments", "segment: fans-of-fans\nwhen: {segment: fans}\n", 201)
    around = "segment: fans\nwhen:\n- {count: seg.bought, at_least: 1, within: 3s}\n- {segment: fans-of-fans}\n"
    persian = await marketer.post("/v1/segments", around, 422, **{"accept-language": "fa"})
    assert [(one["line"], one["pointer"]) for one in persian["errors"]] == [(4, "/when/1/segment")]
    assert "بخش‌بندی" in persian["detail"]


async def test_years_that_are_told_at_once_let_everybody_out_when_his_time_was_over(marketer: Marketer) -> None:
    await marketer.publish("triggers", "yearly-went", "when: {segment: yearly, change: left}\ndo: {notify: x}\n")
    await marketer.publish("segments", "yearly", "when: {count: yearly.bought, at_least: 1, within: 30d}\n")
    key = await marketer.api.write_key("years", clock="event")
    days = [datetime(2020, month, day, tzinfo=UTC) for month, day in ((1, 1), (3, 1), (3, 20), (9, 1))]
    await marketer.api.send(key, *(bought("years", day, "yearly.bought") for day in days), bought("others", days[-1], "yearly.looked"))

    async def went() -> bool:
        return len(await marketer.signals("yearly-went")) == 2

    await marketer.until(went)
    left = sorted(one["occurred_at"] for one in await marketer.signals("yearly-went"))
    assert left == ["2020-01-31T00:00:00Z", "2020-04-19T00:00:00Z"]  # in March he bought again before his time was over


async def test_a_published_quantile_lets_members_in_and_out_though_nothing_happens_to_them(marketer: Marketer) -> None:
    await marketer.publish("triggers", "into-top", "when: {segment: top, change: entered}\ndo: {notify: x}\n")
    await marketer.publish("segments", "top", "when: {percentile: worth, at_least: 90}\n")
    scored = [bought(f"q-{number}", type_="score.given", score="worth", value=number / 10) for number in range(4)]
    await marketer.api.get(marketer.token, "/v1/signals", after=await marketer.api.send(marketer.key, *scored))

    async def quantile(cut: float, members: int) -> None:
        async with await AsyncConnection.connect(marketer.api.world.endpoints.dsn) as connection:
            await connection.execute(*announce(uuid4(), QUANTILE, {"of": "worth", "cuts": {"90": cut}}))

        async def so_many() -> bool:
            return bool((await marketer.api.get(marketer.token, "/v1/segments/top"))["members"] == members)

        await marketer.until(so_many)

    await quantile(0.2, 2)
    await quantile(0.3, 1)
    await quantile(0.05, 3)

    async def heard() -> bool:
        return len(await marketer.signals("into-top")) == 4

    await marketer.until(heard)
    shown = await marketer.api.get(marketer.token, "/v1/segments/top")
    assert (shown["entered"]["day"], shown["left"]["day"]) == (4, 1)


async def test_the_quantiles_of_a_score_are_published_where_a_segment_asks_for_them(marketer: Marketer) -> None:
    await marketer.publish("segments", "likely-lost", "when: {percentile: churn, at_least: 75}\n")
    scored = [bought(f"l-{number}", type_="score.given", score="churn", value=number / 10) for number in range(4)]
    await marketer.api.get(marketer.token, "/v1/signals", after=await marketer.api.send(marketer.key, *scored))
    async with await AsyncConnection.connect(marketer.api.world.endpoints.dsn) as connection:
        await connection.execute(
            "INSERT INTO churn.states (customer_id, definition, partition, replayed, state, decider, told)"
            " SELECT gen_random_uuid(), d.id, 0, false, '', '', number / 10.0 FROM churn.definitions d, generate_series(0, 3) number"
            " WHERE d.stands = 'in_force'"
        )
        await cutting.cut(connection)
        await cutting.cut(connection)  # it is published for today
        await connection.execute("DELETE FROM churn.states WHERE state = ''")  # nobody's

    async def in_it() -> bool:
        return bool((await marketer.api.get(marketer.token, "/v1/segments/likely-lost"))["members"] == 2)

    await marketer.until(in_it)
    async with await AsyncConnection.connect(marketer.api.world.endpoints.dsn) as connection:
        cursor = await connection.execute("SELECT count(DISTINCT id), min(cuts ->> '75') FROM streams.quantiles WHERE of = 'churn'")
        assert await cursor.fetchone() == (1, "0.2")


async def test_who_does_not_come_is_missed_once_and_who_comes_is_not(marketer: Marketer) -> None:
    await marketer.publish("triggers", "silent", "when: {after: silent.asked, absent: silent.answered, for: 2s}\ndo: {notify: x}\n")
    after = await marketer.api.send(marketer.key, bought("k-1", type_="silent.asked"), bought("k-2", type_="silent.asked"))
    await marketer.api.send(marketer.key, bought("k-2", type_="silent.answered"))
    await marketer.api.get(marketer.token, "/v1/signals", after=after)

    async def rang() -> bool:
        return bool(await marketer.signals("silent"))

    await marketer.until(rang)
    (signal,) = await marketer.signals("silent")
    assert signal["withdrawn"] is False


async def test_of_replayed_time_all_is_said_that_was_due_though_nothing_more_comes(marketer: Marketer) -> None:
    await marketer.publish("triggers", "long-silent", "when: {after: past.asked, absent: past.answered, for: 1d}\ndo: {notify: x}\n")
    key = await marketer.api.write_key("past", clock="event")
    days = [datetime(2021, 1, day, tzinfo=UTC) for day in range(1, 13)]
    facts = [bought("k-past", day, "past.answered" if day.day % 3 == 0 else "past.asked") for day in days]
    await marketer.api.send(key, *facts, bought("k-past", datetime(2021, 2, 1, tzinfo=UTC), "past.over"))

    async def said() -> bool:
        return len(await marketer.signals("long-silent")) == 4

    await marketer.until(said)
    assert {one["occurred_at"][:10] for one in await marketer.signals("long-silent")} == {f"2021-01-{day:02}" for day in (2, 5, 8, 11)}


async def test_of_replayed_time_too_what_was_due_before_a_rule_was_published_is_not_said(marketer: Marketer) -> None:
    key = await marketer.api.write_key("elapsed", clock="event")
    first, last = datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 3, 1, tzinfo=UTC)
    asked = [bought(f"k-elapsed-{number}", first if number < 8 else last, "elapsed.asked") for number in range(16)]
    over = [bought(f"k-elapsed-{number}", last, "elapsed.over") for number in range(16)]  # it is March in all of the log
    await marketer.api.get(marketer.token, "/v1/signals", after=await marketer.api.send(key, *asked, *over))
    await marketer.publish("triggers", "elapsed", "when: {after: elapsed.asked, absent: elapsed.answered, for: 7d}\ndo: {notify: x}\n")
    later = [bought(f"k-elapsed-{number}", datetime(2023, 4, 1, tzinfo=UTC), "elapsed.over") for number in range(16)]
    await marketer.api.get(marketer.token, "/v1/signals", after=await marketer.api.send(key, *later))

    async def said() -> bool:
        return len(await marketer.signals("elapsed")) >= 8

    await marketer.until(said)
    assert {one["occurred_at"][:10] for one in await marketer.signals("elapsed")} == {"2023-03-08"}
