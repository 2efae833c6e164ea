"""Orders that nobody placed, for tests that must not depend on the real ones."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from infra.demo.cdnow import NOON, Order
from infra.demo.simulated.person import is_simulated

FIRST_DAY = date(1997, 1, 1)

KNOWN = [number for number in (f"{n:05d}" for n in range(1, 23_571)) if is_simulated(number)]
"""The customers whom simulated channels know."""


def day(number: int) -> datetime:
    """Noon of a day of the data."""
    return datetime.combine(FIRST_DAY + timedelta(days=number), NOON)


def orders(*days_of: tuple[str, tuple[int, ...]]) -> list[Order]:
    """Orders of customers at these days."""
    rows = [(customer, number) for customer, days in days_of for number in days]
    return [Order(row, customer, FIRST_DAY + timedelta(days=number), 2, Decimal("23.54")) for row, (customer, number) in enumerate(rows, 1)]
