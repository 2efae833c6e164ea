"""Events as channel systems send them, for the tests of the API."""

from typing import Any


def event(id_: str = "1", **changes: Any) -> dict[str, Any]:
    """A page view."""
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/web/shop",
        "type": "web.page_viewed",
        "time": "2026-05-01T10:00:00+03:30",
        "data": {"url": "https://shop.example/", "who": {"device": "d-1", "phone": "0912 123 4567"}},
    } | changes


def order(id_: str = "1", **data: Any) -> dict[str, Any]:
    """An order."""
    lines = [{"sku": "A1", "quantity": 2, "unit_price": "6.25"}]
    content = {"order_id": f"o-{id_}", "lines": lines, "total": "12.50", "currency": "USD", "who": {"customer_number": "77"}}
    return event(id_, type="sales.order_placed", source="/sales", data=content | data)
