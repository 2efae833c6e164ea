"""A customer's value is a score where somebody asks for it: given at once when it moves, to everybody when the first rule asks. A dry run
before that knows what would have been given."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import AsyncConnection

from aggregates.rules.reading import read
from aggregates.value import Costs
from infra.rehearsed_values import Values, wanted
from projections.triggers.trigger import trigger_of
from projections.value import given as giving
from projections.value.buying import Buying
from projections.value.given import Terms
from projections.value.spending import Spending
from projections.value.worth import Models
from streams import cutting
from tests.api.conftest import Api
from tests.churn.told import BEGIN, fact
from tests.triggers.marketer import Marketer, bought

MODELS = Models(1, Buying(0.243, 4.414, 0.793, 2.426), {"USD": Spending(6.25, 3.74, 15.44)}, 2357, 1000)
VALUABLE = "when: {count: custom.looked, at_least: 1, within: 5d}\nif: {percentile: value, at_least: 70}\ndo: {notify: team:x}\n"


def test_a_value_is_given_when_it_has_moved_by_a_tenth() -> None:
    assert giving.moved(None, 0.0)
    assert not giving.moved(100.0, 109.0)
    assert giving.moved(100.0, 110.0)
    assert giving.moved(-100.0, -90.0)
    assert not giving.moved(0.0, 0.0)


def test_only_rules_that_ask_for_the_value_make_a_dry_run_compute_it() -> None:
    asking = [trigger_of(rule) for rule in read(f"rule: a\n{VALUABLE}", "UTC").rules]
    others = [trigger_of(rule) for rule in read(f"rule: a\n{VALUABLE.replace('value', 'churn')}", "UTC").rules]
    assert wanted(asking)
    assert not wanted(others)


def test_a_dry_run_gives_the_values_that_the_facts_would_have_given() -> None:
    values, whose = Values(Terms(Costs(), {False: MODELS, True: None}), BEGIN + timedelta(days=40)), UUID(int=7)
    order = fact(1, order_id="o-1", total="100.00", currency="USD")
    (first,) = values.heard(whose, order.at, order)
    assert (first.type, first.at, first.data["score"], first.data["past"]) == ("score.given", order.at, "value", "100.00")
    assert first.data["value"] > 100.0
    visit = fact(2, "web.page_viewed")
    assert list(values.heard(whose, visit.at, visit)) == []
    off = fact(3, "sales.order_cancelled", order_id="o-1")
    (second,) = values.heard(whose, off.at, off)
    assert (second.data["before"], second.data["past"]) == (first.data["value"], "0.00")
    late = fact(50, order_id="o-2", total="900.00", currency="USD")
    assert list(values.heard(whose, late.at, late)) == []  # from then on they were really given


@pytest.fixture(scope="module")
async def marketer(live: Api) -> Marketer:
    return await Marketer.of(live)


@pytest.mark.engines
async def test_a_rule_fires_for_the_most_valuable_and_for_nobody_else(marketer: Marketer) -> None:
    api, now = marketer.api, datetime.now(UTC)

    def ordered(person: int, total: int, days: int) -> dict[str, Any]:
        number = f"{person}-{total}"
        at = now - timedelta(days=days)
        return bought(f"v-{person}", at, "sales.order_placed", order_id=number, total=f"{total}.00", currency="IRR", lines=[])

    orders = [ordered(person, 100 * person, 20) for person in range(1, 11)]
    looks = [bought(f"v-{person}", now - timedelta(days=10), "custom.looked") for person in range(1, 11)]
    await api.get(marketer.token, "/v1/signals", after=await api.send(marketer.key, *orders, *looks))

    ran = await marketer.post("/v1/triggers/dry-run", f"rule: valuable\n{VALUABLE}")
    assert ran["rules"][0]["signals"] == 4  # before anybody asked: 700 and more

    await marketer.publish("triggers", "valuable", VALUABLE)

    async def quantile() -> bool:
        async with await AsyncConnection.connect(api.world.endpoints.dsn) as connection:
            await cutting.cut(connection)
            cursor = await connection.execute("SELECT count(DISTINCT cuts ->> '70') FROM streams.quantiles WHERE of = 'value'")
            row = await cursor.fetchone()
            return bool(row and row[0])

    await marketer.until(quantile)
    great = await api.get(marketer.token, "/v1/customers/by/customer_number/v-3", after=await api.send(marketer.key, ordered(3, 5000, 0)))

    async def given(value: float) -> bool:  # it comes back as a fact of his
        timeline = await api.get(marketer.token, f"/v1/customers/{great['customer_id']}/timeline", type="score.given")
        return bool(timeline["items"][0]["data"]["value"] == value)

    await marketer.until(lambda: given(5300.0))
    after = await api.send(marketer.key, *(bought(f"v-{person}", type_="custom.looked") for person in (1, 3, 6, 10)))
    signals = await marketer.signals("valuable", after=after)
    views = [await api.get(marketer.token, f"/v1/customers/by/customer_number/v-{person}") for person in (1, 3, 6, 10)]
    assert {one["customer_id"] for one in signals} == {views[1]["customer_id"], views[3]["customer_id"]}

    await api.send(marketer.key, bought("v-3", type_="sales.order_cancelled", order_id="3-5000"))
    await marketer.until(lambda: given(300.0))
    timeline = await api.get(marketer.token, f"/v1/customers/{great['customer_id']}/timeline", type="score.given")
    assert [(one["data"]["score"], one["data"]["value"], one["data"]["before"]) for one in timeline["items"]] == [
        ("value", 300.0, 5300.0),
        ("value", 5300.0, 300.0),
        ("value", 300.0, None),
    ]
