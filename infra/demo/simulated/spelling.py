"""The many ways in which systems and people write the same phone number and the same Persian name."""

from infra.demo.simulated.dice import Dice

PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
ARABIC_LETTERS = str.maketrans("یک", "يك")
HALF_SPACE = "\u200c"


def phone(e164: str, dice: Dice) -> str:
    """An Iranian mobile number, +98 and ten digits, as somebody wrote it."""
    ten = e164.removeprefix("+98")
    written = (
        e164,
        f"0{ten}",
        f"0{ten[:3]} {ten[3:6]} {ten[6:]}",
        f"0098{ten}",
        f"+98 {ten[:3]} {ten[3:6]} {ten[6:]}",
        f"(0{ten[:3]}) {ten[3:6]}-{ten[6:]}",
        f"0{ten}".translate(PERSIAN_DIGITS),
        f"0{ten[:3]} {ten[3:]}".translate(ARABIC_DIGITS),
    )
    return dice.one_of(written)


def name(text: str, dice: Dice) -> str:
    """A name as an old keyboard writes it: Arabic letters for Persian ones, half-spaces lost."""
    if dice.chance(0.75):
        return text
    return text.translate(ARABIC_LETTERS).replace(HALF_SPACE, dice.one_of(("", HALF_SPACE)))
