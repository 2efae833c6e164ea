"""Whatever JSON comes in, a touchpoint that can be sealed or a refusal that can be sent goes out, and a refusal quotes no value."""

import string
from dataclasses import asdict
from typing import Any, get_args

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import example as also
from hypothesis import strategies as st

from aggregates.contracts import CONTRACTS
from aggregates.identifier import Identifier, Token
from aggregates.reading import Reason, Refusal, read
from aggregates.sealing import open_sealed, seal, whole_data
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint
from aggregates.wire import identifiers, touchpoint_decoder
from tests.contracts.events import RECORDED, SOURCE, event

TEXT = st.text(st.characters(codec=None), max_size=20)  # halves of surrogate pairs and NUL included
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.sampled_from(["undefined", "true", "1.0", "/v1", "2026-11-22"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.sampled_from(["who", "phone"]), inner, max_size=4)
)
ATTRIBUTES = (
    *("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "data", "data_base64"),
    *("yektasimulated", "yektabackfill", "yektaversion", "tenant"),
)
TYPES = st.sampled_from([*CONTRACTS, "no.such"])
SOURCES = st.builds(Source, st.just("shop"), strict=st.booleans(), simulated=st.booleans(), types=st.sampled_from([(), ("call.*",)]))


class PlainSealer:
    """Seals nothing: what is written is what would be sealed."""

    def token(self, identifier: Identifier) -> Token:
        return Token(f"{identifier.kind}:{identifier.value.encode().hex()}")

    def digest(self, purpose: str, body: bytes) -> bytes:
        return (purpose.encode() + body)[:16]

    def seal(self, subject: bytes, plain: bytes, context: bytes) -> tuple[int, bytes]:
        return 1, context + plain

    def unseal(self, number: int, sealed: bytes, context: bytes) -> bytes:
        return sealed.removeprefix(context)


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A good event with a few attributes, fields or inner values replaced by anything."""
    one = event(draw(TYPES))
    one["data"] = msgspec.to_builtins(one["data"])
    for _ in range(draw(st.integers(0, 3))):
        place: Any = draw(st.sampled_from([one, one["data"], one["data"].get("who"), *(one["data"].get("lines") or [])]))
        if isinstance(place, dict) and isinstance(one["data"], dict):
            place[draw(st.sampled_from([*place, *ATTRIBUTES]) | TEXT)] = draw(JSON)
        if not isinstance(one["data"], dict):
            break
    return one


def judged(one: Any, source: Source) -> None:
    found = read(one, source, RECORDED)
    if isinstance(found, Refusal):
        assert found.reason in get_args(Reason)
        assert all(asdict(found)[name] for name in ("detail", "mend"))
        msgspec.json.encode(found)
        assert found.pointer == "" or found.pointer.startswith("/")
        return
    _, record = seal(found, PlainSealer())
    written = touchpoint_decoder.decode(record)
    opened = open_sealed(written, PlainSealer())
    assert identifiers(opened) == (found.who if found.personal else ())
    assert whole_data(written, opened) == {**found.data, **found.personal}
    assert written.time == found.occurred
    assert b"\\u0000" not in found.body or b"\\\\u0000" in found.body


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(JSON | st.dictionaries(st.sampled_from(ATTRIBUTES) | TEXT, JSON, max_size=8), SOURCES)
def test_any_json_is_read_or_refused(one: Any, source: Source) -> None:
    judged(one, source)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=700)
@given(damaged(), SOURCES)
@also(event(data={"n": 10**5000}), SOURCE)
@also(event(yektaversion=10**5000), SOURCE)
@also(event(time="2026-11-22T10:00:\ud80060Z"), SOURCE)
def test_an_event_that_is_nearly_right_is_read_or_refused(one: dict[str, Any], source: Source) -> None:
    judged(one, source)


SECRET = "Karimi7391"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(TYPES, st.data())
def test_a_refusal_never_quotes_a_value(type_: str, data: st.DataObject) -> None:
    one = event(type_)
    one["data"] = msgspec.to_builtins(one["data"])
    place = data.draw(st.sampled_from([one, one["data"], *([one["data"]["who"]] if "who" in one["data"] else [])]))
    name = data.draw(st.sampled_from(sorted({*place, "time", "data", "data_base64", "dataschema", "yektaversion", "datacontenttype"})))
    place[name] = data.draw(st.sampled_from([SECRET, [SECRET], {SECRET: SECRET}, f"{SECRET}\0", [{"a": SECRET + "\ud800"}], f"{SECRET}@"]))
    found = read(one, SOURCE, RECORDED)
    assert isinstance(found, Touchpoint) or SECRET not in repr(found)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(string.ascii_letters + string.digits + "@._- ", min_size=1, max_size=20))
def test_a_value_in_the_place_of_a_kind_is_not_quoted(value: str) -> None:
    found = read(event(data={"who": {f"{SECRET} {value}": True}}), SOURCE, RECORDED)
    assert isinstance(found, Refusal)
    assert SECRET not in repr(found)
