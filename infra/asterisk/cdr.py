"""Reads Asterisk's `cdr-csv` (`Master.csv`): one call a unique id, however many legs it had. Reading order: read, Leg."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infra.asterisk.call import DISPOSITIONS, Call, Told, abandoned, ended, extension_of, internal

FIELDS = 17
"""Of a line with `loguniqueid = yes`; without it calls cannot be told apart."""


class Leg(NamedTuple):
    """One line."""

    id: str
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
    for cells in csv.reader(lines):
        leg = _leg(cells, ZoneInfo(zone))
        if leg is not None:
            calls.setdefault(leg.id, []).append(leg)
    for legs in sorted(calls.values(), key=lambda legs: min(leg.began for leg in legs)):
        yield from _told(legs)


def _told(legs: list[Leg]) -> Iterator[Told]:
    first = min(legs, key=lambda leg: leg.began)
    # A queue answers the line itself; somebody did only where a channel was called.
    taken = [leg for leg in legs if leg.answered and leg.talk and (leg.to or leg.application != "Queue")]
    call = Call(first.id, first.began, number=first.source, trunk=extension_of(first.channel))
    if internal(first.source):
        call.direction, call.own, call.number = "outbound", first.source, first.destination
    if internal(call.number) or not call.number:
        return  # between our own
    at = max(leg.ended for leg in legs)
    if taken:
        leg = max(taken, key=lambda leg: leg.talk)
        extension = call.own or extension_of(leg.to)
        call.answers, call.agent, call.extension = 1, extension, extension
        call.wait, call.talk = leg.answered - first.began, leg.talk
        told = {"agent": extension or "unknown", "extension": extension, "wait_seconds": round(call.wait, 1)}
        yield Told(call.id, "answered", leg.answered, call.number, told)
        yield ended(call, at)
    elif call.direction == "outbound":
        call.talk = 0.0
        yield ended(call, at, outcome=DISPOSITIONS.get(first.disposition, "no_answer").replace("answered", "no_answer"))
    else:
        yield abandoned(call, at)


def _leg(cells: list[str], zone: ZoneInfo) -> Leg | None:
    if len(cells) < FIELDS or not cells[16]:
        return None
    began, answered, over = (_moment(text, zone) for text in cells[9:12])
    if not began:
        return None
    talk = float(cells[13]) if cells[13].isdecimal() else 0.0
    return Leg(
        *(cells[16], cells[1], cells[2], cells[5], cells[6], cells[7], began, answered, over or began, talk, cells[14].strip().upper())
    )


def _moment(text: str, zone: ZoneInfo) -> float:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()
    except ValueError:
        return 0.0
