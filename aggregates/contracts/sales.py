"""What shops, tills and sales people say. Their order runs by the customer number, else by the order, visit or quote."""

from typing import Annotated

from msgspec import Struct

from aggregates.contracts.contract import Contract
from aggregates.contracts.fields import Amount, Currency, Id, Minutes, Money, Name, Text, When, says
from aggregates.contracts.lines import Item, Line

OrderId = Annotated[Id, says("The order's number.")]


class OrderPlaced(Struct, frozen=True):
    """A customer ordered."""

    order_id: OrderId
    lines: Annotated[list[Line], says("What was ordered.")]
    total: Annotated[Amount, says("What the customer owes, after discounts, with shipping.")]
    currency: Annotated[Currency, says("The money of every amount in the order.")]
    discount: Annotated[Money | None, says("What was taken off the whole order.")] = None
    shipping: Annotated[Money | None, says("What sending it costs.")] = None
    campaign: Annotated[Name | None, says("The campaign that led to it.")] = None
    salesperson: Annotated[Name | None, says("Who sold it.")] = None
    store: Annotated[Name | None, says("Where it was sold.")] = None
    payment: Annotated[Name | None, says("How it will be paid.")] = None


class OrderCancelled(Struct, frozen=True):
    """An order was called off."""

    order_id: OrderId
    reason: Annotated[Name | None, says("Why.")] = None


class PaymentReceived(Struct, frozen=True):
    """Money for an order came in."""

    order_id: OrderId
    amount: Annotated[Amount, says("How much.")]
    currency: Annotated[Currency, says("In which money.")]
    method: Annotated[Name | None, says("How it was paid.")] = None


class VisitHeld(Struct, frozen=True):
    """A sales person met the customer."""

    visit_id: Annotated[Id, says("The visit's number.")]
    salesperson: Annotated[Name | None, says("Who went.")] = None
    outcome: Annotated[Name | None, says("What came of it.")] = None
    minutes: Annotated[Minutes | None, says("How long it took.")] = None
    note: Annotated[Text | None, says("What the sales person wrote down.")] = None


class QuoteSent(Struct, frozen=True):
    """A customer was told a price that holds for a time."""

    quote_id: Annotated[Id, says("The quote's number.")]
    total: Annotated[Amount, says("What it comes to.")]
    currency: Annotated[Currency, says("The money of every amount in the quote.")]
    valid_until: Annotated[When | None, says("When it stops holding; a date alone: when that day begins.")] = None
    lines: Annotated[list[Item] | None, says("What was quoted.")] = None


BY_ORDER = ("who.customer_number", "order_id")
WHO = {"customer_number": "10042", "phone": "09121234567"}

CONTRACTS = (
    Contract(
        "sales.order_placed",
        OrderPlaced,
        subject=BY_ORDER,
        ref="order_id",
        amount="total",
        currency="currency",
        turnover=1,
        example={
            "who": WHO,
            "order_id": "o-5001",
            "lines": [
                {"sku": "TEA-250", "quantity": 2, "unit_price": "1850000", "cost": "1200000"},
                {"sku": "CUP-1", "quantity": 1, "unit_price": "900000", "discount": "100000"},
            ],
            "total": "4500000",
            "currency": "IRR",
            "store": "Shiraz",
        },
    ),
    Contract(
        "sales.order_cancelled",
        OrderCancelled,
        subject=BY_ORDER,
        ref="order_id",
        example={"who": WHO, "order_id": "o-5001", "reason": "late"},
    ),
    Contract(
        "sales.payment_received",
        PaymentReceived,
        subject=BY_ORDER,
        ref="order_id",
        amount="amount",
        currency="currency",
        example={"who": WHO, "order_id": "o-5001", "amount": "4500000", "currency": "IRR", "method": "card"},
    ),
    Contract(
        "sales.visit_held",
        VisitHeld,
        subject=("who.customer_number", "visit_id"),
        personal=frozenset({"note"}),
        ref="visit_id",
        example={
            "who": WHO,
            "visit_id": "v-31",
            "salesperson": "reza",
            "outcome": "interested",
            "minutes": 45,
            "note": "Wants it by spring.",
        },
    ),
    Contract(
        "sales.quote_sent",
        QuoteSent,
        subject=("who.customer_number", "quote_id"),
        ref="quote_id",
        amount="total",
        currency="currency",
        example={
            "who": WHO,
            "quote_id": "q-77",
            "total": "98000000",
            "currency": "IRR",
            "valid_until": "2026-12-31",
            "lines": [{"sku": "TEA-250", "quantity": 60}],
        },
    ),
)
