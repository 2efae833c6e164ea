"""Words that the published JSON Schemas of rules and of the contact policy share."""

from collections.abc import Iterable
from typing import Any

from aggregates.written.reader import CLOCK, NAME, PERCENT, TYPE
from aggregates.written.span import PATTERN as SPAN

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def known(properties: Schema, *required: str, words: Iterable[str] = (), description: str = "") -> Schema:
    """An object of which all members are known; one that is null is as good as absent. `words` may stand here in other objects."""
    absent: Schema = {word: {"type": "null"} for word in words if word not in properties}
    optional = {name: schema if name in required else {"anyOf": [schema, {"type": "null"}]} for name, schema in properties.items()}
    said = {"description": description} if description else {}
    return said | {"type": "object", "properties": absent | optional, "required": list(required), "additionalProperties": False}


def text(longest: int = 200, description: str = "") -> Schema:
    """A text that is not empty."""
    said = {"description": description} if description else {}
    return said | {"type": "string", "minLength": 1, "maxLength": longest, "pattern": r"\S"}


def name(description: str = "") -> Schema:
    """What a person calls something."""
    return {"type": "string", "pattern": NAME} | ({"description": description} if description else {})


WORD: Schema = {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"}
TYPE_NAME: Schema = {"type": "string", "pattern": TYPE, "maxLength": 512}
TIME_OF_DAY: Schema = {"type": "string", "pattern": CLOCK}
SHARE: Schema = {"anyOf": [{"type": "string", "pattern": PERCENT}, {"const": 0}]}


def lasting(description: str = "", *, zero: bool = False) -> Schema:
    """A duration like 30d."""
    said = {"description": description} if description else {}
    written: Schema = {"type": "string", "pattern": SPAN}
    return said | ({"anyOf": [written, {"const": 0}]} if zero else written)


def one_or_list(schema: Schema, most: int) -> Schema:
    """One, or a list of some."""
    return {"anyOf": [schema, {"type": "array", "items": schema, "minItems": 1, "maxItems": most}]}
