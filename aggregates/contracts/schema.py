"""Publishes the contracts as JSON Schema (2020-12), for whoever builds a channel's connection."""

from typing import Any

import msgspec

from aggregates.contracts.contract import Contract
from aggregates.contracts.currencies import CURRENCIES
from aggregates.contracts.shape import shape

WHO: dict[str, Any] = {
    "description": "Who it was: kinds of identifier (phone, email, national_id, customer_number, user_id, device, account, card, social, "
    "or others) with one value or several, in any spelling.",
    "type": "object",
    "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,63}$"},
    "additionalProperties": {
        "anyOf": [{"type": ["string", "integer", "null"]}, {"type": "array", "items": {"type": ["string", "integer", "null"]}}],
    },
    "examples": [{"phone": "0912 123 4567", "email": ["sara@example.ir"]}],
}


def schema(contract: Contract, version: int) -> dict[str, Any]:
    """The schema of `data` of one version."""
    known = shape(contract, version)
    whole = msgspec.json.schema(known.data)
    parts = whole["$defs"]
    top = parts.pop(whole["$ref"].removeprefix("#/$defs/"))
    properties: dict[str, Any] = {"who": WHO} | top["properties"]
    for name in contract.personal & properties.keys():
        properties[name] = properties[name] | {"x-yekta-personal": True}
    if contract.currency in properties:
        properties[contract.currency] = properties[contract.currency] | {"enum": [*sorted(CURRENCIES), None]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"/v1/schemas/{contract.type}/v{version}",
        "title": f"{contract.type}, version {version}",
        "description": top.get("description", ""),
        "type": "object",
        "properties": properties,
        "required": top.get("required", []),
        **({"dependentRequired": {amount: [contract.currency] for amount in known.amounts}} if known.amounts else {}),
        "additionalProperties": True,
        "examples": [contract.example] if version == contract.version else [],
        **({"$defs": parts} if parts else {}),
    }
