"""An invoice that got further rows since it was sent: they are added, once, however often and in whatever order the files come."""

from typing import Any

import pytest

from tests.api.conftest import Api

pytestmark = pytest.mark.engines

FIRST: dict[str, Any] = {"شماره فاکتور": "310", "تاریخ": "1404/08/30", "موبایل": "09127770310", "کد کالا": "TEA", "تعداد": 1, "مبلغ": 100}
LATER: list[dict[str, Any]] = [
    {"شماره فاکتور": "310", "کد کالا": "CUP", "تعداد": 2, "مبلغ": 50},
    {"شماره فاکتور": "310", "کد کالا": "POT", "تعداد": 1, "مبلغ": 7},
]
MAPPING = {"group": "شماره فاکتور", "columns": {"مبلغ": {"field": "total", "unit": "ریال", "sum": True}}}


async def test_further_rows_of_an_invoice_are_one_more_fact_of_it_and_others_contradict(live: Api) -> None:
    key, agent = await live.write_key("growing"), await live.token("agent")
    at = ""

    async def send(first: dict[str, Any], *more: dict[str, Any]) -> None:
        """Send these rows as the importer does, and wait until they are in the view."""
        nonlocal at
        row = {"row": 2, "id": "310", "cells": first, "more": more}
        sent = {"file": "azar.csv", "type": "reseller.sale_reported", "mapping": MAPPING, "rows": [row]}
        answer = await live.client.post("/v1/imports", json=sent, auth=(key, ""))
        assert [item["status"] for item in answer.json()["items"]] == ["accepted"], answer.text
        at = answer.json()["position"]
        await live.get(agent, "/v1/customers/by/phone/09127770310", after=at)

    async def sales() -> list[tuple[str, str, list[str]]]:
        customer = (await live.get(agent, "/v1/customers/by/phone/09127770310", after=at))["customer_id"]
        items = (await live.get(agent, f"/v1/customers/{customer}/timeline"))["items"]
        data = [item["data"] for item in items if item["type"] == "reseller.sale_reported"]
        return sorted((one["sale_id"], one["total"], [line["sku"] for line in one["lines"]]) for one in data)

    for grown in ([FIRST], [FIRST, LATER[0]], [FIRST, LATER[0]], [FIRST], [FIRST, *LATER], [FIRST, *LATER]):
        await send(*grown)
    expected = [("310", "100", ["TEA"]), ("310", "50", ["CUP"]), ("310", "7", ["POT"])]
    assert await sales() == expected
    await send(FIRST | {"تعداد": 2}, *LATER)  # a row that was sent says something else: nobody knows which is right
    assert await sales() == expected
    listed = (await live.get(await live.token(), "/v1/dead-letters", source="growing", after=at))["items"]
    assert [letter["reason"] for letter in listed] == ["id_reused"]
