"""What happened to the customers that the desk is tried on: told by their channels, hours before the tests."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

SARA = {"customer_number": "10042", "phone": "0912 345 6789"}
HER_PHONE = {"phone": "+98 912 345 6789"}
HER_DEVICE = {"device": "d-7f3a"}
BEFORE = {"customer_number": "20077", "phone": "0935 111 2233"}
"""Somebody who turns out to be one with another while one looks."""

_numbers = count(1)


def told(type_: str, ago: timedelta, who: dict[str, Any], *, source: str = "shop", simulated: bool = False, **data: Any) -> Any:
    """One event."""
    at = (datetime.now(UTC) - ago).isoformat()
    envelope = {"specversion": "1.0", "id": f"story-{next(_numbers)}", "source": source, "type": type_, "time": at}
    return envelope | {"data": {"who": who, **data}, "yektasimulated": simulated}


def days(number: float) -> timedelta:
    """So many days."""
    return timedelta(days=number)


def sara() -> Iterator[Any]:
    """A customer of five channels: called, visited the site, ordered, bought of a reseller, allowed and forbade."""
    lines = [{"sku": "TEA-250", "quantity": 2, "unit_price": "1850000"}, {"sku": "CUP-6", "quantity": 1, "unit_price": "8000000"}]
    traits = {"name": "سارا کریمی", "city": "شیراز", "tier": "طلایی", "birth_date": "1990-03-21", "company": "چاپخانهٔ نگین"}
    yield told("profile.reported", days(400), SARA | {"email": "sara.karimi@example.ir"}, source="crm", traits=traits)
    yield told("sales.order_placed", days(120), SARA, order_id="o-4711", lines=lines, total="11700000", currency="IRR")
    yield told("sales.order_placed", days(20), SARA, order_id="o-5001", lines=lines[:1], total="45000000", currency="IRR")
    yield told("sales.order_placed", days(19), SARA, order_id="o-5002", lines=lines[:1], total="45000000", currency="IRR")
    yield told("sales.order_cancelled", days(18), SARA, order_id="o-5002", reason="دو بار ثبت شده بود")
    yield told("sales.quote_sent", days(3), SARA, quote_id="q-77", total="98000000", currency="IRR", lines=lines[:1])
    yield told("consent.given", days(200), HER_PHONE, source="crm", purpose="marketing", channels=["sms", "email"])
    yield told("consent.withdrawn", days(10), HER_PHONE, source="crm", purpose="marketing", channels=["email"])
    yield told("web.identified", days(2.1), HER_DEVICE | {"email": "sara.karimi@example.ir"}, source="web", traits={"language": "fa"})
    yield told("web.page_viewed", days(2), HER_DEVICE, source="web", url="https://shop.example/prices", title="فهرست قیمت‌ها")
    yield told("web.cart_updated", days(0.2), HER_DEVICE, source="web", lines=lines, total="11700000", currency="IRR")
    sale: dict[str, Any] = {"reseller": "نوین", "sale_id": "n-310", "lines": lines[:1], "total": "1950000", "currency": "IRR"}
    yield told("reseller.sale_reported", days(60), HER_PHONE, source="resellers", simulated=True, **sale)
    call: dict[str, Any] = {"source": "pbx", "call_id": "c-1001"}
    yield told("call.ringing", days(1.1), HER_PHONE, **call, direction="inbound", number="09123456789", queue="پشتیبانی", extension="204")
    yield told("call.ended", days(1), HER_PHONE, **call, talk_seconds=187.5, reason="ارسال", note="قول دادیم تا فردا پیامک شود.")
    yield told("loyalty.points_earned", days(5), SARA, source="loyalty", points=120)
    for number in range(60):
        page: dict[str, Any] = {"url": f"https://shop.example/{number}", "title": f"صفحهٔ {number}"}
        yield told("web.page_viewed", days(30 + number), HER_DEVICE, source="web", **page)


def first() -> Iterator[Any]:
    """Whom we know longest: of two customers that turn out to be one, she stays."""
    yield told("profile.reported", days(90), {"email": "mina@example.ir"}, source="crm", traits={"name": "مینا راد"})


def others() -> Iterator[Any]:
    """A customer of another country, one only heard of, one whose name is an attack, and one who will turn out to be Mina."""
    abroad = {"customer_number": "10043", "phone": "+44 20 7946 0958"}
    yield told("profile.reported", days(300), abroad, source="crm", traits={"name": "Jean-Baptiste O'Neill-Featherstonehaugh"})
    yield told("sales.order_placed", days(290), abroad, order_id="o-9001", lines=[_cd(3)], total="35.31", currency="USD")
    yield told("sales.order_placed", days(29), abroad, order_id="o-9002", lines=[_cd(30)], total="353.10", currency="EUR")
    yield told("profile.reported", days(200), {"phone": "09120000001"}, source="crm", traits={"name": "سارا احمدی"})
    attack = "<script>document.title = 'taken'</script>\"><img src=x onerror=\"document.title = 'taken'\">"
    yield told("profile.reported", days(9), {"phone": "09120000002"}, source="crm", traits={"name": attack, "city": attack})
    yield told("call.ended", days(8), {"phone": "09120000002"}, source="pbx", call_id="c-9", note=attack, reason=attack)
    yield told("web.form_submitted", days(50), BEFORE, source="web", form="contact", fields={"message": "سلام"})


def _cd(quantity: int) -> dict[str, Any]:
    return {"sku": "CD-1", "quantity": quantity, "unit_price": "11.77"}
