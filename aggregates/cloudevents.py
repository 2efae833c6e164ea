"""Turns the three shapes in which a CloudEvent travels (structured, batch, binary) into the one mapping that `reading.read` judges.

Both doors share it: over HTTP and over Kafka the bytes differ only in how the attributes are carried. The shape is told by what is
there, never by the content type alone, because real clients mislabel it. Reading order: decoded, structured, repeats, event_of, items,
gathered, binary, restored, named_event, header_text.
"""

import json
import re
from base64 import b64encode
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes
from uuid import UUID

import msgspec

from aggregates import apart
from aggregates.canonical import DEEPEST, is_name, text_of
from aggregates.refusal import Refusal, pointer_to
from aggregates.touchpoint import event_id

EVENT_BYTES = 1 << 20
"""The largest event that is accepted: 1 MiB, as it came."""

HALF = re.compile(rb"\\u[dD][89a-fA-F]")
DEPTH_HINT = f"Nest objects and arrays at most {DEEPEST} deep."
JSON_HINT = "Send one JSON object, UTF-8, as RFC 8259 has it."
SEVERAL_HINT = "Send one JSON object, or several events as one array: [{…}, {…}]."
BOM = b"\xef\xbb\xbf"
Attributes = Mapping[str, str | list[str]]
"""The attributes of a binary-mode message; of one that says several things, all of them."""

UTF_16 = (BOM_UTF16_LE, BOM_UTF16_BE, b"{\0", b"[\0", b"\0{", b"\0[")
"""How JSON in UTF-16 begins."""

_any = msgspec.json.Decoder()
_items = msgspec.json.Decoder(list[msgspec.Raw])
_encode = msgspec.json.Encoder().encode


def decoded(body: bytes) -> Any | Refusal:
    """The value of a JSON text, or why it has none; never an exception, whatever the bytes."""
    try:
        return _any.decode(body.removeprefix(BOM))
    except UnicodeDecodeError as error:
        return Refusal("not_json", "", f"Byte {error.start} of a text is not UTF-8.", "Encode the event as UTF-8.")
    except RecursionError:
        return Refusal("too_deep", "", "The JSON is nested too deeply to be read.", DEPTH_HINT)
    except msgspec.ValidationError:
        refusal = Refusal(
            "unusable_number", "", "The JSON holds a number outside the range of a double.", "Write such a number as a string."
        )
        return _leniently(body, refusal)
    except msgspec.DecodeError as error:
        refusal = Refusal("not_json", "", _wrong(body, error), SEVERAL_HINT if _has_more(error) else JSON_HINT)
        return _leniently(body, refusal) if HALF.search(body) else refusal


def _wrong(body: bytes, error: msgspec.DecodeError | UnicodeDecodeError) -> str:
    """What is wrong with a text that is no JSON. Windows' own shell writes UTF-16 into files and pipes."""
    if not body.strip():
        return "It is empty."
    if body.startswith(UTF_16):
        return "It is written in UTF-16."
    if _has_more(error):
        return "More comes after the first JSON value."
    return "The JSON is cut off." if str(error) == "Input data was truncated" else f"{error}."


def _has_more(error: msgspec.DecodeError | UnicodeDecodeError) -> bool:
    """Whether several values stand after each other, as in JSON lines."""
    return "trailing characters" in str(error)


