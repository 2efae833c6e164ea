"""The JSON Schema (2020-12) of a text of rules, as it is published: editors complete and check by it.

What no schema can say, reading does: expressions, limits that depend on each other, names that stand twice.
"""

from typing import Any

from aggregates.rules.reading import HIGHEST, LOWEST, MOST_CHECKS, MOST_COUNTED, MOST_STEPS, SINCE
from aggregates.rules.rule import CHANGES
from aggregates.rules.window import PERIODS
from aggregates.written.schema import DIALECT, SHARE, TYPE_NAME, WORD, Schema, known, lasting, name, one_or_list, text

WHERE: Schema = {
    "description": "Fields that must have these values, or one expression in CEL over data, type, source, id and time.",
    "anyOf": [
        text(4_000),
        {"type": "object", "minProperties": 1, "additionalProperties": {"type": ["string", "number", "boolean"]}},
    ],
}
EVENT: Schema = {"anyOf": [TYPE_NAME, known({"event": TYPE_NAME, "where": WHERE}, "event")]}
HEIGHT: Schema = {"type": "number", "minimum": LOWEST, "maximum": HIGHEST}


def json_schema() -> dict[str, Any]:
    """The schema of one rule, or of a list of rules."""
    return {
        "$schema": DIALECT,
        "title": "Yekta rules",
        "anyOf": [{"$ref": "#/$defs/rule"}, {"type": "array", "items": {"$ref": "#/$defs/rule"}, "minItems": 1}],
        "$defs": {"rule": _rule(), "when": _when(), "if": _if(), "unless": _unless(), "do": _do()},
    }


def _rule() -> Schema:
    return known(
        {
            "rule": name("What the rule is called."),
            "version": {"type": "integer", "minimum": 1, "maximum": 10**9},
            "description": text(2_000),
            "when": {"$ref": "#/$defs/when"},
            "if": one_or_list({"$ref": "#/$defs/if"}, MOST_CHECKS),
            "unless": one_or_list({"$ref": "#/$defs/unless"}, MOST_CHECKS),
            "wait": lasting("How long to wait, once the condition came true, before firing.", zero=True),
            "cooldown": lasting("How long after a signal the rule gives no other for the customer.", zero=True),
            "holdout": SHARE | {"description": "Who is kept out to be compared with: a part of a hundred."},
            "do": {"$ref": "#/$defs/do"},
        },
        "rule",
        "when",
        "do",
    )


def _windowed(properties: Schema, *required: str) -> list[Schema]:
    return [
        known(properties | {"within": lasting("The last so long, up to the fact.")}, *required, "within"),
        known(properties | {"in": {"enum": list(PERIODS), "description": "The calendar period, in the policy's zone."}}, *required, "in"),
    ]


def _counts() -> list[Schema]:
    counted = {"count": EVENT, "where": WHERE}
    least = {"at_least": {"type": "integer", "minimum": 1, "maximum": MOST_COUNTED}}
    more = {"more_than": {"type": "integer", "minimum": 0, "maximum": MOST_COUNTED - 1}}
    return [*_windowed(counted | least, "count", "at_least"), *_windowed(counted | more, "count", "more_than")]


def _when() -> Schema:
    steps = {"type": "array", "items": EVENT, "minItems": 1, "maxItems": MOST_STEPS}
    return {
        "anyOf": [
            *_counts(),
            *_windowed({"sequence": steps}, "sequence"),
            known({"after": EVENT, "absent": EVENT, "for": lasting()}, "after", "absent", "for"),
            known({"score": text(64), "rises_to": HEIGHT, "rearm_below": HEIGHT}, "score", "rises_to"),
            known({"segment": text(64), "change": {"enum": list(CHANGES)}}, "segment", "change"),
        ]
    }


def _if() -> Schema:
    percent = {"type": "number", "minimum": 0, "maximum": 100}
    return {
        "anyOf": [
            *(known({"percentile": text(64), bound: percent}, "percentile", bound) for bound in ("at_least", "below")),
            *(known({"score": text(64), bound: HEIGHT}, "score", bound) for bound in ("at_least", "below")),
            known({"consent": text(64), "channel": text(64)}, "consent"),
            known({"segment": text(64)}, "segment"),
            *_counts(),
            known({"not": {"$ref": "#/$defs/if"}}, "not"),
        ]
    }


def _unless() -> Schema:
    stop = {"event": TYPE_NAME, "where": WHERE}
    return {
        "anyOf": [
            TYPE_NAME,
            known(stop | {"since": {"enum": list(SINCE)}}, "event"),
            known(stop | {"within": lasting("So long before it fires.")}, "event"),
        ]
    }


def _do() -> Schema:
    prefer = {"anyOf": [WORD, {"type": "array", "items": WORD, "minItems": 1}]}
    return {
        "anyOf": [
            known({"notify": text()}, "notify", description="Tells our own people or systems."),
            known({"contact": text(), "purpose": WORD, "prefer": prefer}, "contact", description="Approaches the customer."),
        ]
    }
