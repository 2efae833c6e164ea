"""Makes decisions to be kept of what happened to requests; for whoever acts on a command, and whoever acts because time has passed."""

from collections.abc import Sequence
from typing import Protocol

from aggregates.decision import Decision
from aggregates.identifier import Identifier, Token
from aggregates.service_request.request import Event, Request
from aggregates.service_request.telling import Kept, encoder

Change = tuple[Request | None, Request, Sequence[Event]]
"""A request before and after some facts."""


class Tokens(Protocol):
    """What knows the token of an identifier."""

    def token(self, identifier: Identifier) -> Token:
        """The token of an identifier."""
        ...


def record_of(tokens: Tokens, changes: Sequence[Change]) -> tuple[list[Decision], list[tuple[Request, Token]]]:
    """The decisions, and the requests that they changed, each with the token of the identifier that it was made by."""
    decisions: list[Decision] = []
    changed: list[tuple[Request, Token]] = []
    for before, after, events in changes:
        version = before.version if before else 0
        for number, event in enumerate(events, version + 1):
            kept = Kept(str(after.id), after.number, after.who, event)
            decisions.append(Decision(after.id, number, str(event.__struct_config__.tag), encoder.encode(kept)))
        if events:
            ((kind, value),) = after.who.items()
            changed.append((after, tokens.token(Identifier(kind, value))))
    return decisions, changed
