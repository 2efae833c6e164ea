"""Says in tests what happened to a customer: events as the log has them, sealed by a key that everybody knows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from aggregates.contracts import CONTRACTS
from aggregates.fact import Fact, fact_of
from aggregates.identifier import Identifier, Token
from aggregates.touchpoint import derive
from aggregates.wire import CustomerEvent, Sealed, encoder
from projections.view import fold
from projections.view.state import State

BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)
CUSTOMER = UUID("00000000-0000-5000-8000-000000000001")


def token(kind: str, value: str) -> Token:
    """What a sealer would make of an identifier, readable here."""
    return Token(f"{kind}:{value.encode().hex()[:40]}")


class Happening(msgspec.Struct, frozen=True):
    """An event of the log, and what is sealed in it."""

    event: CustomerEvent
    sealed: Sealed

    @property
    def fact(self) -> Fact:
        return fact_of(self.event, self.sealed)

    @property
    def record(self) -> bytes:
        return encoder.encode(self.event)


def happened(
    type_: str,
    data: Mapping[str, Any] | None = None,
    *,
    who: Sequence[tuple[str, str]] = (("phone", "+989121234567"),),
    day: float = 0,
    id_: str | None = None,
    at: datetime | None = None,
    recorded: datetime | None = None,
    customer: UUID = CUSTOMER,
    **attributes: Any,
) -> Happening:
    """An event, `day` days after the beginning unless `at` says when; without an id everything about it makes its id."""
    data = dict(data or {})
    occurred = at or BEGINNING + timedelta(days=day)
    contract = CONTRACTS.get(type_)
    personal = {name: value for name, value in data.items() if contract and name in contract.personal}
    clear = {name: value for name, value in data.items() if name not in personal}
    event_id = derive("test", type_, id_ or f"{occurred.isoformat()}{data}{who}{attributes}")
    event = CustomerEvent(
        specversion="1.0",
        id=id_ or str(event_id),
        source="/tests",
        type=type_,
        time=occurred,
        yektaevent=str(event_id),
        yektakey="tests",
        yektarecorded=recorded or occurred,
        yektaseal=1 if who or personal else 0,
        data=msgspec.Raw(encoder.encode(clear)),
        subject=str(customer),
        yektadecider=token(*who[0]) if who else "",
        yektawho=" ".join(token(kind, value) for kind, value in who),
        yektaversion=attributes.pop("version", contract.version if contract else 0),
        **attributes,
    )
    return Happening(event, Sealed(tuple(Identifier(kind, value) for kind, value in who), personal))


def arriving(batches: Iterable[Sequence[Happening]]) -> State:
    """The state after these batches, folded as the runner does: new facts of a batch in order of time, opened only where needed."""
    state = fold.initial()
    history: list[Happening] = []
    for batch in batches:
        history += batch
        before = state
        told = opened(before, batch)
        words = spoken_of(history, fold.asks(before, told))
        for fact in told:
            if fold.needs_history(state, fact, words):
                state = folded(history)
                break
            state = fold.evolve(state, fact)
    return state


def spoken_of(history: Iterable[Happening], orders: Collection[str]) -> dict[str, list[datetime]]:
    """When these orders were spoken of."""
    words: dict[str, list[datetime]] = {}
    for happening in history:
        fact = happening.fact
        if fact.type in fold.ORDERS and isinstance(key := fact.data.get("order_id"), str) and key in orders:
            words.setdefault(key, []).append(fact.at)
    return words


def folded(history: Iterable[Happening], piece: int = 5) -> State:
    """The state of a whole history, folded in pieces."""
    state = fold.begin()
    rest = sorted(history, key=lambda happening: happening.fact.stamp)
    while rest:
        for fact in opened(state, rest[:piece]):
            state = fold.evolve(state, fact)
        rest = rest[piece:]
    return fold.finish(state)


def opened(state: State, happenings: Sequence[Happening]) -> list[Fact]:
    """The facts in the order of time, with what is sealed where the fold asks for it."""
    asked = fold.openings(state, [happening.event for happening in happenings])
    facts = [happening.fact if asked_for else fact_of(happening.event) for happening, asked_for in zip(happenings, asked, strict=True)]
    return sorted(facts, key=lambda fact: fact.stamp)
