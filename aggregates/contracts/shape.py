"""What reading needs of a version's fields, worked out once: which are personal, dates or money, and what their parts may be named."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from aggregates.contracts import fields
from aggregates.contracts.contract import Contract


@dataclass(frozen=True, slots=True)
class Shape:
    """One version of one contract, as the reader goes through it."""

    contract: Contract
    version: int
    data: type[msgspec.Struct]
    clear: frozenset[str]  # fields that go to the log as they are
    parts: Mapping[str, frozenset[str]]  # fields that are lists of objects: the names their objects may have
    times: tuple[str, ...]
    amounts: tuple[str, ...]  # fields that mean nothing without a currency
    subject: tuple[tuple[str, str], ...]  # (kind, field): either is empty; both: the first identifier


def shape(contract: Contract, version: int) -> Shape:
    """The shape of a version that the contract has."""
    data = contract.data if version == contract.version else contract.earlier[version].data
    hints = get_type_hints(data, include_extras=True)
    return Shape(
        contract,
        version,
        data,
        clear=frozenset(hints) - contract.personal,
        parts=MappingProxyType({name: frozenset(part) for name, hint in hints.items() if (part := item_fields(hint))}),
        times=tuple(name for name, hint in hints.items() if is_kind(hint, fields.When)),
        amounts=tuple(name for name, hint in hints.items() if is_kind(hint, fields.Amount) or is_kind(hint, fields.Money)),
        subject=tuple(subject(name) for name in contract.subject),
    )


def subject(name: str) -> tuple[str, str]:
    """`who.device` is ("device", ""), `who` is ("", ""), any other a field of data."""
    first, _, kind = name.partition(".")
    return (kind, "") if first == "who" else ("", name)


def members(hint: Any) -> list[Any]:
    """The types that an annotation allows, without None and without what is said about them."""
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        return [inner for arg in get_args(hint) if arg is not type(None) for inner in members(arg)]
    if hasattr(hint, "__metadata__"):
        return members(hint.__origin__)
    return [hint]


def metas(hint: Any) -> list[msgspec.Meta]:
    """All that is said about the types that an annotation allows, the outermost last."""
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        return [meta for arg in get_args(hint) for meta in metas(arg)]
    if hasattr(hint, "__metadata__"):
        return metas(hint.__origin__) + list(hint.__metadata__)
    return []


def is_kind(hint: Any, kind: Any) -> bool:
    """Whether values of this annotation are of a kind of `fields`."""
    return metas(kind)[0] in metas(hint)


def item_fields(hint: Any) -> dict[str, Any]:
    """Of a list of objects: the annotations of the objects' fields; of anything else nothing."""
    for member in members(hint):
        if get_origin(member) is list and isinstance(item := get_args(member)[0], type) and issubclass(item, msgspec.Struct):
            return get_type_hints(item, include_extras=True)
    return {}
