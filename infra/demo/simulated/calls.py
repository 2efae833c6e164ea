"""The call center: it knows callers by their numbers, however the telephone system writes them.

Some calls come from a phone that a family shares. One end in thirty is told hours later, one answer in fifty after the end.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from infra.demo.simulated import spelling
from infra.demo.simulated.telling import Aftermath, Told

SOURCE = "simulated-calls"
TYPES = ("call.*",)

AGENTS = (("maryam", "201"), ("reza", "202"), ("nima", "203"), ("laura", "204"))
REASONS = ("delivery", "invoice", "return", "product", "complaint")
OUTCOMES = ("solved", "solved", "solved", "call back", "passed on")
NOTES = ("شماره‌ی مرسوله را خواست.", "از تأخیر گله داشت.", "Asked for the parcel's number.", "Wants an invoice in the company's name.")


def after(order: Aftermath) -> Iterator[Told]:
    """At most one call after an order."""
    if order.chance(0.24):
        yield from _call(order, order.day(1, 12))


def _call(order: Aftermath, at: datetime) -> Iterator[Told]:
    person, dice = order.person, order.dice
    phone = person.phone
    if person.family_phone and dice.chance(0.5):
        phone = person.family_phone
    elif person.second_phone and dice.chance(0.3):
        phone = person.second_phone
    number = spelling.phone(phone, dice)
    who, call_id = {"phone": number}, f"c-{person.number}-{order.nth}"
    queue, (agent, extension) = dice.one_of(("support", "sales")), dice.one_of(AGENTS)
    ringing = {"call_id": call_id, "direction": "inbound", "number": number, "queue": queue, "extension": extension}
    yield order.tell(SOURCE, "call.ringing", at, {"who": who, **ringing})
    waited = dice.whole(2, 90)
    picked_up = at + timedelta(seconds=waited)
    if waited > 80 and not person.story:
        gave_up = {"call_id": call_id, "queue": queue, "wait_seconds": waited, "position": dice.whole(1, 6)}
        yield order.tell(SOURCE, "call.abandoned", picked_up, {"who": who, **gave_up})
        return
    talked = dice.whole(20, 900)
    slow = timedelta(seconds=talked + 30) if dice.chance(0.02) else timedelta(seconds=1)
    answered = {"call_id": call_id, "agent": agent, "extension": extension, "queue": queue, "wait_seconds": waited}
    yield order.tell(SOURCE, "call.answered", picked_up, {"who": who, **answered}, slow)
    ended = {"call_id": call_id, "direction": "inbound", "queue": queue, "agent": agent, "wait_seconds": waited, "talk_seconds": talked}
    about = {"reason": dice.one_of(REASONS), "outcome": dice.one_of(OUTCOMES)}
    note = {"note": dice.one_of(NOTES)} if dice.chance(0.4) else {}
    late = timedelta(hours=dice.whole(2, 30)) if dice.chance(0.03) else timedelta(seconds=1)
    yield order.tell(SOURCE, "call.ended", picked_up + timedelta(seconds=talked), {"who": who, **ended, **about, **note}, late)
