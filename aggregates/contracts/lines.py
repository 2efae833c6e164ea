"""The lines of orders, carts, quotes and sales."""

from typing import Annotated

from msgspec import Struct

from aggregates.contracts.fields import Id, Money, Quantity, says

Sku = Annotated[Id, says("The article's number.")]


class Line(Struct, frozen=True):
    """One article of an order, with its price."""

    sku: Sku
    quantity: Annotated[Quantity, says("How many, or how much.")]
    unit_price: Annotated[Money, says("The price of one.")]
    discount: Annotated[Money | None, says("What was taken off this line in all.")] = None
    cost: Annotated[Money | None, says("What one costs us.")] = None


class Item(Struct, frozen=True):
    """One article of a cart, a quote or a reseller's sale, whose price may not be known."""

    sku: Sku
    quantity: Annotated[Quantity, says("How many, or how much.")]
    unit_price: Annotated[Money | None, says("The price of one.")] = None
    discount: Annotated[Money | None, says("What was taken off this line in all.")] = None
