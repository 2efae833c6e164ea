"""docs/view.md: its example is what the program answers to the events it names."""

import json
from pathlib import Path
from typing import Any

import msgspec

from projections.timeline.row import row_of
from projections.view import channels, consent, contacts, matters, orders, subscriptions, traits
from projections.view.answer import View
from projections.view.reading import read
from projections.view.windows import Counted, windows
from tests.view.telling import BEGINNING, CUSTOMER, folded, happened

PAGE = (Path(__file__).parents[2] / "docs" / "view.md").read_text()


def blocks(language: str) -> list[str]:
    return [block.partition("\n")[2] for block in PAGE.split("```") if block.startswith(f"{language}\n")]


def answer() -> dict[str, Any]:
    """What is answered to the events of the page's first block, on the eleventh day."""
    history = [
        happened(event["type"], event["data"], who=[tuple(who) for who in event["who"]], day=event["day"])
        for event in map(json.loads, blocks("json")[0].strip().splitlines())
    ]
    rows = [row_of(happening.event, b"", CUSTOMER, 0, 0) for happening in history]
    counted = [Counted(row.at, row.event_id, row.type, row.channel, row.ref, row.amount, row.currency) for row in rows]
    now = BEGINNING.replace(day=11)
    built: dict[str, Any] = msgspec.to_builtins(read(CUSTOMER, folded(history), windows(counted, now), now, position="gQAX"))
    return built


def test_the_example_is_what_is_answered() -> None:
    assert json.loads(blocks("json")[1]) == answer()


def test_every_field_is_explained() -> None:
    explained = {line.split("|")[1].strip().strip("`") for line in PAGE.splitlines() if line.startswith("| `")}
    assert set(View.__struct_fields__) <= explained


def test_every_limit_is_told() -> None:
    for limit, what in (
        (contacts.LIMIT, "identifiers"),
        (traits.LIMIT, "traits"),
        (traits.REPORTS, "reports of a trait"),
        (traits.LONGEST, "characters of a trait"),
        (channels.LIMIT, "channels"),
        (orders.LIMIT, "orders"),
        (consent.LIMIT, "words on consent"),
        (subscriptions.LIMIT, "subscriptions"),
        (matters.CALLS, "calls"),
        (matters.QUOTES, "quotes"),
        (matters.LEADS, "leads"),
    ):
        assert f"| {what} | {limit} |" in PAGE, what
