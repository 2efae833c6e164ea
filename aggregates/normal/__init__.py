"""Brings identifiers to normal form, so that every spelling of one phone, address or number is one identifier.

The normal form is hashed into the log for ever: what `NORMALISER_VERSION` numbers may only grow more lenient, never give another result
for a text it accepted (docs/encodings.md).
Reading order: form, persian, phone, email, national_id, card, social, company, iban, trust, then `normalise`, and who, which asks it; names
serves comparison only.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from string import ascii_lowercase, digits
from types import MappingProxyType

from aggregates.identifier import Identifier
from aggregates.normal import persian, trust
from aggregates.normal.card import card
from aggregates.normal.company import company_id
from aggregates.normal.email import email
from aggregates.normal.form import NotAnIdentifier
from aggregates.normal.iban import iban
from aggregates.normal.national_id import national_id
from aggregates.normal.phone import phone
from aggregates.normal.social import social

__all__ = ["FORMS", "KINDS", "NORMALISER_VERSION", "NotAnIdentifier", "is_kind", "normalise", "recognise", "trusted"]

NORMALISER_VERSION = 3
"""2 gave forms to `company_id` and `iban`; 3 reads a `national_id` of eight or nine digits and `.0` as what it was before a spreadsheet had
it, which 1 and 2 took for nine or ten digits of their own or refused. All others are as 1 made them, or were refused."""

FORMS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "phone": phone,
        "email": email,
        "national_id": national_id,
        "card": card,
        "social": social,
        "company_id": company_id,
        "iban": iban,
    }
)
"""Kinds with a form of their own; values of all others are compared as they are, after `persian.plain`."""

KINDS = (*FORMS, "customer_number", "user_id", "device", "account")
"""The kinds known from the start."""

LONGEST = 512
_LETTERS = frozenset(ascii_lowercase + digits + "_")

trusted = trust.trusted


def normalise(kind: str, raw: str) -> Identifier:
    """The identifier that this text of this kind means. Raises `NotAnIdentifier`."""
    return recognise(kind, raw)[0]


@lru_cache(maxsize=65_536)
def recognise(kind: str, raw: str) -> tuple[Identifier, bool]:
    """The identifier, and whether it is trusted. Kept for the texts met last: parsing a phone costs more than the rest of an event."""
    check_kind(kind)
    text = persian.plain(raw)
    if not text:
        raise NotAnIdentifier(kind, "it is empty", "leave it out when it is not known")
    if len(text) > LONGEST:
        raise NotAnIdentifier(kind, f"it is longer than {LONGEST} characters", "send an id, not a document")
    if trust.placeholder(text):
        return Identifier(kind, text.lower()), False
    form = FORMS.get(kind)
    identifier = Identifier(kind, formed(kind, form, text) if form and not dummy(kind, text) else text)
    return identifier, trusted(identifier)


def formed(kind: str, form: Callable[[str], str], text: str) -> str:
    """The normal form. What does not come to rest in one step is no identifier: two readers of it might differ."""
    value = form(text)
    if value != text and (persian.plain(value) != value or form(value) != value):
        raise NotAnIdentifier(kind, "it is written as no such identifier is", "write it without what does not belong to it")
    return value


def dummy(kind: str, text: str) -> bool:
    """Whether this is what a form that insists on a number gets when nobody knows it: kept as it is, and not trusted."""
    return kind in {"phone", "national_id"} and len(text) > 3 and text.isdecimal() and trust.monotonous(text.lstrip("0"))


def is_kind(kind: str) -> bool:
    """Kinds are names such as `customer_number`; a token of one must be told apart from the next by colon and space."""
    return 0 < len(kind) <= 64 and _LETTERS.issuperset(kind) and kind[0] in ascii_lowercase


def check_kind(kind: str) -> None:
    """Raises `NotAnIdentifier` for what can be no kind."""
    if not is_kind(kind):
        raise NotAnIdentifier(kind, "a kind is a name of small Latin letters, digits and _", f"write it like {meant(kind)}")


def meant(kind: str) -> str:
    """The known kind that an ill-written one seems to mean. Anything else is not quoted: it may be a value in the wrong place."""
    folded = kind.strip().lower().replace("-", "_").replace(" ", "_")
    return folded if folded in KINDS else "customer_number"
