"""The JSON Schema (2020-12) of a contact policy, as it is published."""

from typing import Any

from aggregates.contact_policy.budget import PERS
from aggregates.contact_policy.policy import IGNORABLE, STATES
from aggregates.contact_policy.reading import APPROVAL, LARGEST_AMOUNT, LEARNED, MOST_CONTACTS, NEVER_IGNORED, PREFER, STOP, THEN
from aggregates.rules.window import PERIODS
from aggregates.written.schema import DIALECT, SHARE, TIME_OF_DAY, WORD, Schema, known, lasting, name, text


def json_schema() -> dict[str, Any]:
    """The schema of a policy."""
    some = {"anyOf": [WORD, _list(WORD)]}
    money: Schema = {"type": "integer", "minimum": 0, "maximum": LARGEST_AMOUNT}
    preference = {"anyOf": [{"enum": list(PREFER)}, {"type": "string", "pattern": LEARNED}]}
    return {"$schema": DIALECT, "title": "Yekta contact policy"} | known(
        {
            "policy": name(),
            "description": text(2_000),
            "zone": text(description="An IANA time zone, like Asia/Tehran."),
            "priority": _list(WORD) | {"description": "Purposes; the first wins."},
            "transactional": known({"ignores": _list({"enum": list(IGNORABLE)}), "never_ignores": _list({"enum": list(NEVER_IGNORED)})}),
            "quiet": known(
                {"from": TIME_OF_DAY, "to": TIME_OF_DAY, "then": {"enum": list(THEN)}, "expires": lasting()},
                "from",
                "to",
            ),
            "caps": _list(
                known(
                    {"channels": some, "max": {"type": "integer", "minimum": 0, "maximum": MOST_CONTACTS}, "within": lasting()},
                    "channels",
                    "max",
                    "within",
                )
            ),
            "counts": _list(WORD) | {"description": "The channels whose contacts count."},
            "block_while": known(dict.fromkeys(STATES, some)),
            "prefer": _list(preference),
            "holdout": SHARE,
            "budget": known(
                {
                    "per": {"enum": list(PERS)},
                    "amount": money | {"description": "What contacts may cost in one period; without it nothing binds."},
                    "in": {"enum": list(PERIODS)},
                    "costs": {"type": "object", "propertyNames": WORD, "additionalProperties": money, "minProperties": 1},
                    "stop": {"enum": list(STOP)},
                }
            ),
            "approval": {"enum": list(APPROVAL)},
        }
    )


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1}
