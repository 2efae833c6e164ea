"""A log of a source that replays its own time, and rules that hear it: the same for the live system and for files."""

from typing import Any

from tests.rules.telling import at, event

SOURCE = "replayed"
PEOPLE = "abcdefghij"

RULES = """
- rule: replayed-often
  when: {count: replayed.seen, at_least: 2, within: 1d}
  do: {contact: often, purpose: marketing, prefer: [customer, kiosk, letter]}
  cooldown: 2d
- rule: replayed-steps
  when: {sequence: [replayed.quoted, replayed.seen], within: 2d}
  do: {contact: steps, purpose: retention, prefer: [letter]}
- rule: replayed-silent
  when: {after: replayed.asked, absent: replayed.answered, for: 3d}
  do: {contact: silent, purpose: marketing, prefer: [kiosk]}
- rule: replayed-waits
  when: {count: replayed.looked, at_least: 1, within: 1h}
  wait: 15m
  unless: {event: replayed.answered, since: first_match}
  do: {contact: waits, purpose: service, prefer: [letter]}
- rule: replayed-calls
  when: {count: replayed.missed, at_least: 1, within: 1h}
  unless: {event: replayed.answered, within: 1d}
  do: {contact: calls, purpose: marketing, prefer: [call]}
- rule: replayed-told
  when: {count: replayed.seen, where: 'data.worth > 10', at_least: 1, within: 1d}
  do: {notify: team:crm}
"""

POLICY = """
policy: contact
zone: UTC
priority: [service, retention, marketing]
transactional: {ignores: [quiet]}
quiet: {from: "21:00", to: "09:00", then: hold, expires: 24h}
caps:
  - {channels: [kiosk], max: 1, within: 30d}
  - {channels: all, max: 3, within: 7d}
counts: [kiosk, letter]
prefer: [declared, learned_90d, default]
"""


def log() -> list[dict[str, Any]]:
    """What happens, in the order in which it arrives; who, on which day and hour, what."""
    happened: list[tuple[float, str, str, dict[str, Any]]] = []
    for person in PEOPLE:
        purposes = ("marketing", "retention") if person != "f" else ("retention",)
        happened += [(0, person, "consent.given", {"purpose": purpose}) for purpose in purposes]
        happened.append((0, person, "consent.given", {"purpose": "service"}))
    happened += [(24 + 10, "a", "replayed.seen", {}), (24 + 12, "a", "replayed.seen", {"worth": 50}), (24 + 13, "a", "replayed.seen", {})]
    happened += [(24 * 9 + 10, "a", "replayed.seen", {}), (24 * 9 + 11, "a", "replayed.seen", {})]  # the kiosk is capped by now
    happened.append((24 * 10, "a", "replayed.asked", {}))
    happened += [(24 + 10, "b", "replayed.quoted", {}), (24 + 11, "b", "replayed.seen", {}), (24 + 11, "b", "replayed.seen", {})]
    happened += [(24 + 10, "c", "replayed.asked", {}), (24 + 11, "d", "replayed.asked", {}), (24 * 2, "d", "replayed.answered", {})]
    happened += [(24 + 22, "c", "replayed.looked", {}), (24 + 22, "d", "replayed.looked", {}), (24 + 22.1, "d", "replayed.answered", {})]
    happened += [(24 + 22, "e", "replayed.seen", {}), (24 + 23, "e", "replayed.seen", {})]  # by night: held until the morning
    happened += [(24 + 10, "f", "replayed.seen", {}), (24 + 11, "f", "replayed.seen", {})]  # without consent
    happened += [
        (24 + 10, person, "replayed.missed", {}) for person in ("g", "h")
    ]  # to be called, of which much is known before anybody is
    happened += [(24 + 11, "g", "consent.withdrawn", {"purpose": "marketing"}), (24 + 11, "h", "replayed.answered", {})]
    happened += [(24 * 10 + 10, person, "replayed.asked", {}) for person in ("i", "j")]  # the kiosk is free for the earlier of two
    happened += [(24 * 13 + hour, "i", "replayed.seen", {}) for hour in (9, 10)]
    happened += [(24 * 14 + hour, "j", "replayed.seen", {}) for hour in (9, 10)]
    happened += [(24 * 40, person, "replayed.closed", {}) for person in PEOPLE]
    happened.sort(key=lambda one: one[0])
    return [
        event(type_, at(hours=hours), f"replayed-{number:03}", who={"customer_number": f"replayed-{person}"}, **data)
        for number, (hours, person, type_, data) in enumerate(happened)
    ]
