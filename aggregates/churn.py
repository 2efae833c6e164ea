"""What churn means for one company and line of products: the published setting by which customers are scored and labels are told.

A definition is a value with a name and a version; several stand side by side, each with its own model.
Reading order: Definition, concerns, churned, matures.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

DAY = 86_400.0
"""Seconds. Days are those of UTC, numbered from 1970-01-01: the same for every source, so that a log has one meaning."""

PURCHASES = ("sales.order_placed", "reseller.sale_reported")

STARTED = "subscription.started"
RENEWED = "subscription.renewed"
STARTS = frozenset({STARTED, RENEWED})
CANCELLED = "subscription.cancelled"

Days = Annotated[int, Meta(ge=1, le=3_650)]


class Definition(Struct, frozen=True, kw_only=True):
    """When a customer is called lost. A change of any field is a new version, with a model of its own."""

    name: str = "churn"
    version: int = 1
    kind: Literal["non-contractual", "contractual"] = "non-contractual"
    horizon: Days = 90  # how many days ahead is looked
    purchases: tuple[str, ...] = PURCHASES  # the types that are a purchase
    only: dict[str, tuple[str, ...]] = {}  # a line of products: of purchases and contracts those alone that say so, in each of these fields
    grace: Annotated[int, Meta(ge=0, le=365)] = 7  # contractual: days after the end within which a renewal still is one
    step: Annotated[float, Meta(ge=0.01, le=1.0)] = 0.1  # a score that moved so far is published
    thresholds: tuple[Annotated[float, Meta(gt=0.0, lt=1.0)], ...] = (0.3, 0.5, 0.7)  # and one that came over or below one of these

    @property
    def contractual(self) -> bool:
        """Whether a customer says himself that he leaves."""
        return self.kind == "contractual"


def concerns(definition: Definition, data: Mapping[str, Any], *, unsaid: bool = False) -> bool:
    """Whether a purchase, or what happens to a contract, is of the definition's line of products: it, or one of its lines, says one of the
    words in each field. Case makes no difference; a word that ends in * is how others begin. `unsaid`: whether it is where nothing is said.
    """
    for field, words in definition.only.items():
        said = [*_said(data, field)]
        if not (any(_fits(one, words) for one in said) if said else unsaid):
            return False
    return True


def _said(data: Mapping[str, Any], field: str) -> Iterator[str]:
    lines = data.get("lines")
    for one in (data, *(lines if isinstance(lines, list) else ())):
        if isinstance(one, Mapping) and isinstance(said := one.get(field), (str, int, float)):
            yield str(said).strip().casefold()


def _fits(said: str, words: Sequence[str]) -> bool:
    return any(said.startswith(word[:-1]) if word.endswith("*") else said == word for word in map(str.casefold, words))


def churned(definition: Definition, day: int, returns: Sequence[int], losses: Sequence[int]) -> bool:
    """The label of an example of a day, told when its horizon is over.

    `returns` are the days with a purchase, `losses` the days on which a contract was cancelled or ran out; both in order. The horizon
    is the days after the example's own: what else happened on that day was part of it.
    """
    days = losses if definition.contractual else returns
    last = day + definition.horizon
    after = bisect_right(days, day)
    happened = after < len(days) and days[after] <= last
    return happened is definition.contractual


def matures(definition: Definition, day: int) -> int:
    """The first day on which an example's label is known: all of its horizon is over, whatever happened in it."""
    return day + definition.horizon + 1
