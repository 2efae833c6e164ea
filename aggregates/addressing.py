"""Says which names lead through an address to what has them: clients and proxies take dots away, and some words are another's."""

from collections.abc import Collection
from unicodedata import category

DOTS = (".", "..")
DECLARED = ("schema", "new")
"""Behind these no rule and no segment is found: `/v1/triggers/schema` is the schema, and `/rules/new` an empty editor."""


def fits_an_address(name: str, taken: Collection[str] = ()) -> bool:
    """Whether an address that ends in the name leads to it, percent-encoded, through every client and proxy on the way."""
    return name not in {*DOTS, *taken} and not any(character == "/" or category(character) == "Cc" for character in name)
