"""What billing says of subscriptions."""

from typing import Annotated

from msgspec import Struct

from aggregates.contracts.contract import Contract
from aggregates.contracts.fields import Amount, Currency, Id, Name, When, says


class Subscription(Struct, frozen=True):
    """A subscription began, goes on for another period, or was called off."""

    subscription_id: Annotated[Id, says("The subscription's number.")]
    plan: Annotated[Name | None, says("What was subscribed to.")] = None
    amount: Annotated[Amount | None, says("What one period costs.")] = None
    currency: Annotated[Currency | None, says("In which money.")] = None
    period: Annotated[Name | None, says("How long a period is, like month or P1Y.")] = None
    ends_at: Annotated[When | None, says("When it ends unless it goes on; a date alone: when that day begins.")] = None
    reason: Annotated[Name | None, says("Why.")] = None


WHO = {"email": "sara@example.ir"}
MONTHLY = {"plan": "pro", "amount": "2900000", "currency": "IRR", "period": "month"}


def subscription(verb: str, turnover: int, **example: str) -> Contract:
    """The contract of one of the three facts, which have the same fields."""
    return Contract(
        f"subscription.{verb}",
        Subscription,
        subject=("subscription_id",),
        ref="subscription_id",
        amount="amount",
        currency="currency",
        turnover=turnover,
        example={"who": WHO, "subscription_id": "s-9", **example},
    )


CONTRACTS = (
    subscription("started", 1, **MONTHLY, ends_at="2026-12-22T00:00:00+03:30"),
    subscription("renewed", 1, **MONTHLY, ends_at="2027-01-22T00:00:00+03:30"),
    subscription("cancelled", 0, plan="pro", reason="price"),
)
