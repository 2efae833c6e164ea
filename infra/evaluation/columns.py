"""Knows what people call the columns of their logs and the types that are a purchase, so that an ordinary log needs no mapping. Pure.

Case, spaces and hyphens make no difference: `CustomerID`, `customer id` and `customer_id` are one name.
Reading order: meant, purchases_among, contracts_among.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from aggregates.churn import CANCELLED, RENEWED, STARTED
from aggregates.normal.persian import fold

MEANINGS: dict[str, tuple[str, ...]] = {
    "customer": (
        *("customer", "customer_id", "customer_no", "customer_number", "customer_key", "customer_code", "customer_unique_id", "cust_id"),
        *("cust", "user", "user_id", "uid", "client", "client_id", "buyer", "buyer_id", "member", "member_id", "subscriber"),
        *("subscriber_id", "account", "account_id", "person", "person_id", "household", "household_id", "household_key", "subject", "who"),
        *("msno", "visitor_id", "visitorid", "card_id", "card_no", "card_number", "مشتری", "شماره_مشتری", "کد_مشتری", "شناسه_مشتری"),
        *("کاربر", "شناسه_کاربر"),
    ),
    "time": (
        *("time", "timestamp", "occurred", "occurred_at", "event_time", "event_timestamp", "event_date", "datetime", "date_time"),
        *("date", "day", "at", "ts", "order_date", "order_time", "purchase_date", "purchase_time", "invoice_date", "transaction_date"),
        *("transaction_time", "order_purchase_timestamp", "purchased_at", "ordered_at", "created_at", "created", "event_at"),
        *("زمان", "تاریخ", "تاریخ_سفارش", "تاریخ_خرید", "تاریخ_فاکتور", "تاریخ_تراکنش"),
    ),
    "ends": (
        *("ends_at", "ends", "end_at", "end_date", "end_time", "end", "expires_at", "expires", "expires_on", "expire_date", "expiry"),
        *("expiry_date", "expiration", "expiration_date", "valid_until", "valid_to", "paid_until", "period_end", "current_period_end"),
        *("پایان", "تاریخ_پایان", "انقضا", "تاریخ_انقضا", "اعتبار_تا"),
    ),
    "type": ("type", "event", "event_type", "event_name", "event_kind", "kind", "action", "activity", "activity_type", "نوع", "رویداد"),
    "amount": (
        *("amount", "total", "total_amount", "order_total", "order_amount", "order_value", "transaction_amount", "purchase_amount"),
        *("amt", "total_amt", "order_amt"),
        *("amount_usd", "total_price", "value", "price", "revenue", "sales", "sales_value", "spend", "spent", "monetary_value", "dollars"),
        *("payment_value", "actual_amount_paid", "amount_paid", "net_amount", "gross_amount", "مبلغ", "جمع", "مبلغ_کل", "مبلغ_فاکتور"),
        *("مبلغ_سفارش", "مبلغ_خرید", "قیمت"),
    ),
    "order": (
        *("order_id", "order", "order_no", "order_number", "invoice", "invoice_no", "invoice_id", "invoice_number", "transaction_id"),
        *("basket_id", "receipt", "receipt_id", "شماره_سفارش", "شماره_فاکتور"),
    ),
    "contract": (
        *("subscription_id", "subscription_no", "subscription_number", "contract_id", "contract_no", "contract_number", "policy_id"),
        *("policy_no", "policy_number", "شماره_اشتراک", "شناسه_اشتراک", "شماره_قرارداد", "شناسه_قرارداد"),
    ),
    "quantity": ("quantity", "qty", "تعداد"),
    "unit_price": ("unit_price",),
}
"""The names that columns may have; the first that is there is taken. Of an order's lines the amount may be quantity times unit price."""

ENDINGS: dict[str, tuple[str, ...]] = {
    "customer": ("customer_id", "user_id", "client_id", "member_id", "account_id", "household_id"),
    "ends": ("ends_at", "end_date", "expires_at", "expire_date", "expiry_date", "expiration_date", "period_end"),
    "time": ("timestamp", "datetime", "_date", "_time", "_at"),
}
"""How names end that are taken where none of those is there."""

