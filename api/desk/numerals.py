"""Writes numbers as people of a language write them: their digits, their grouping, and never a sum without its currency."""

from decimal import Decimal

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def digits(text: str, language: str) -> str:
    """The text with its digits as the language has them."""
    return text.translate(PERSIAN) if language == "fa" else text


def number(value: int | Decimal, language: str) -> str:
    """A number in groups of three, exactly as it is."""
    return _marked(format(value, ",f") if isinstance(value, Decimal) else format(value, ","), language)


def amount(value: str, language: str, *, whole: bool) -> str:
    """A sum as the log has it: a `whole` currency without decimals that say nothing, the others with two at least."""
    exact = Decimal(value)
    places = max(0 if whole else 2, -int(exact.normalize().as_tuple().exponent))
    return _marked(format(exact, f",.{places}f"), language)


def _marked(written: str, language: str) -> str:
    """With the signs of the language; a minus of its own width, and in Persian text before the number, as its readers expect: isolated, so
    that it says nothing of the direction of what it stands in."""
    written = written.replace("-", "\N{MINUS SIGN}")
    if language != "fa":
        return written
    persian = digits(written, language).translate({ord(","): "٬", ord("."): "٫"})
    return f"\N{LEFT-TO-RIGHT ISOLATE}{persian}\N{POP DIRECTIONAL ISOLATE}" if written.startswith("\N{MINUS SIGN}") else persian
