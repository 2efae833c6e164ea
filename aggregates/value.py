"""What customers cost and how the future is discounted: the published setting by which their value is told. Publishing is a decision.

Reading order: Costs, refusal, Published, decision.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, json

from aggregates.contracts.currencies import CURRENCIES, mend_currency
from aggregates.decision import Decision
from aggregates.refusal import Refusal
from aggregates.touchpoint import derive

Amount = Annotated[str, Meta(pattern=r"^[0-9]{1,15}(\.[0-9]{1,4})?\Z")]
Word = Annotated[str, Meta(pattern=r"^[a-z*][a-z0-9_.]{0,63}\Z")]
Amounts = Annotated[dict[Word, Amount], Meta(max_length=50)]
COUNTED = frozenset(
    {"call.ended", "call.abandoned", "sales.visit_held", "sales.quote_sent", "service.request_resolved", "contact.sent", "contact.made"}
)
"""The types of what is done for a customer, and costs."""

Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class Costs(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Amounts are of `currency`; orders in another are told without them. A change of any field is a new version."""

    version: int = 0  # 0: nobody published any, and nothing is taken off
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")] | None = None
    margin: Share | None = None  # of revenue, where an order's lines do not tell what the goods cost; None: revenue counts whole
    acquisition: Amounts = {}  # by the channel of the first purchase; "*": all others
    selling: Amounts = {}  # by type, of COUNTED: sales.visit_held, sales.quote_sent, contact.sent …
    servicing: Amounts = {}  # by type, of COUNTED: call.ended, service.request_resolved …
    discount: Share = 0.1  # a year
    days: Annotated[int, Meta(ge=30, le=3_650)] = 365  # how far ahead is looked


def refusal(costs: Costs) -> Refusal | None:
    """Why these costs would not be taken off as they are meant, if that is so: nothing of them may be published and count nowhere."""
    if costs.currency is not None and costs.currency not in CURRENCIES:
        return Refusal("wrong_money", "/currency", "it is no currency of ISO 4217", mend_currency(costs.currency))
    for field in ("selling", "servicing"):
        for name in getattr(costs, field):
            if name not in COUNTED:
                mend = f"write one of: {', '.join(sorted(COUNTED))}"
                return Refusal("wrong_value", f"/{field}/{name}", "nothing of this name is counted", mend)
    if costs.currency is None and (costs.acquisition or costs.selling or costs.servicing):
        mend = 'write one of the codes of ISO 4217, like "IRR"'
        return Refusal("missing_field", "/currency", "nobody knows of which currency the amounts are", mend)
    return None


class Published(Struct, frozen=True, tag="value.costs_published"):
    """From now on values are told by these costs."""

    at: datetime
    by: str
    costs: Costs


ID = derive("value", "costs")


def decision(published: Published) -> Decision:
    """The decision as it is kept; its version is that of the costs."""
    return Decision(ID, published.costs.version, str(published.__struct_config__.tag), json.encode(published))