def _leniently(body: bytes, refusal: Refusal) -> Any | Refusal:
    """The value of a text with halves of surrogate pairs, as JavaScript writes a cut emoji, or with numbers that no double holds: whoever
    judges it says where they are."""
    try:
        return json.loads(body.removeprefix(BOM).decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        return refusal


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def structured(body: bytes) -> Mapping[str, Any] | Refusal:
    """The event of a structured-mode message: the whole event is the body."""
    if len(body) > EVENT_BYTES:
        return too_large(len(body))
    value = decoded(body)
    name = _contradicted(body) if type(value) is dict and repeats(body, value) else None
    if name is not None:
        detail = "An attribute is in it more than once, with different values."
        return Refusal("wrong_value", pointer_to(name) if is_name(name) else "", detail, "Send each attribute once.")
    return event_of(value)


def repeats(body: bytes, value: Any) -> bool:
    """Whether some member is in a JSON text more than once: what was read of it needs fewer quotes then. Half a microsecond an event."""
    try:
        return body.count(b'"') > _encode(value).count(b'"')
    except (ValueError, OverflowError, RecursionError):  # read leniently
        return True


def _contradicted(body: bytes) -> str | None:
    """The attribute that an event gives itself twice, with different values."""
    outermost: list[tuple[str, Any]] = []

    def noted(members: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal outermost
        outermost = members
        return dict(members)

    try:
        json.loads(body.removeprefix(BOM), object_pairs_hook=noted)
    except (ValueError, RecursionError):
        return None
    said: dict[str, Any] = {}
    return next((name for name, value in outermost if said.setdefault(name, value) != value), None)


def event_of(value: Any) -> Mapping[str, Any] | Refusal:
    """The event that a decoded JSON text is, or why it is none."""
    if type(value) is dict or isinstance(value, Refusal):
        return value
    return Refusal("not_cloudevents", "", f"The event is {_name(value)}, not an object.", "Send a CloudEvents 1.0 object.")


def items(body: bytes) -> Sequence[msgspec.Raw | bytes] | Refusal:
    """The events of a batch as they came, so that each is read, refused and kept for itself."""
    body = body.removeprefix(BOM)
    try:
        return _items.decode(body)
    except RecursionError:
        refusal = Refusal("too_deep", "", "The JSON is nested too deeply to be read.", DEPTH_HINT)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        refusal = Refusal("not_json", "", _wrong(body, error), "Send a JSON array of CloudEvents, UTF-8.")
    found = apart.listed(body)
    return refusal if found is None else found


def gathered(headers: Iterable[tuple[str, str]]) -> Attributes:
    """The attributes that headers carry. A header that comes twice says one thing, if it says the same."""
    said: dict[str, list[str]] = {}
    for name, value in headers:
        values = said.setdefault(name.lower(), [])
        if value not in values:
            values.append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in said.items()}


def binary(attributes: Attributes, body: bytes, content_type: str) -> Mapping[str, Any] | Refusal:
    """The event of a binary-mode message: attributes beside, `data` as the body; an empty body is an event without data."""
    if len(body) > EVENT_BYTES:
        return too_large(len(body))
    for name, value in attributes.items():
        if isinstance(value, list):
            detail = f"The attribute {name} is in several headers that contradict each other."
            return Refusal("wrong_value", pointer_to(name), detail, "Send one header for each attribute.")
    event: dict[str, Any] = dict(attributes)
    if not body.strip():
        return event
    data = decoded(body)
    if isinstance(data, Refusal):
        return _not_json_data(data, content_type)
    event["data"] = data
    return event


def restored(attributes: Attributes, body: bytes) -> bytes:
    """A binary-mode message as one structured event, byte for byte the same data: how one is kept that cannot be accepted."""
    event: dict[str, Any] = dict(attributes)
    if body.strip():
        data = decoded(body)
        event |= {"data_base64": b64encode(body).decode()} if isinstance(data, Refusal) else {"data": msgspec.Raw(body.removeprefix(BOM))}
    return msgspec.json.encode(event)


def named(event: Mapping[str, Any] | Refusal) -> tuple[str | None, str | None]:
    """The id and source that an event gives itself, as far as they are texts."""
    id_, source = (None, None) if isinstance(event, Refusal) else (event.get("id"), event.get("source"))
    return text_of(id_), text_of(source)


def named_event(key: str, event: Mapping[str, Any] | Refusal) -> UUID | None:
    """The event id of what cannot be accepted, where it names itself: by it a sender asks what became of it."""
    id_, source = named(event)
    return event_id(key, source, id_) if id_ and source else None


def header_text(value: bytes) -> str:
    """A header's bytes as text: UTF-8, or Latin-1 where they are none, so that no two ids become one by what cannot be read in them."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def percent_decoded(value: bytes) -> str:
    """A header value of the HTTP binding in its own spelling (HTTP Protocol Binding 1.0, section 3.1.3.2)."""
    if len(value) > 1 and value[:1] == value[-1:] == b'"':
        value = value[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
    return header_text(unquote_to_bytes(value) if b"%" in value else value)


def too_large(size: int) -> Refusal:
    """The refusal of an event beyond `EVENT_BYTES`."""
    return Refusal(
        "too_large",
        "",
        f"The event has {size:,} bytes; at most {EVENT_BYTES:,} are accepted.",
        "Keep large content elsewhere and send a reference to it.",
    )


def _not_json_data(refusal: Refusal, content_type: str) -> Refusal:
    label = content_type.partition(";")[0].strip() or "no content type"
    return Refusal(refusal.reason, "/data", f"The body ({label}) is not JSON: {refusal.detail}", "Send data as a JSON object.")


def _name(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case _:
            return "an array"
