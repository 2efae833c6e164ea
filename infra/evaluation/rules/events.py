"""Reads a file of CloudEvents, one JSON object a line, in the order in which they arrived. Reading order: Arrived, lines, Events.

More is taken here than at the doors: a test log may leave out fields that a contract asks for, and its identifiers may be invented. What
has no type, id, source or time cannot be placed, and is told on the side.
"""

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import BufferedReader
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from aggregates.contracts import CONTRACTS, SHAPES, VersionUnknown, upcast
from aggregates.fact import Fact
from aggregates.identifier import Identifier, Token
from aggregates.moment import of_data, read_moment
from aggregates.normal import NotAnIdentifier, recognise
from aggregates.normal.who import implied
from aggregates.reading import decoded, flag
from aggregates.refusal import Refused
from aggregates.source import Source
from aggregates.touchpoint import channel_of, effective_time, event_id
from infra import json_array

ZONE = Source("").zone
"""In which a date without a time is a day."""

TIMES = {type_: shape.times for (type_, version), shape in SHAPES.items() if version == shape.contract.version and shape.times}

EARLIEST, LATEST = datetime(100, 1, 1, tzinfo=UTC), datetime(9900, 1, 1, tzinfo=UTC)
"""Between these an event may be recorded: the longest windows, waits and cooldowns of rules reach some years further, in any zone."""

KEY = "inbox"
"""The write key's source of events that name none: what comes through the topic `inbox` has it, so ids are the same there."""


class Line(Struct):
    """The attributes of an event that matter here."""

    id: str
    source: str
    type: str
    time: datetime | None = None
    yektarecordedtime: datetime | None = None
    yektabackfill: bool = False
    yektasimulated: bool = False
    yektakey: str = KEY
    yektaversion: int = 0
    data: Raw = Raw(b"{}")
    data_base64: Any = None


class Who(Struct):
    """Of data only whose it is; the rest is read when a rule asks."""

    who: dict[str, Any] | None = None


class Arrived(NamedTuple):
    """An event as it came."""

    line: Line
    recorded: datetime
    at: datetime  # effective time
    flag: str
    tokens: tuple[Token, ...]

    @property
    def event(self) -> UUID:
        """The event's id inside. Not made before it is asked for: most events of a long log touch no rule."""
        return event_id(self.line.yektakey, self.line.source, self.line.id)

    def fact(self) -> Fact:
        """What rules and policy read of it."""
        line = self.line
        data: Any = msgspec.json.decode(line.data)
        return Fact(
            self.event,
            self.at,
            line.time or self.recorded,
            self.recorded,
            self.flag,
            line.type,
            channel_of(line.type),
            line.source,
            line.yektakey,
            _newest(line, data) if isinstance(data, dict) else {},
            (),
            line.yektasimulated,
            line.yektabackfill,
            "",
            line.id,
        )


def _newest(line: Line, data: dict[str, Any]) -> dict[str, Any]:
    """The data as the newest contract has it; a date alone is the moment it means, as a door writes it."""
    try:
        data = upcast(line.type, line.yektaversion, data)
        for name in TIMES.get(line.type, ()):
            if isinstance(text := data.get(name), str) and len(text) == 10:
                data = data | {name: of_data(text, ZONE, f"/data/{name}")}
    except (VersionUnknown, Refused):
        return data
    return data


IMPLYING = {contract.type: contract.implied for contract in CONTRACTS.values() if contract.implied}


def lines(file: BufferedReader) -> Iterable[bytes]:
    """The events of a file, one a line, or those of one JSON array."""
    return map(bytes, json_array.items(file)) if json_array.begins(file) else file


