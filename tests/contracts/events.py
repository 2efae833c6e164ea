"""Builds events for tests of reading, and reads them."""

from datetime import UTC, datetime
from typing import Any

from aggregates.contracts import CONTRACTS
from aggregates.reading import Refusal, read
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint

SOURCE = Source("shop")
RECORDED = datetime(2026, 11, 22, 7, tzinfo=UTC)
GONE = object()
"""Stands for an attribute or field that is left out."""


def event(type_: str = "loyalty.points_earned", data: Any = None, **attributes: Any) -> dict[str, Any]:
    """An event in structured JSON; without data, that of the contract's example."""
    if data is None:
        data = dict(CONTRACTS[type_].example) if type_ in CONTRACTS else {}
    if isinstance(data, dict):
        data = {name: value for name, value in data.items() if value is not GONE}
    whole = {"specversion": "1.0", "id": "e-1", "source": "/shop", "type": type_, "time": "2026-11-22T10:00:00+03:30", "data": data}
    return {name: value for name, value in (whole | attributes).items() if value is not GONE}


def example(type_: str, **changes: Any) -> dict[str, Any]:
    """The event of a contract's example with some fields changed."""
    return event(type_, dict(CONTRACTS[type_].example) | changes)


def taken(one: dict[str, Any], source: Source = SOURCE) -> Touchpoint:
    """The touchpoint that an event is."""
    found = read(one, source, RECORDED)
    assert isinstance(found, Touchpoint), found
    return found


def refused(one: Any, source: Source = SOURCE) -> tuple[str, str]:
    """The reason for which an event is refused, and where."""
    found = read(one, source, RECORDED)
    assert isinstance(found, Refusal), found
    assert found.detail.endswith(".")
    assert found.mend.endswith(".")
    return found.reason, found.pointer
