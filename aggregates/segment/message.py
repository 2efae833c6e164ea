"""Makes of one message the event that it means: its id, its time, who it was, and what happened.

The six kinds: `track`, `identify`, `page`, `screen`, `group`, `alias`. Reading order: event, identifiers, then one function a kind; how
unusual spellings become the usual one is in `spelling`.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec

from aggregates.canonical import check
from aggregates.contracts import CONTRACTS
from aggregates.normal import NotAnIdentifier, recognise
from aggregates.refusal import Refused
from aggregates.segment import clock
from aggregates.segment.commerce import KNOWN, built, campaign, page_of, put
from aggregates.segment.fields import Fields, as_text, rest, text
from aggregates.segment.names import type_of
from aggregates.segment.spelling import UNUSUAL, is_uuid, recognised
from aggregates.source import Source

Message = dict[str, Any]
Made = tuple[str, Fields, dict[str, Any]]  # type, data, who
Event = tuple[str, str, str | None, Fields]  # id, type, time, data

VOLATILE = frozenset({"sentAt", "sent_at", "writeKey", "write_key", "api_key", "apiKey", "_metadata", "receivedAt", "integrations"})
"""What a client writes anew each time it sends: no part of the message."""

VIEWED = (("url", 8_192), ("title", 10_000), ("referrer", 10_000))
AROUND = (("locale", "locale", 256), ("user_agent", "userAgent", 10_000))
"""What of the context becomes fields of a page view, and need not be sealed a second time."""

NOTHING: dict[str, Any] = {}

_encoder = msgspec.json.Encoder(order="sorted")


def event(message: Any, source: Source, received: datetime, kind: str, sent: str, around: Mapping[str, Any]) -> Event:
    """The event, its time as the client said it. Raises `Refused`, pointing into the message."""
    if not isinstance(message, dict):
        raise Refused("wrong_type", "", "a message must be an object", 'send {"type": "track", "event": …, "userId": …}')
    said = message.get("type")
    make = KINDS.get(said) if type(said) is str else None
    if make is None or ("userId" not in message and "anonymousId" not in message and not UNUSUAL.isdisjoint(message)):
        message, said = recognised(message, kind)
        make = KINDS.get(said)
    if make is None:
        raise Refused("unknown_type", "/type", "it is no kind of message", f"write one of: {', '.join(KINDS)}")
    context = dict(part(message, "context") or part(around, "context"))  # what becomes a field is taken out of it
    type_, data, who = make(message, context, source)
    if context:
        data["context"] = context
    data["who"] = who
    time = clock.said(message)
    id_ = message.get("messageId")
    if type(id_) is not str or not id_ or id_.isspace():
        id_ = id_of(message, time, sent, received)
    return id_, type_, time, data


def id_of(message: Message, time: str | None, sent: str, received: datetime) -> str:
    """The client's id. Without one: the same message is the same event, as far as a time in it tells two of them apart."""
    if id_ := own_id(message):
        return id_
    own = {name: value for name, value in message.items() if name not in VOLATILE}
    moment = "" if time is not None else clock.sent_at(message) or sent or received.isoformat()
    try:
        content = _encoder.encode((own, moment))
    except (UnicodeEncodeError, RecursionError, OverflowError, ValueError):
        check(message, "")
        raise Refused("wrong_type", "", "it is not JSON", "send JSON") from None
    return "made-" + str(UUID(bytes=hashlib.blake2b(content, digest_size=16).digest()))


def own_id(message: Any) -> str | None:
    """The id that the client gave to a message, if it did."""
    if not isinstance(message, dict):
        return None
    id_ = message.get("messageId") or message.get("message_id") or message.get("uuid")
    if type(id_) is str:
        return id_ if id_ and not id_.isspace() else None
    return str(id_) if type(id_) is int else None


