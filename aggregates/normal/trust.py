"""Says which identifiers prove nothing although they are well formed: what people and systems write when they know none.

These are the values that no installation can mean. A shop's own phone and the like are rules of identity, not of form.
"""

from aggregates.identifier import Identifier

_NOTHING = (
    "- -- ? ?? . * x xx xxx 0 -1 null none nil nan undefined unknown anonymous anonim private restricted withheld unavailable blocked "
    "na n/a n.a. nobody guest test dummy fake default empty no not-set نامشخص ندارد ناشناس تست خالی هیچ"
)
_NOBODY = "test noreply no-reply donotreply do-not-reply none null nil undefined unknown anonymous nobody nomail noemail no-email na"

PLACEHOLDERS = frozenset(_NOTHING.split())
"""In `persian.plain`, lower case. Systems put these where a value is unknown."""

MAILBOXES = frozenset(_NOBODY.split())
"""What stands before the @ of addresses that belong to nobody."""

ASCENDING, DESCENDING = "01234567890123456789", "98765432109876543210"


def placeholder(text: str) -> bool:
    """Whether a text of any kind only says that nothing is known."""
    return text.lower() in PLACEHOLDERS or not text.strip("0-: ")


def trusted(identifier: Identifier) -> bool:
    """Whether the value may say who somebody is."""
    kind, value = identifier
    if placeholder(value):
        return False
    match kind:
        case "phone":
            national = value.removeprefix("+98").lstrip("+0")
            return not (monotonous(national) or len(set(national[-8:])) == 1)
        case "national_id":
            return not monotonous(value)
        case "email":
            return value.partition("@")[0] not in MAILBOXES
        case "device":
            return len(value) < 8 or len(set(value.replace("-", ""))) > 1
        case "card":
            return not value.endswith(":0000")
        case _:
            return True


def monotonous(digits: str) -> bool:
    """One digit again and again, or a run up or down the keypad."""
    return len(set(digits)) <= 1 or digits in ASCENDING or digits in DESCENDING
