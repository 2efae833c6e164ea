"""Tells a sender what is wrong with an event, where, and how to mend it.

A refusal never quotes a value: it travels to logs and dead-letter headers in the clear. Reading order: Reason, Refusal, REUSED, Refused.
"""

from dataclasses import dataclass
from typing import Literal

Reason = Literal[
    "not_json",  # the bytes cannot be read at all
    "not_cloudevents",  # JSON, but no CloudEvents 1.0 envelope
    "missing_field",
    "wrong_type",
    "wrong_value",
    "wrong_time",
    "wrong_money",
    "not_an_identifier",
    "unknown_type",  # by a strict source
    "unknown_version",
    "type_not_allowed",
    "unusable_text",  # NUL characters and halves of surrogate pairs
    "unusable_number",  # not finite, or beyond 64 bits
    "too_deep",
    "too_large",
    "id_reused",  # what has another content under this id came first
    "unknown_key",  # of a record of `inbox`; over HTTP nothing is kept of it
    "source_disabled",  # likewise
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event is not taken: the first thing found wrong."""

    reason: Reason
    pointer: str  # RFC 6901, into the event in structured JSON; "" is the whole event
    detail: str  # what is wrong
    mend: str  # what to write instead


REUSED = Refusal(
    "id_reused",
    "/id",
    "Another event of this source had the same id and other content.",
    "Give every event its own id; to correct an event, send another one.",
)


class Refused(Exception):
    """Carries a refusal from where it is found up to the reader that returns it."""

    def __init__(self, reason: Reason, pointer: str, detail: str, mend: str) -> None:
        super().__init__(detail)
        self.refusal = Refusal(reason, pointer, sentence(detail), sentence(mend))


def sentence(clause: str) -> str:
    """A clause as a sentence: rules of form say what is wrong in clauses, senders read sentences."""
    return f"{clause[:1].upper()}{clause[1:]}."


def pointer_to(*parts: str | int) -> str:
    """The RFC 6901 JSON pointer to these member names and indexes."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
