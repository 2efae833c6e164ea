"""What resellers report of sales to our customers. Their order runs by the customer, else by the sale or lead."""

from typing import Annotated

from msgspec import Struct

from aggregates.contracts.contract import Contract
from aggregates.contracts.fields import Amount, Currency, Id, Name, Text, says
from aggregates.contracts.lines import Item

Reseller = Annotated[Id, says("Which reseller.")]
SaleId = Annotated[Id, says("The sale's number at the reseller.")]


class SaleReported(Struct, frozen=True):
    """A reseller sold something of ours."""

    reseller: Reseller
    sale_id: SaleId
    lines: Annotated[list[Item], says("What was sold.")]
    total: Annotated[Amount, says("What the customer paid.")]
    currency: Annotated[Currency, says("The money of every amount in the sale.")]
    reported_by: Annotated[Name | None, says("Who reported it.")] = None


class ReturnReported(Struct, frozen=True):
    """A reseller took something back."""

    reseller: Reseller
    sale_id: SaleId
    lines: Annotated[list[Item] | None, says("What came back.")] = None
    amount: Annotated[Amount | None, says("What the customer got back, not below zero.")] = None
    currency: Annotated[Currency | None, says("In which money.")] = None
    reason: Annotated[Name | None, says("Why.")] = None


class LeadRegistered(Struct, frozen=True):
    """A reseller says that somebody may buy."""

    reseller: Reseller
    lead_id: Annotated[Id, says("The lead's number at the reseller.")]
    interest: Annotated[Name | None, says("What in.")] = None
    value: Annotated[Amount | None, says("What it may be worth.")] = None
    currency: Annotated[Currency | None, says("In which money.")] = None
    note: Annotated[Text | None, says("What the reseller wrote down.")] = None


BY_CUSTOMER = ("who", "sale_id")
WHO = {"phone": "09121234567"}

CONTRACTS = (
    Contract(
        "reseller.sale_reported",
        SaleReported,
        subject=BY_CUSTOMER,
        ref="sale_id",
        amount="total",
        currency="currency",
        turnover=1,
        example={
            "who": WHO,
            "reseller": "novin",
            "sale_id": "n-310",
            "lines": [{"sku": "TEA-250", "quantity": 1, "unit_price": "1950000"}],
            "total": "1950000",
            "currency": "IRR",
        },
    ),
    Contract(
        "reseller.return_reported",
        ReturnReported,
        subject=BY_CUSTOMER,
        ref="sale_id",
        amount="amount",
        currency="currency",
        turnover=-1,
        example={"who": WHO, "reseller": "novin", "sale_id": "n-310", "amount": "1950000", "currency": "IRR", "reason": "damaged"},
    ),
    Contract(
        "reseller.lead_registered",
        LeadRegistered,
        subject=("lead_id",),
        personal=frozenset({"note"}),
        ref="lead_id",
        amount="value",
        currency="currency",
        example={
            "who": WHO,
            "reseller": "novin",
            "lead_id": "l-12",
            "interest": "tea",
            "value": "20000000",
            "currency": "IRR",
            "note": "Runs a café.",
        },
    ),
)