LAST = ("email", "email_address", "phone", "phone_number", "customer_name", "ایمیل", "شماره_موبایل", "نام_مشتری", "id", "شناسه")
"""What names a customer where nothing better does: an id alone may be the row's."""

_THING = "order orders purchase purchases purchased sale sales sold transaction transactions buy bought ordered خرید سفارش فروش"
_DONE = ("placed", "created", "made", "reported", "received", "confirmed")
_LATER = ("completed", "complete", "paid", "successful", "success", "fulfilled")

PURCHASES: tuple[frozenset[str], ...] = (
    frozenset(["", *_THING.split(), "sales order", "reseller sale reported", "sales order placed"]),
    frozenset([f"{thing} {done}" for thing in ("order", "purchase", "sale") for done in _DONE] + ["placed order"]),
    frozenset([f"{thing} {done}" for thing in ("order", "purchase", "sale", "checkout") for done in _LATER] + ["completed order"]),
    frozenset({"checkout", "invoice", "payment", "payment received", "paid", "donation"}),
)
"""Words of a type that is a purchase. One order has several moments, so only the first of these groups that a log has is taken."""

_OF = frozenset(["subscription", "contract", "membership", "plan", "policy", "account", "قرارداد", "اشتراک"])

_BEGUN = "started start begun began created activated activation signup signed_up sign_up subscribed subscribe joined آغاز شروع عضویت"
_AGAIN = "renewed renewal renew extended extension prolonged تمدید"
_OVER = "cancelled canceled cancellation cancel terminated termination unsubscribed unsubscribe churned deactivated resigned لغو فسخ انصراف"

CONTRACTS: dict[str, frozenset[str]] = {
    STARTED: frozenset(_BEGUN.split()),
    RENEWED: frozenset(_AGAIN.split()),
    CANCELLED: frozenset(_OVER.split()),
}
"""What people call the types of contracts; a word beside it may say of what."""


@lru_cache(maxsize=4_096)
def folded(name: str) -> str:
    """A name as its words, joined by underscores."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name.strip())
    return "_".join(re.findall(r"\w+", fold(apart).replace("_", " ").replace("-", " ")))


def meant(names: Sequence[str]) -> dict[str, str]:
    """Which column has which meaning; empty where there is none. No column has two."""
    there = {folded(name): name for name in reversed(names)}
    columns: dict[str, str] = {}
    for meaning, known in MEANINGS.items():
        columns[meaning] = next((there[name] for name in known if name in there and there[name] not in columns.values()), "")
    for meaning, endings in ENDINGS.items():
        if not columns[meaning]:
            ours = (column for name, column in reversed(there.items()) if name.endswith(endings) and column not in columns.values())
            columns[meaning] = next(ours, "")
    if not columns["customer"]:
        columns["customer"] = next((there[name] for name in LAST if name in there and there[name] not in columns.values()), "")
    if not columns["time"]:
        columns["time"], columns["ends"] = columns["ends"], ""  # the only time there is
    if columns["quantity"] and not columns["unit_price"] and folded(columns["amount"]) == "price":
        columns["amount"], columns["unit_price"] = "", columns["amount"]  # of lines with a quantity it is the price of one
    return columns


def purchases_among(types: Iterable[str]) -> frozenset[str]:
    """Those types of a log that are a purchase. That some rows have no type makes them none of another kind than the rest."""
    worded = {type_: folded(type_.replace(".", " ")).replace("_", " ") for type_ in types}
    groups = [frozenset(type_ for type_, words in worded.items() if words in group) for group in PURCHASES]
    return next((found for found in groups if found - {""}), groups[0])


def contracts_among(types: Collection[str]) -> dict[str, str]:
    """Those types of a log that begin, renew or end a contract, and which of the three each does: by the names in our contracts, or as
    people call them."""
    exact = {type_: type_ for type_ in types if type_ in CONTRACTS}
    worded = {type_: folded(type_.replace(".", " ")).split("_") for type_ in types}
    bare = {type_: "_".join(word for word in words if word not in _OF) for type_, words in worded.items()}
    return exact or {type_: made for type_, word in bare.items() for made, known in CONTRACTS.items() if word in known}