class Events:
    """Goes through the lines of a file; `problems` gathers what could not be read, by line, `repeated` is when a copy was recorded last."""

    def __init__(self) -> None:
        self.problems: list[tuple[int, str]] = []
        self.count = 0
        self.repeated = EARLIEST
        self._seen: dict[tuple[str, str], set[str]] = {}
        self._tokens: dict[tuple[str, str], Token] = {}
        self._line = msgspec.json.Decoder(Line)
        self._who = msgspec.json.Decoder(Who)

    def read(self, lines: Iterable[bytes]) -> Iterator[Arrived]:
        """The events, each once: an event is the same when source and id are."""
        for number, text in enumerate(lines, 1):
            if number == 1:
                text = text.removeprefix(BOM_UTF8)  # noqa: PLW2901 - as editors on Windows begin a file
            if text.isspace():
                continue
            try:
                line = self._decoded(text)
                recorded = line.yektarecordedtime or line.time
                if recorded is None:
                    raise Refused("missing_field", "/time", "it has no time", "say when it was")
                if not EARLIEST <= recorded < LATEST:
                    raise Refused("wrong_time", "/time", "windows around it would not fit into any calendar", "say when it was")
                seen = self._seen.setdefault((line.yektakey, line.source), set())
                if line.id in seen:
                    self.repeated = max(self.repeated, recorded)
                    continue
                seen.add(line.id)
                at, why = effective_time(line.time or recorded, recorded)
                yield Arrived(line, recorded, at, why, self._whose(line))
                self.count += 1
            except Refused as problem:
                self.problems.append((number, f"{problem.refusal.pointer or '/'}: {problem.refusal.detail}"))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
                self.problems.append((number, str(problem)))

    def _decoded(self, text: bytes) -> Line:
        """Nearly every line at once; one that is written unusually, attribute by attribute."""
        try:
            line = self._line.decode(text)
        except msgspec.ValidationError:
            return _unusual(msgspec.json.decode(text))
        for moment in (line.time, line.yektarecordedtime):
            if moment is not None and moment.tzinfo is not UTC:
                return _unusual(msgspec.json.decode(text))
        plain = line.id and line.source and line.type and line.data_base64 is None
        return line if plain else _unusual(msgspec.json.decode(text))

    def _whose(self, line: Line) -> tuple[Token, ...]:
        try:
            who = self._who.decode(line.data).who
        except msgspec.ValidationError:
            return ()
        found: dict[Token, None] = {}
        for kind, given in who.items() if who else ():
            for one in given if isinstance(given, list) else (given,):
                token = self._tokens.get((kind, one)) if type(one) is str else None
                if token is None and (token := self._named(kind, one)) is None:
                    continue
                found[token] = None
        if line.type in IMPLYING:
            data = msgspec.json.decode(line.data)
            found |= {_token(identifier): None for identifier in implied(data, IMPLYING[line.type], ())}
        return tuple(found)

    def _named(self, kind: str, given: Any) -> Token | None:
        if not isinstance(given, str | int) or isinstance(given, bool):
            return None
        token = _recognised(kind, str(given))
        if token is not None and isinstance(given, str):
            self._tokens[kind, given] = token
        return token


def _recognised(kind: str, text: str) -> Token | None:
    """The identifier; what a door would refuse as none is one here, in the form it was given."""
    if not text.strip():
        return None
    try:
        identifier, trusted = recognise(kind, text)
    except NotAnIdentifier:
        identifier, trusted = Identifier(kind, text), True
    return _token(identifier) if trusted else None


def _token(identifier: Identifier) -> Token:
    return Token(f"{identifier.kind}:{identifier.value}")


def _unusual(event: Any) -> Line:
    """A line with times in other offsets, Booleans as text, data in base64 and the like."""
    if not isinstance(event, dict):
        raise Refused("not_cloudevents", "", "it is no object", "write one JSON object a line")
    for name in ("id", "source", "type"):
        if not isinstance(event.get(name), str | int) or isinstance(event[name], bool) or not str(event[name]):
            raise Refused("missing_field", f"/{name}", f"the attribute {name} is missing", f"give every event its {name}")
    data = event.get("data")
    if data is None and event.get("data_base64") is not None:
        data = decoded(event["data_base64"])
    version = event.get("yektaversion")
    return Line(
        str(event["id"]),
        str(event["source"]),
        str(event["type"]),
        _moment(event, "time"),
        _moment(event, "yektarecordedtime"),
        flag(event, "yektabackfill"),
        flag(event, "yektasimulated"),
        str(event.get("yektakey") or KEY),
        version if type(version) is int else 0,
        Raw(msgspec.json.encode(data if isinstance(data, dict) else {})),
    )


def _moment(event: dict[str, Any], name: str) -> datetime | None:
    value = event.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refused("wrong_time", f"/{name}", "it is not text", 'write it like "2026-11-22T06:30:00Z"')
    return read_moment(value, "UTC", f"/{name}")
