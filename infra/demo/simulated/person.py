"""Who a customer of the data might be: name, phones, addresses, devices. All follow from the seed and the customer number alone.

Every identifier is one that can belong to nobody:
* e-mail addresses are in `.example`, which RFC 2606 reserves;
* phones are in 0955, 0956 and 0957: mobile ranges of Iran that its plan gives to no operator. 0955 is a customer's own phone, 0956 his
  second one, 0957 phones that several share: a family's, a shop's counter. The six digits after the first are the customer number, stirred.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from infra.demo.simulated import names
from infra.demo.simulated.dice import Dice

SEED = "yekta-demo-1"
SHARE = 0.23
"""Of CDNOW's customers, those who are also seen by simulated channels: as many as make about as many events as there are orders."""

CHURNER = "22279"
"""Twelve orders in five months, then silence for seven: he is seen by all four channels."""

TWICE_KNOWN = "21934"
"""A loyal customer whom the call center and the resellers know by a phone that nobody has yet tied to the customer number."""

CAST = frozenset({CHURNER, TWICE_KNOWN})
"""Customers of the demo's story. They are seen by every channel after their first order."""


@dataclass(frozen=True, slots=True)
class Person:
    """A customer, as simulated channels meet him."""

    number: str
    given: str
    family: str
    account_name: str | None  # what he calls himself on the web, in Latin letters
    city: str
    language: str
    born: date
    phone: str  # E.164
    second_phone: str | None
    family_phone: str | None
    email: str
    user_id: str
    devices: tuple[str, ...]
    card: str
    calls_unknown: bool  # the office does not know his phone: a reseller will tell it later
    story: bool = False

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


def is_simulated(number: str, seed: str = SEED) -> bool:
    """Whether simulated channels know this customer."""
    return number in CAST or Dice(seed, "known", number).chance(SHARE)


def person(number: str, seed: str = SEED) -> Person:
    """The person behind a customer number."""
    dice = Dice(seed, "person", number)
    house = household(number, seed)
    family_dice = Dice(seed, "household", house) if house is not None else dice
    persian = family_dice.chance(0.6)
    if persian:
        given, latin_given = dice.one_of(names.PERSIAN_GIVEN)
        family, latin_family = family_dice.one_of(names.PERSIAN_FAMILY)
    else:
        given = latin_given = dice.one_of(names.ENGLISH_GIVEN)
        family = latin_family = family_dice.one_of(names.ENGLISH_FAMILY)
    return Person(
        number=number,
        given=given,
        family=family,
        account_name=f"{latin_given} {latin_family}" if not persian or dice.chance(0.4) else None,
        city=family_dice.one_of(names.PERSIAN_CITIES if persian else names.ENGLISH_CITIES),
        language="fa" if persian else "en",
        born=date(1930, 1, 1) + timedelta(days=dice.whole(0, 50 * 365)),
        phone=f"+98955{stirred(int(number))}",
        second_phone=f"+98956{stirred(int(number))}" if dice.chance(0.15) else None,
        family_phone=f"+98957{stirred(house)}" if house is not None else None,
        email=f"{latin_given}.{latin_family}.{int(number)}@mail.example".lower(),
        user_id=f"u-{dice.text(8)}",
        devices=tuple(f"d-{dice.text(16)}" for _ in range(2 if dice.chance(0.3) else 1)),
        card=f"{dice.one_of(('mellat', 'melli', 'saman', 'pasargad'))}:{dice.whole(1000, 9999)}",
        calls_unknown=number == TWICE_KNOWN or (number not in CAST and dice.chance(0.1)),
        story=number in CAST,
    )


def household(number: str, seed: str = SEED) -> int | None:
    """The household of a customer who shares a phone with the next customer, by its first number; one in twenty."""
    first = int(number) // 2 * 2
    return first if Dice(seed, "family", first).chance(0.05) and number not in CAST else None


def stirred(number: int) -> str:
    """Seven digits, other ones for every number below ten million: a multiplier prime to ten keeps them apart."""
    return f"{number * 7_654_321 % 10_000_000:07d}"
