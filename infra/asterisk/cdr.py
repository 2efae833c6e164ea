"""Reads Asterisk's `cdr-csv` (`Master.csv`): one call a unique id, however many legs it had. Reading order: Leg, read."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infra.asterisk.call import DISPOSITIONS, Call, Told, abandoned, dialled, ended, extension_of, half, internal, plain

FIELDS = 17
"""Of a line with `loguniqueid = yes`; without it calls cannot be told apart."""


OUTER, INNER = ";1", ";2"
"""The halves of a Local channel: the one that was called, and the one that then called somebody else."""

_LINKED = re.compile(r"^(?:.+-)?[0-9]{9,11}\.[0-9]+$")
"""A Linkedid, in the columns behind the Uniqueid (`newcdrcolumns = yes`)."""


class Leg(NamedTuple):
    """One line."""

    id: str  # the Uniqueid of the channel that called
    linked: str  # the call's; empty where the file does not say it
    source: str
    destination: str
    channel: str
    to: str  # the channel that was called
    application: str
    began: float
    answered: float  # 0: never
    ended: float
    talk: float
    disposition: str


def read(lines: Iterable[str], zone: str) -> Iterator[Told]:
    """The facts of the calls, by when they began."""
    calls: dict[str, list[Leg]] = {}
    for leg in _without_halves([leg for cells in csv.reader(lines) if (leg := _leg(cells, ZoneInfo(zone))) is not None]):
        calls.setdefault(leg.id, []).append(leg)
    for legs in sorted(calls.values(), key=lambda legs: min(leg.began for leg in legs)):
        yield from _told(legs)


def _without_halves(legs: list[Leg]) -> Iterator[Leg]:
    """The lines of calls: what a Local channel did inside the PBX has a line of its own, and only says whose phone was behind it."""
    behind = {half(leg.channel): leg for leg in legs if leg.channel.endswith(INNER)}
    outer = {half(place) for leg in legs for place in (leg.channel, leg.to) if place.endswith(OUTER)}
    called = {leg.to: leg for leg in legs if leg.to}
    ids = {leg.id for leg in legs}
    for leg in legs:
        if leg.channel.endswith(INNER):
            if half(leg.channel) not in outer and leg.linked and leg.linked not in ids:  # dialled by a computer, and never put through
                yield leg._replace(id=leg.linked)
            continue
        before = called.get(leg.channel)
        if leg.linked not in {"", leg.id} and leg.linked in ids:
            if not internal(extension_of(leg.channel)):  # else a question to a colleague, which became part of the call it was about
                yield leg._replace(id=leg.linked)
        elif before is not None and before.began <= leg.began <= before.ended:  # whom we had called was handed on
            yield leg._replace(id=before.id)
        else:
            yield _seen_through(leg, behind)


def _seen_through(leg: Leg, behind: dict[str, Leg]) -> Leg:
    """A line with the phones that were behind its Local channels."""
    called, calling = behind.get(half(leg.to)), behind.get(half(leg.channel))
    if called is not None and internal(extension_of(called.to)):
        leg = leg._replace(to=called.to)
    if calling is not None:  # a computer dialled both: one in this line, the other behind it
        number = dialled(calling.destination) or dialled(leg.destination)
        phone = calling.to if internal(extension_of(calling.to)) else leg.to
        source = extension_of(phone) if internal(extension_of(phone)) else extension_of(leg.channel)
        leg = leg._replace(source=source, destination=number, began=min(leg.began, calling.began))
    return leg


def _told(legs: list[Leg]) -> Iterator[Told]:
    first = min(legs, key=lambda leg: leg.began)
    # A queue answers the line itself; somebody did only where a channel was called.
    taken = sorted(
        (leg for leg in legs if leg.answered and leg.talk and (leg.to or leg.application != "Queue")), key=lambda leg: leg.answered
    )
    phone = extension_of(first.channel)
    call = Call(first.id, first.began, number=first.source, trunk=phone)
    own = first.source if internal(first.source) else _clicked(first)
    if own:
        call.direction, call.own, call.number = "outbound", own, first.destination
    if (own and not plain(call.number)) or internal(call.number) or (internal(phone) and not (own or plain(call.number))):
        return  # between our own, or of one of us and the PBX
    at = max(leg.ended for leg in legs)
    for leg in taken:
        phone = extension_of(leg.to)
        extension = call.own if call.own and not call.answers else phone
        call.answers += 1
        call.agent, call.extension, call.talk = extension, extension, (call.talk or 0.0) + leg.talk
        told: dict[str, object] = {"agent": extension or "unknown", "extension": extension}
        if call.answers == 1:
            call.wait = leg.answered - first.began
            told["wait_seconds"] = round(call.wait, 1)
        yield Told(call.id, "answered", leg.answered, call.number, told, str(call.answers) if call.answers > 1 else "")
    if taken:
        yield ended(call, at)
    elif call.direction == "outbound":
        call.talk = 0.0
        yield ended(call, at, outcome=DISPOSITIONS.get(first.disposition, "no_answer").replace("answered", "no_answer"))
    else:
        yield abandoned(call, at)


def _clicked(leg: Leg) -> str:
    """The extension whose phone a computer had call somebody outside; the line's source is what the phone was told to show."""
    phone = extension_of(leg.channel)
    outside = bool(leg.to) and not internal(extension_of(leg.to)) and bool(dialled(leg.destination))
    return phone if internal(phone) and outside else ""


def _leg(cells: list[str], zone: ZoneInfo) -> Leg | None:
    if len(cells) < FIELDS or not cells[16]:
        return None
    began, answered, over = (_moment(text, zone) for text in cells[9:12])
    if not began:
        return None
    talk = float(cells[13]) if cells[13].isdecimal() else 0.0
    linked = next((cell for cell in cells[17:] if _LINKED.match(cell)), "")
    return Leg(
        *(cells[16], linked, cells[1], cells[2], cells[5], cells[6], cells[7]),
        *(began, answered, over or began, talk, cells[14].strip().upper()),
    )


def _moment(text: str, zone: ZoneInfo) -> float:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()
    except ValueError:
        return 0.0
