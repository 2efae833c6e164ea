"""What is agreed with channel systems about one type of touchpoint: its fields, versions, order, personal fields and money."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec

Data = dict[str, Any]
Fields = type[msgspec.Struct]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A version that clients may still send and the log still holds."""

    data: Fields
    upcast: Callable[[Data], Data]  # to the next version; of any subset of the fields


@dataclass(frozen=True, slots=True)
class Contract:
    """The agreement about one type; `version` is that of `data`, and what a client that names none is held to."""

    type: str
    data: Fields
    subject: tuple[str, ...]  # tried in order: a field, `who.<kind>`, or `who` for the first identifier
    example: Mapping[str, Any]
    version: int = 1
    personal: frozenset[str] = frozenset()  # sealed before the log
    implied: tuple[tuple[str, str], ...] = ()  # fields (or `field.member`) that name the customer as `who` does, with their kind
    earlier: Mapping[int, Earlier] = field(default_factory=lambda: MappingProxyType({}))
    ref: str | None = None  # the field by whose value a person looks for the fact: order_id, call_id …
    amount: str | None = None  # the field that says what the fact is worth
    currency: str | None = None  # the field that says in which money
    turnover: int = 0  # how the amount counts as sold: 1 sold, -1 came back, 0 only shown


def upcast(contract: Contract, version: int, data: Data) -> Data:
    """Data of an earlier version as the newest has it."""
    while version in contract.earlier:
        data = contract.earlier[version].upcast(data)
        version += 1
    return data


def renamed(data: Data, before: str, after: str) -> Data:
    """The data with one field under its new name; a value that already has the new name stays."""
    if before not in data:
        return data
    rest = {name: value for name, value in data.items() if name != before}
    return {after: data[before]} | rest
