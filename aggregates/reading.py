"""Understands an event as a channel sent it: a touchpoint, or the refusal that says what is wrong with it.

The doors' one judgement, whatever the dialect: they bring an event as the mapping that a CloudEvent in structured JSON is. No result
depends on anything but the arguments. Reading order: read, touchpoint, fact, content, clear_and_personal, subject.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec

from aggregates.canonical import check, unusable, usable
from aggregates.contracts import CONTRACTS, SHAPES
from aggregates.contracts.currencies import CURRENCIES, mend_currency
from aggregates.contracts.explain import refused
from aggregates.contracts.shape import Shape
from aggregates.identifier import Identifier
from aggregates.moment import MEND as TIME_MEND
from aggregates.moment import of_data, read_moment
from aggregates.normal.who import implied, read_who
from aggregates.refusal import Reason, Refusal, Refused
from aggregates.source import Source, may_send
from aggregates.touchpoint import Touchpoint, channel_of, event_id

__all__ = ["Reason", "Refusal", "read"]

UNDERSTOOD = frozenset(
    {
        "specversion",
        "id",
        "source",
        "type",
        "time",
        "datacontenttype",
        "data",
        "data_base64",
        "yektasimulated",
        "yektabackfill",
        "yektaversion",
    }
)
"""Attributes that say something to the door; all others are kept as they came."""

NOTHING: Mapping[str, Any] = MappingProxyType({})

LONGEST_ID = 512
LATEST = 10**8
"""No version is as high: a number this long is no version."""

ABSENT = (None, "undefined")
"""What clients write for an attribute that they do not have; the second is JavaScript's."""


def read(event: Mapping[str, Any], source: Source, recorded: datetime) -> Touchpoint | Refusal:
    """The touchpoint that an event of this source is, received at `recorded`; or what is wrong with it, the first thing found."""
    try:
        return touchpoint(event, source, recorded)
    except Refused as problem:
        return problem.refusal


def touchpoint(event: Mapping[str, Any], source: Source, recorded: datetime) -> Touchpoint:
    """The touchpoint that an event is. Raises `Refused`."""
    if not isinstance(event, Mapping):
        raise Refused("not_cloudevents", "", "an event must be an object", "send a CloudEvent 1.0 as a JSON object")
    if event.get("specversion") != "1.0":
        raise Refused("not_cloudevents", "/specversion", "it is no CloudEvent 1.0", 'write "specversion": "1.0"')
    id_ = attribute(event, "id", LONGEST_ID)
    origin = attribute(event, "source", 1024)
    type_ = attribute(event, "type", 512)
    shape = agreed(event, source, type_)
    time = event.get("time")
    if time in ABSENT:
        time, occurred = "", recorded
    elif isinstance(time, str):
        occurred = read_moment(time, source.zone, "/time")
    else:
        raise Refused("wrong_time", "/time", "it is not text", TIME_MEND)
    simulated, backfill = flag(event, "yektasimulated"), flag(event, "yektabackfill")
    return fact(source, recorded, origin, id_, type_, shape, time, occurred, content(event), further(event), simulated, backfill)


def fact(
    source: Source,
    recorded: datetime,
    origin: str,
    id_: str,
    type_: str,
    shape: Shape | None,
    time: str,
    occurred: datetime,
    data: dict[str, Any],
    attributes: Mapping[str, Any] = NOTHING,
    simulated: bool = False,
    backfill: bool = False,
) -> Touchpoint:
    """The touchpoint whose attributes are understood and whose data is to be judged. Raises `Refused`."""
    body = usable(type_, time, data)
    who = read_who(data["who"]) if data.get("who") is not None else ()
    if shape:
        data = checked(data, shape, source.zone)
        if shape.contract.implied:
            who = implied(data, shape.contract.implied, who)
    clear, personal = clear_and_personal(data, shape)
    event_uuid = event_id(source.name, origin, id_)
    return Touchpoint(  # in its order: matching names would take three quarters of a microsecond
        event_uuid,
        source.name,  # key
        origin,  # source
        id_,
        type_,
        shape.version if shape else 0,
        occurred,
        recorded,
        subject(shape, clear, who, event_uuid),
        who,
        clear,  # data
        personal,
        body,
        attributes,
        source.simulated or simulated,
        backfill,
        source.clock,
    )


def attribute(event: Mapping[str, Any], name: str, longest: int) -> str:
    """An attribute that every event must have."""
    value = event.get(name)
    if value in ABSENT:
        raise Refused("missing_field", f"/{name}", f"the attribute {name} is missing", f"give every event its {name}")
    if not isinstance(value, str):
        raise Refused("wrong_type", f"/{name}", f"the attribute {name} must be text", "write it in quotes")
    if not value or value.isspace():
        raise Refused("wrong_value", f"/{name}", f"the attribute {name} is empty", f"give every event its {name}")
    if len(value) > longest:
        raise Refused("wrong_value", f"/{name}", f"the attribute {name} is longer than {longest} characters", "write a shorter one")
    if not value.isprintable() and (unusable(value) or any(c < " " or "\x7f" <= c <= "\x9f" for c in value)):
        raise Refused("unusable_text", f"/{name}", "there is a control character in it", "write letters, digits and punctuation")
    return value


