"""Says which fields a row can fill: those of a type's contract, the parts of its lines, identifiers, traits, and any other by its name.

A place is a path with dots: `total`, `lines.sku`, `who.phone`, `traits.city`. Reading order: Kind, known, kind_of.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, get_type_hints

from aggregates.contracts import CONTRACTS
from aggregates.contracts import fields as kinds
from aggregates.contracts.shape import is_kind, item_fields, members

Kind = Literal["time", "money", "currency", "number", "whole", "text", "list", "identifier", "trait", "any"]

GROUPS = ("who", "traits", "lines")
NOTHING: Mapping[str, Any] = MappingProxyType({})


@cache
def known(type_: str) -> Mapping[str, Kind]:
    """The places of a type and what their values are; of a type without a contract none are known."""
    contract = CONTRACTS.get(type_)
    if contract is None:
        return NOTHING
    places: dict[str, Kind] = {}
    for name, hint in get_type_hints(contract.data, include_extras=True).items():
        parts = item_fields(hint)
        if parts:
            places |= {f"{name}.{part}": _kind(of) for part, of in parts.items()}
        elif name != "traits":
            places[name] = _kind(hint)
    return MappingProxyType(places)


def kind_of(type_: str, place: str) -> Kind:
    """What the values of a place are."""
    group, dot, _ = place.partition(".")
    if dot and group == "who":
        return "identifier"
    if dot and group == "traits":
        return "trait"
    return "time" if place == "time" else known(type_).get(place, "any")


def _kind(hint: Any) -> Kind:
    if is_kind(hint, kinds.When):
        return "time"
    if is_kind(hint, kinds.Amount) or is_kind(hint, kinds.Money):
        return "money"
    if is_kind(hint, kinds.Currency):
        return "currency"
    if is_kind(hint, kinds.Id):
        return "identifier"
    types = members(hint)
    if float in types:
        return "number"
    if int in types:
        return "whole"
    return "list" if any(getattr(one, "__origin__", one) is list for one in types) else "text"
