"""Brings e-mail addresses to the form in which they are compared: one case, no stray dots or spaces. A `+tag` stays: it may be meant."""

import re
import unicodedata

from aggregates.normal.form import NotAnIdentifier

_NAMED = re.compile(r"[^<>@]*<([^<>\s@]+@[^<>\s@]+)>")
"""An address behind the name of its holder, as mail programs write it."""

MEND = "write one address, like sara@example.ir"


def email(text: str) -> str:
    """The address in lower case, without what clings to it when copied."""
    lower = unicodedata.normalize("NFKC", text.lower())
    address = (found[1] if (found := _NAMED.fullmatch(lower)) else lower).removeprefix("mailto:").strip("<> \t.,;")
    name, at, domain = address.partition("@")
    if not at or not name or "@" in domain or any(c.isspace() for c in address):
        raise NotAnIdentifier("email", "it is not one address with one @", MEND)
    if len(address) > 254:
        raise NotAnIdentifier("email", "it is longer than an address may be", MEND)
    if "." not in domain or ".." in domain or domain.startswith((".", "-")):
        raise NotAnIdentifier("email", "what follows the @ is no domain", MEND)
    return address