def agreed(event: Mapping[str, Any], source: Source, type_: str) -> Shape | None:
    """What is agreed about the event: its type's contract in the version that the client names; None for types without one."""
    if not may_send(source, type_, channel_of(type_)):
        raise Refused("type_not_allowed", "/type", "this write key may not send this type", "use the key made for it, or another type")
    contract = CONTRACTS.get(type_)
    if contract is None:
        if source.strict:
            raise Refused("unknown_type", "/type", "there is no contract for this type", "see /v1/schemas for the types there are")
        return None
    version = contract.version
    if "yektaversion" in event or "dataschema" in event:
        named = named_version(event)
        version = contract.version if named is None else named
    shape = SHAPES.get((type_, version))
    if shape is None:
        name = "yektaversion" if event.get("yektaversion") not in ABSENT else "dataschema"
        raise Refused("unknown_version", f"/{name}", "the type has no such version", f"the newest is {contract.version}")
    return shape


def named_version(event: Mapping[str, Any]) -> int | None:
    """The version in `yektaversion`, or at the end of `dataschema` (`…/v1`)."""
    version = event.get("yektaversion")
    if version not in ABSENT:
        if type(version) is int and 0 <= version < LATEST:
            return version
        if isinstance(version, str) and (number := digits(version)) is not None:
            return number
        raise Refused("wrong_type", "/yektaversion", "a version is a whole number", "write it like 1")
    dataschema = event.get("dataschema")
    if isinstance(dataschema, str):
        _, found, after = dataschema.rpartition("/v")
        return digits(after) if found else None
    return None


def digits(text: str) -> int | None:
    """The number that a short text of Latin digits is."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def content(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event's data; nothing is an empty object."""
    kind = event.get("datacontenttype")
    if kind not in ABSENT and kind != "application/json" and not json_kind(kind):
        raise Refused("wrong_value", "/datacontenttype", "data must be JSON", "write application/json, or leave it out")
    data = event.get("data")
    encoded = event.get("data_base64")
    if encoded is not None:
        if data is not None:
            raise Refused("not_cloudevents", "/data_base64", "there is data twice", "send data or data_base64, not both")
        data = decoded(encoded)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise Refused("wrong_type", "/data", "data must be an object", 'write it like {"who": {…}, …}')
    return data


def json_kind(kind: Any) -> bool:
    """Whether a media type is one of JSON's."""
    if not isinstance(kind, str):
        return False
    media = kind.partition(";")[0].strip().lower()
    return media in {"", "application/json", "text/json"} or media.endswith("+json")


def decoded(encoded: Any) -> Any:
    """JSON in base64, as libraries send data that they were given as bytes."""
    try:
        return msgspec.json.decode(b64decode(encoded, validate=True))
    except (NotBase64, TypeError, ValueError, RecursionError):  # msgspec's errors and Unicode's are ValueErrors
        raise Refused("wrong_value", "/data_base64", "it is not JSON in base64", "send JSON in data") from None


def checked(data: dict[str, Any], shape: Shape, zone: str) -> dict[str, Any]:
    """Data that keeps its contract; a date alone has become the moment it means."""
    try:
        msgspec.convert(data, shape.data)
    except msgspec.ValidationError as problem:
        raise refused(problem, shape.data, data) from None
    if shape.amounts:
        check_currency(data, shape)
    for name in shape.times:
        if data.get(name) is not None:
            data = data | {name: of_data(data[name], zone, f"/data/{name}")}
    return data


def check_currency(data: dict[str, Any], shape: Shape) -> None:
    """An amount says nothing without its currency."""
    name = shape.contract.currency or ""
    code = data.get(name)
    if code:
        if code not in CURRENCIES:
            raise Refused("wrong_money", f"/data/{name}", "it is no currency of ISO 4217", mend_currency(code))
    elif any(data.get(amount) is not None for amount in shape.amounts):
        raise Refused("missing_field", f"/data/{name}", "there is an amount without its currency", 'write it like "IRR"')


def clear_and_personal(data: dict[str, Any], shape: Shape | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """What may be read in the log, and what is sealed before it: who, personal fields, and all that no contract knows."""
    clear: dict[str, Any] = {}
    personal: dict[str, Any] = {}
    known = shape.clear if shape else frozenset()
    for name, value in data.items():
        if name in known:
            clear[name] = value
        elif name != "who" or value:
            personal[name] = value
    if shape:
        for name, names in shape.parts.items():
            items = clear.get(name)
            if items and not all(names.issuperset(item) for item in items):
                # sealed whole and as sent, so that opening gives it back; in the clear goes only what the contract knows
                personal[name] = items
                clear[name] = [{part: value for part, value in item.items() if part in names} for item in items]
    return clear, personal


def subject(shape: Shape | None, data: Mapping[str, Any], who: tuple[Identifier, ...], event: UUID) -> str:
    """What the source's own order runs by: what the contract says, else the first identifier, else nothing but the event itself."""
    for kind, name in shape.subject if shape else ():
        if name:
            if data.get(name):
                return f"{name}:{data[name]}"
        elif kind:
            for identifier in who:
                if identifier.kind == kind:
                    return f"{kind}:{identifier.value}"
        elif who:
            return f"{who[0].kind}:{who[0].value}"
    return f"{who[0].kind}:{who[0].value}" if who else str(event)


def flag(event: Mapping[str, Any], name: str) -> bool:
    """A Boolean attribute; in binary mode it is a text."""
    value = event.get(name)
    if value in ABSENT or value is False:
        return False
    if value is True:
        return True
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise Refused("wrong_type", f"/{name}", f"the attribute {name} must be true or false", "write true or false")


def further(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attributes that are only kept."""
    if UNDERSTOOD.issuperset(event):
        return {}
    attributes = {name: value for name, value in event.items() if name not in UNDERSTOOD and value not in ABSENT}
    check(attributes, "")
    return attributes
