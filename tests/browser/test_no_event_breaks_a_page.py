"""Whatever the log holds can be shown: channels send what they like, and one event must not take the page from the agent."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.contracts import CONTRACTS
from api.customers import Item
from api.desk.besides import Beside, Leaving, Open
from api.desk.catalog import LANGUAGES
from api.desk.customer import customer
from api.desk.entries import LINES, days, entry
from api.desk.locale import Locale
from api.desk.rendering import part
from projections.view import fold, reading

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EVENT = UUID("6f1c1d3e-7a35-5d0e-9a53-7d1f3c6b2a10")

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6
)
names = st.sampled_from(
    sorted({name for line in LINES.values() for names in line for name in names.split("|")} | {"currency", "note", "fields", "who"})
)
moments = st.datetimes(timezones=st.just(UTC))


def item(type_: str, data: dict[str, Any], at: datetime = NOW, **changes: Any) -> Item:
    told: dict[str, Any] = {
        "id": "1",
        "source": "<b>",
        "type": type_,
        "channel": type_.partition(".")[0],
        "at": at,
        "occurred": at,
        "recorded": at,
    }
    return Item(**told | {"event_id": EVENT, "ref": None, "data": data, "simulated": False, "flags": [], "erased": False} | changes)


def shown(language: str, *items: Item) -> str:
    locale = Locale(language, ZoneInfo("Asia/Tehran"), NOW)
    return part(locale, "timeline.html", days=days((entry(one, locale) for one in items), locale), older=None, whole=True, suffix="")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_type_of_our_contracts_has_its_line(language: str) -> None:
    for contract in CONTRACTS.values():
        page = shown(language, item(contract.type, dict(contract.example)))
        assert page.count('class="part"') >= 1, contract.type


@given(
    st.sampled_from(LANGUAGES), st.sampled_from(sorted(LINES)) | st.text(max_size=12), st.dictionaries(names, values, max_size=6), moments
)
def test_any_data_under_any_type_is_shown(language: str, type_: str, data: dict[str, Any], at: datetime) -> None:
    flags = ["simulated", "backfill", "future", "past", "event_clock"]
    page = shown(language, item(type_, data, at, flags=flags, erased=True, occurred=at + timedelta(0)))
    assert page.count("<li ") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_of_whom_nothing_is_known_has_a_page(language: str) -> None:
    locale = Locale(language, ZoneInfo("Asia/Tehran"), NOW)
    nobody = customer(reading.read(EVENT, fold.initial(), {}, NOW), EVENT, locale)
    beside = Beside(Open([], 0, None), Leaving("none"), None, None, True, "", frozenset(), NOW, [])
    values = {"customer": nobody, "beside": beside, "by": None, "id": EVENT, "may_split": True, "call_query": ""}
    for region in ("who", "matters", "numbers"):
        assert part(locale, f"{region}.html", **values)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("none", "Not enough history yet"),
        ("learning", "no outcome is known yet"),
        ("outside", "No contract of this customer runs"),
        ("refused", "The model is not loaded"),
    ],
)
def test_why_there_is_no_score_is_said(status: str, said: str) -> None:
    locale = Locale("en", ZoneInfo("Asia/Tehran"), NOW)
    nobody = customer(reading.read(EVENT, fold.initial(), {}, NOW), EVENT, locale)
    beside = Beside(Open([], 0, None), Leaving(status), None, None, True, "", frozenset(), NOW, [])
    assert said in part(locale, "numbers.html", customer=nobody, beside=beside, id=EVENT)


def test_what_is_masked_stays_masked() -> None:
    assert "•••۶۷۸۹" in shown("fa", item("call.ringing", {"number": "•••6789"}))


def test_nothing_that_is_sent_becomes_markup() -> None:
    attack = "<i>\"'&"
    page = shown("en", item("call.ended", {"note": attack, "reason": attack, attack: attack}))
    assert "<i>" not in page
    assert page.count("&lt;i&gt;&#34;&#39;&amp;") == 4
