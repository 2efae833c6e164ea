"""Finds the messages in what an analytics client sent, whatever it wrapped them in. The bytes decide, never a label.

A batch, a bare list, one message; JSON lines; a form whose `data` is JSON or base64 of JSON; JSON that was written as a JSON text once
more. Reading order: Parcel, unwrapped, listed.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import msgspec

from aggregates import apart, cloudevents
from aggregates.cloudevents import EVENT_BYTES
from aggregates.refusal import Refusal

MOST = 50_000
"""So many messages a request may have."""

FORM = ("data", "payload", "json", "d")
"""The names under which clients that send forms put what they have to say."""

OPEN = (b"{", b"[", b",", b":")
"""How a line ends that goes on in the next."""

FORM_BYTES = 4 << 20
MOST_FIELDS = 100
_FIELD = re.compile(rb'content-disposition:[^\r\n]*;\s*name="?([^";\r\n]+)', re.IGNORECASE)
NOTHING: Mapping[str, Any] = {}
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_any = msgspec.json.Decoder()
_outer = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_lines = msgspec.json.Decoder(msgspec.Raw)


@dataclass(slots=True)
class Parcel:
    """What stands around the messages, and the messages: as values where all could be read at once, and each as it came."""

    around: Mapping[str, Any]
    count: int
    _values: list[Any] | None
    _split: Callable[[], list[msgspec.Raw]]
    _raws: list[msgspec.Raw] | None = None

    def raw(self, number: int) -> bytes:
        """One message as it came; that costs something, and is seldom asked."""
        if self._raws is None:
            self._raws = self._split()
        return bytes(self._raws[number])

    def message(self, number: int) -> Any | Refusal:
        """What one message says, or why it cannot be read."""
        if self._values is not None:
            return self._values[number]
        raw = self.raw(number)
        return cloudevents.decoded(raw) if len(raw) <= EVENT_BYTES else cloudevents.too_large(len(raw))

    def event(self, number: int) -> Mapping[str, Any] | Refusal:
        """One message as a CloudEvent."""
        return cloudevents.structured(self.raw(number)) if self._values is None else cloudevents.event_of(self._values[number])

    def repeats(self, content: bytes) -> bool:
        """Whether this content, of which all is read, gives anything twice: then each message is to be looked at for itself."""
        return cloudevents.repeats(content, self._values)


def unwrapped(content: bytes) -> Parcel | None:
    """The messages of a body; None when nothing in it can be told apart."""
    content = content.removeprefix(cloudevents.BOM)
    return _at_once(content) or _one_by_one(content) or _json_lines(content) or _within(content) or _apart(content)


def listed(content: bytes) -> Parcel | Refusal:
    """The values of an array, or why there are none."""
    parcel = _at_once(content.removeprefix(cloudevents.BOM))
    if parcel is not None and not parcel.repeats(content):
        return parcel
    raws = cloudevents.items(content)
    return raws if isinstance(raws, Refusal) else _split(NOTHING, list(map(msgspec.Raw, raws)))


def _at_once(content: bytes) -> Parcel | None:
    """All is read in one go: the usual way, and the cheapest. One message that cannot be read, or may be too large, is none of this."""
    if len(content) > EVENT_BYTES:
        return None
    try:
        value = _any.decode(content)
    except UNREADABLE:
        return None
    match value:
        case {"batch": list(values)}:
            return Parcel(value, len(values), values, lambda: _raws.decode(_outer.decode(content)["batch"]))
        case {"batch": _}:
            return None
        case dict():
            return Parcel(value, 1, [value], lambda: [msgspec.Raw(content)])
        case list():
            return Parcel(NOTHING, len(value), value, lambda: _raws.decode(content))
        case _:
            return None


def _one_by_one(content: bytes) -> Parcel | None:
    """Each message is read for itself, so that one that cannot be read costs no other."""
    try:
        if content.lstrip()[:1] == b"[":
            return _split(NOTHING, _raws.decode(content))
        outer = _outer.decode(content)
        around = {name: value(raw) for name, raw in outer.items() if name != "batch" and len(raw) <= EVENT_BYTES}
        return _split(around, _raws.decode(outer["batch"]) if "batch" in outer else [msgspec.Raw(content)])
    except UNREADABLE:
        return None


def _split(around: Mapping[str, Any], raws: list[msgspec.Raw]) -> Parcel:
    return Parcel(around, len(raws), None, lambda: raws)


def value(raw: msgspec.Raw) -> Any:
    """What stands beside the messages; None for what cannot be read."""
    try:
        return _any.decode(raw)
    except UNREADABLE:
        return None


def _json_lines(content: bytes) -> Parcel | None:
    """A message a line; a line that is none costs no other."""
    if b"\n" not in content.strip():
        return None
    if content.lstrip()[:1] == b"{":
        try:
            return _split(NOTHING, _lines.decode_lines(content))
        except UNREADABLE:
            pass
    lines = [line for line in content.splitlines() if line.strip()]
    return _split(NOTHING, list(map(msgspec.Raw, lines))) if _are_lines(lines) else None


def _are_lines(lines: Sequence[bytes]) -> bool:
    """Whether each is a message for itself, though some are broken: no line of JSON that was written over several ones is a whole object at
    its beginning, nor are all its further lines."""
    first, *others = lines
    if _is_whole(first):
        return True
    return not first.rstrip().endswith(OPEN) and all(line.lstrip()[:1] == b"{" for line in others) and any(map(_is_whole, others))


def _is_whole(line: bytes) -> bool:
    return apart.members(line) is not None


def _apart(content: bytes) -> Parcel | None:
    """The messages of what cannot be read as a whole, because of one of them. One alone that is no JSON is none."""
    raws = apart.listed(content)
    if raws is not None:
        return _split(NOTHING, list(map(msgspec.Raw, raws)))
    outer = apart.members(content)
    if outer is None:
        return None
    around = {name: value(msgspec.Raw(raw)) for name, raw in outer.items() if name != "batch" and len(raw) <= EVENT_BYTES}
    if "batch" in outer:
        raws = apart.listed(outer["batch"])
    elif len(content) > EVENT_BYTES or not _is_not_json(cloudevents.decoded(content)):
        raws = [content]
    return None if raws is None else _split(around, list(map(msgspec.Raw, raws)))


def _is_not_json(value: Any) -> bool:
    return isinstance(value, Refusal) and value.reason == "not_json"


def _within(content: bytes) -> Parcel | None:
    """JSON in the field of a form, or in a JSON text."""
    if len(content) > FORM_BYTES:
        return None
    try:
        inner = _any.decode(content)
        found = inner.encode() if isinstance(inner, str) else b""
    except UNREADABLE:
        found = _of_form(content)
    return _at_once(found) or _one_by_one(found) or _apart(found) if found[:1] in {b"{", b"["} else None


def _of_form(content: bytes) -> bytes:
    try:
        fields = _parts(content) if content.startswith(b"--") else parse_qs(content.decode("ascii"), max_num_fields=MOST_FIELDS)
    except (UnicodeDecodeError, ValueError):
        return b""
    text = next((fields[name][0] for name in FORM if name in fields), "").strip()
    if text[:1] in {"{", "["}:
        return text.encode()
    try:
        return b64decode(text.replace(" ", "+").translate(URLSAFE) + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return b""


def _parts(content: bytes) -> dict[str, list[str]]:
    """The fields of a form as browsers send `FormData` (RFC 7578): its first line is what parts them."""
    boundary, _, rest = content.partition(b"\r\n")
    found: dict[str, list[str]] = {}
    for part in rest.split(b"\r\n" + boundary, MOST_FIELDS):
        head, _, text = part.partition(b"\r\n\r\n")
        if (field := _FIELD.search(head)) is not None:
            found.setdefault(field[1].decode(), []).append(text.decode())
    return found


URLSAFE = str.maketrans("-_", "+/")
