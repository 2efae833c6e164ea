"""The office: it enters a new customer after the first order, and keeps what he allows.

An event that ties identifiers to each other names only what is the customer's own. A phone that a family shares stands beside the customer
number alone, so that it can join nobody to anybody.
"""

from collections.abc import Iterator
from datetime import timedelta

from infra.demo.simulated import spelling
from infra.demo.simulated.telling import Aftermath, Told

SOURCE = "simulated-crm"
TYPES = ("profile.*", "consent.*")


def after(order: Aftermath) -> Iterator[Told]:
    """What the office enters after an order."""
    person, dice = order.person, order.dice
    number = {"customer_number": person.number}
    if order.first:
        entered = order.day(0, 0, 17, 20)
        yield order.tell(SOURCE, "profile.reported", entered, {"who": number | _known(order), "traits": _traits(order)})
        if person.family_phone:
            shared = {"who": number | {"phone": spelling.phone(person.family_phone, dice)}, "traits": {"household": person.family}}
            yield order.tell(SOURCE, "profile.reported", entered + timedelta(minutes=3), shared)
        if order.chance(0.6):
            allowed = {"who": number, "purpose": "marketing", "channels": ["sms", "email", "call"], "evidence": "order form"}
            yield order.tell(SOURCE, "consent.given", entered + timedelta(minutes=5), allowed)
    elif dice.chance(0.03):
        withdrawn = {"who": number, "purpose": "marketing", "channels": [dice.one_of(("sms", "email"))]}
        yield order.tell(SOURCE, "consent.withdrawn", order.day(1, 20), withdrawn)


def _known(order: Aftermath) -> dict[str, str | list[str]]:
    """What the office knows him by, besides the number."""
    person, dice = order.person, order.dice
    if person.calls_unknown:
        return {"email": person.email}
    phones = [spelling.phone(phone, dice) for phone in (person.phone, person.second_phone) if phone]
    return {"phone": phones if len(phones) > 1 else phones[0], "email": person.email}


def _traits(order: Aftermath) -> dict[str, str]:
    person, dice = order.person, order.dice
    traits = {"name": spelling.name(person.name, dice), "city": person.city, "language": person.language}
    if dice.chance(0.6):
        traits["birth_date"] = person.born.isoformat()
    if dice.chance(0.5):
        traits["preferred_channel"] = dice.one_of(("sms", "email", "call"))
    return traits