def part(message: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A member that is an object; anything else is as good as none."""
    value = message.get(name)
    return value if isinstance(value, dict) else {}


def identifiers(message: Message, context: Mapping[str, Any], traits: Mapping[str, Any]) -> dict[str, Any]:
    """Who it was. A contact point in traits that is none is no fault of the message: it stays a trait."""
    who: dict[str, Any] = {}
    for kind, name in (("user_id", "userId"), ("device", "anonymousId")):
        value = message.get(name)
        if value is not None and value != "":
            who[kind] = value if type(value) is str else identifier(message, name)
    around = context.get("traits")
    for known in (traits, around) if around else (traits,):
        if not known or not isinstance(known, dict):
            continue
        for kind in ("email", "phone"):
            value = known.get(kind)
            if value and kind not in who and isinstance(value, str | int) and not isinstance(value, bool) and names(kind, str(value)):
                who[kind] = str(value)
    return who


def identifier(message: Message, name: str) -> str | None:
    """An id that a client gives: text, or a whole number that is written as text."""
    value = message.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refused("wrong_type", f"/{name}", "an id must be text", 'write it in quotes: "u-81"')
    return str(value)


def names(kind: str, value: str) -> bool:
    """Whether a value can name somebody."""
    try:
        return recognise(kind, value)[1]
    except (NotAnIdentifier, UnicodeEncodeError):
        return False


def track(message: Message, context: Mapping[str, Any], source: Source) -> Made:
    """Something happened. An event that is named by one of our types is that type, and its properties are the type's fields."""
    name = message.get("event")
    if not isinstance(name, str) or not name.strip():
        raise Refused("missing_field", "/event", "the name of the event is missing", 'write it like "Order Completed"')
    given = message.get("properties")
    left = dict(given) if isinstance(given, dict) else {} if given is None else {"properties": given}
    who = identifiers(message, context, NOTHING)
    if name in CONTRACTS:
        return name, rest({}, left), who
    type_ = type_of(name, source.channel)
    if not type_:
        raise Refused("wrong_value", "/event", "there is no letter in the name", 'write it like "Order Completed"')
    if type_ == "sales.order_refunded" and not left.get("products"):
        type_ = "sales.order_cancelled"  # all of it went back
        left.setdefault("reason", "refunded")
    fields = built(type_, left, context, source)
    fields.setdefault("event", name)
    return type_, fields, who


def identify(message: Message, context: Mapping[str, Any], source: Source) -> Made:
    """Somebody said who they are; some clients send the traits only in the context."""
    del source
    traits = told(part(message, "traits") or part(context, "traits"))
    data: Fields = {"traits": traits} if traits else {}
    return "web.identified", data, identifiers(message, context, traits)


def told(traits: Mapping[str, Any]) -> dict[str, Any]:
    """Segment's reserved traits under the names that they have here, beside those that they came under."""
    known = dict(traits)
    for theirs, ours in (("firstName", "first_name"), ("lastName", "last_name"), ("birthday", "birth_date")):
        if theirs in known:
            known.setdefault(ours, known.pop(theirs))
    address, company = known.get("address"), known.get("company")
    if isinstance(address, dict) and isinstance(address.get("city"), str):
        known.setdefault("city", address["city"])
    if isinstance(company, dict) and isinstance(company.get("name"), str):
        known["company"] = company["name"]
    return known


def page(message: Message, context: dict[str, Any], source: Source) -> Made:
    """A page was looked at; one without an address goes by its name."""
    del source
    properties = message.get("properties")
    left = dict(properties) if isinstance(properties, dict) and properties else {}
    seen = page_of(context)
    name = as_text(message.get("name"))
    if name is None:
        name = text(left, "name")
    elif left and left.get("name") == name:
        del left["name"]
    fields: Fields = {}
    for field, longest in VIEWED:
        value = text(left, field, longest=longest) if field in left else None
        if value is None:
            value = seen.get(field)
            if type(value) is not str or not value or len(value) > longest:
                continue
        fields[field] = value
    if "url" not in fields:
        fields["url"] = as_text(left.get("path")) or as_text(seen.get("path")) or name or "about:blank"
    if name is not None:
        fields["page"] = name
    for field, theirs, longest in AROUND:
        value = context.pop(theirs, None)
        if type(value) is str and 0 < len(value) <= longest:
            fields[field] = value
    if "campaign" in context:
        put(fields, "campaign", as_text(campaign(context).get("name")))
    context.pop("page", None)
    if "category" in message:
        put(left, "category", message["category"])
    if left:
        fields = rest(fields, left, KNOWN["web.page_viewed"])
    return "web.page_viewed", fields, identifiers(message, context, NOTHING)


def screen(message: Message, context: Mapping[str, Any], source: Source) -> Made:
    """A screen of an app was looked at: an open type, for it has no address."""
    left = dict(part(message, "properties"))
    fields: Fields = {}
    put(fields, "screen", as_text(message.get("name")) or text(left, "name"))
    put(fields, "category", message.get("category"))
    return f"{source.channel}.screen_viewed", rest(fields, left), identifiers(message, context, {})


def group(message: Message, context: Mapping[str, Any], source: Source) -> Made:
    """Somebody belongs to an account. The account is a field and no identifier: its members are not one customer."""
    del source
    account = identifier(message, "groupId")
    if account is None:
        raise Refused("missing_field", "/groupId", "the account is missing", 'write it like "acme"')
    fields: Fields = {"account": account}
    if traits := part(message, "traits"):
        fields["traits"] = traits
    return "account.joined", fields, identifiers(message, context, {})


def alias(message: Message, context: Mapping[str, Any], source: Source) -> Made:
    """Two ids are one person's: what he was called before may have been a device's id or another user id."""
    del source
    who = identifiers(message, context, {})
    before = identifier(message, "previousId")
    if before is None:
        raise Refused("missing_field", "/previousId", "the earlier id is missing", "write the id that the person had before")
    if "user_id" not in who:
        raise Refused("missing_field", "/userId", "the id is missing", "write the id that the person has now")
    devices = dict.fromkeys([*([who["device"]] if "device" in who else []), before])
    who["device"] = list(devices)
    if not is_uuid(before) and before != who["user_id"]:
        who["user_id"] = [who["user_id"], before]
    return "web.identified", {}, who


KINDS: Mapping[str, Callable[[Message, dict[str, Any], Source], Made]] = MappingProxyType(
    {"track": track, "identify": identify, "page": page, "screen": screen, "group": group, "alias": alias}
)
