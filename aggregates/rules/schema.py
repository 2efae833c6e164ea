"""The JSON Schema (2020-12) of a text of rules, as it is published: editors complete and check by it.

What no schema can say, reading does: expressions, limits that depend on each other, names that stand twice.
"""

from collections.abc import Iterable
from typing import Any

from aggregates.rules.conditions import HIGHEST, IF_WORDS, LOWEST, MOST_CHECKS, MOST_COUNTED
from aggregates.rules.reading import (
    DO_WORDS,
    MOST_STEPS,
    SINCE,
    UNLESS_WORDS,
    WHEN_WORDS,
)
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


def segment_schema() -> dict[str, Any]:
    """The schema of a segment."""
    words = {
        "segment": name("What the segment is called."),
        "version": {"type": "integer", "minimum": 1, "maximum": 10**9},
        "description": text(2_000),
        "when": one_or_list({"$ref": "#/$defs/if"}, MOST_CHECKS),
    }
    return {"$schema": DIALECT, "title": "Yekta segment", **known(words, "segment", "when"), "$defs": {"if": _if()}}


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


def _windowed(properties: Schema, *required: str, words: Iterable[str]) -> list[Schema]:
    within = lasting("The last so long, up to the fact.")
    period = {"enum": list(PERIODS), "description": "The calendar period, in the policy's zone."}
    return [
        known(properties | {"within": within}, *required, "within", words=words),
        known(properties | {"in": period}, *required, "in", words=words),
    ]


def _counts(words: Iterable[str]) -> list[Schema]:
    counted = {"count": EVENT, "where": WHERE}
    least = {"at_least": {"type": "integer", "minimum": 1, "maximum": MOST_COUNTED}}
    more = {"more_than": {"type": "integer", "minimum": 0, "maximum": MOST_COUNTED - 1}}
    return [
        *_windowed(counted | least, "count", "at_least", words=words),
        *_windowed(counted | more, "count", "more_than", words=words),
    ]


def _when() -> Schema:
    steps = {"type": "array", "items": EVENT, "minItems": 1, "maxItems": MOST_STEPS}
    words = [word for form in WHEN_WORDS.values() for word in form]
    return {
        "anyOf": [
            *_counts(words),
            *_windowed({"sequence": steps}, "sequence", words=words),
            known({"after": EVENT, "absent": EVENT, "for": lasting()}, "after", "absent", "for", words=words),
            known({"score": text(64), "rises_to": HEIGHT, "rearm_below": HEIGHT}, "score", "rises_to", words=words),
            known({"segment": text(64), "change": {"enum": list(CHANGES)}}, "segment", "change", words=words),
        ]
    }


def _if() -> Schema:
    percent = {"type": "number", "minimum": 0, "maximum": 100}
    words = [word for form in IF_WORDS.values() for word in form]
    return {
        "anyOf": [
            *(known({"percentile": text(64), bound: percent}, "percentile", bound, words=words) for bound in ("at_least", "below")),
            *(known({"score": text(64), bound: HEIGHT}, "score", bound, words=words) for bound in ("at_least", "below")),
            known({"consent": text(64), "channel": text(64)}, "consent", words=words),
            known({"segment": text(64)}, "segment", words=words),
            *_counts(words),
            known({"not": {"$ref": "#/$defs/if"}}, "not", words=words),
        ]
    }


def _unless() -> Schema:
    stop = {"event": TYPE_NAME, "where": WHERE}
    return {
        "anyOf": [
            TYPE_NAME,
            known(stop | {"since": {"enum": list(SINCE)}}, "event", words=UNLESS_WORDS),
            known(stop | {"within": lasting("So long before it fires.")}, "event", words=UNLESS_WORDS),
        ]
    }


def _do() -> Schema:
    prefer = {"anyOf": [WORD, {"type": "array", "items": WORD, "minItems": 1}]}
    return {
        "anyOf": [
            known({"notify": text()}, "notify", words=DO_WORDS, description="Tells our own people or systems."),
            known(
                {"contact": text(), "purpose": WORD, "prefer": prefer}, "contact", words=DO_WORDS, description="Approaches the customer."
            ),
        ]
    }
