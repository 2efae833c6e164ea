"""Reads CDNOW's orders, the real ones of the demo, and tells each as a channel system would: one `sales.order_placed`.

CDNOW sold compact discs on the web. The data is every order, from 1997-01-01 to 1998-06-30, of the customers who first bought in the first
quarter of 1997; it is known from the literature on customer lifetime value (Fader and Hardie, 2001). A row is a customer, a day, a number
of discs and dollars. 255 rows repeat another one and are real all the same, so a row's number is its order's id.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

SOURCE = "cdnow"
ORIGIN = "https://cdnow.example/shop"
LAST_DAY = date(1998, 6, 30)

NOON = time(12, tzinfo=UTC)
"""The data tells days and no hours. Noon UTC lies on the same day in every time zone from UTC-12 to UTC+11."""


@dataclass(frozen=True, slots=True)
class Order:
    """One row."""

    row: int  # from 1, without the heading
    customer: str  # five digits, as in the file
    day: date
    discs: int
    dollars: Decimal

    @property
    def at(self) -> datetime:
        return datetime.combine(self.day, NOON)


@dataclass(frozen=True, slots=True)
class Totals:
    """What a load is checked by."""

    orders: int
    customers: int
    dollars: Decimal


KNOWN = Totals(69_659, 23_570, Decimal("2500315.63"))
"""The totals of the whole file."""


def read(text: str) -> list[Order]:
    """The rows of the file, in its order: by customer, then by day."""
    _heading, *lines = text.splitlines()
    return [_order(row, *line.split()) for row, line in enumerate(lines, 1)]


def of_some(orders: list[Order], customers: int, also: Collection[str] = ()) -> list[Order]:
    """The orders of the first so many customers, and of those that must not be missing."""
    kept = {*sorted({order.customer for order in orders})[:customers], *also}
    return [order for order in orders if order.customer in kept]


def totals(orders: list[Order]) -> Totals:
    """The sums over some orders."""
    return Totals(len(orders), len({order.customer for order in orders}), sum((order.dollars for order in orders), Decimal(0)))


def said(totals: Totals) -> str:
    """Totals as people read them."""
    return f"{totals.orders:,} orders of {totals.customers:,} customers for ${totals.dollars:,.2f}"


def event(order: Order) -> dict[str, Any]:
    """The order as a CloudEvent. The file tells no single prices: the line has the mean, and the total is what was paid."""
    return {
        "specversion": "1.0",
        "id": f"cdnow-{order.row}",
        "source": ORIGIN,
        "type": "sales.order_placed",
        "time": f"{order.day:%Y-%m-%d}T12:00:00Z",
        "data": {
            "who": {"customer_number": order.customer},
            "order_id": f"cdnow-{order.row}",
            "lines": [{"sku": "disc", "quantity": order.discs, "unit_price": str(round(order.dollars / order.discs, 4))}],
            "total": str(order.dollars),
            "currency": "USD",
        },
    }


def _order(row: int, customer: str, day: str, discs: str, dollars: str) -> Order:
    return Order(row, customer, date(int(day[:4]), int(day[4:6]), int(day[6:])), int(discs), Decimal(dollars))
