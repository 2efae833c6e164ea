"""Knows what people call the columns of their logs and the types that are a purchase, so that an ordinary log needs no mapping. Pure.

Case, spaces and hyphens make no difference: `CustomerID`, `customer id`, `customer_id` and `customerid` are one name.
Reading order: meant, purchases_among, contracts_among, may_tell_types, tells_types.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from aggregates.churn import CANCELLED, RENEWED, STARTED
from aggregates.normal.persian import fold

NOTHING_SAID: Mapping[str, str] = MappingProxyType({})

MEANINGS: dict[str, tuple[str, ...]] = {
    "customer": (
        *("customer_unique_id", "customer", "customer_id", "customer_no", "customer_number", "customer_key", "customer_code", "cust_id"),
        *("cust_code", "cust_no", "cust", "user", "user_id", "uid", "client", "client_id", "client_no", "client_number", "client_num"),
        *("buyer", "buyer_id", "shopper_id", "donor_id", "guest_id", "player_id", "reviewer_id", "member", "member_id", "subscriber"),
        *("subscriber_id", "account", "account_id", "account_no", "account_number", "person", "person_id"),
        *("household", "household_id", "household_key", "hshd_num", "subject", "who"),
        *("msno", "visitor_id", "full_visitor_id", "card_id", "card_no", "card_number", "مشتری", "شماره_مشتری", "کد_مشتری", "شناسه_مشتری"),
        *("کاربر", "شناسه_کاربر"),
    ),
    "time": (
        *("time", "timestamp", "occurred", "occurred_at", "event_time", "event_timestamp", "event_date", "datetime", "date_time"),
        *("date", "day", "at", "ts", "order_date", "order_time", "purchase_date", "purchase_time", "invoice_date", "transaction_date"),
        *(
            "transaction_time",
            "transaction_dt",
            "t_dat",
            "order_purchase_timestamp",
            "purchased_at",
            "ordered_at",
            "sale_date",
            "shop_date",
        ),
        *("transaction_date_and_time", "created_at", "created", "event_at"),
        *("زمان", "تاریخ", "تاریخ_سفارش", "تاریخ_خرید", "تاریخ_فاکتور", "تاریخ_تراکنش"),
    ),
    "ends": (
        *("ends_at", "ends", "end_at", "end_date", "end_time", "end", "expires_at", "expires", "expires_on", "expire_date", "expiry"),
        *("expiry_date", "expiration", "expiration_date", "valid_until", "valid_to", "paid_until", "period_end", "current_period_end"),
        *("پایان", "تاریخ_پایان", "انقضا", "تاریخ_انقضا", "اعتبار_تا"),
    ),
    "type": (
        *("type", "event", "event_type", "event_name", "event_kind", "kind", "action", "action_type", "activity", "activity_type"),
        *("behavior", "behavior_type", "behaviour", "behaviour_type", "نوع", "رویداد", "نوع_رویداد", "نام_رویداد"),
    ),
    "amount": (
        *("amount", "total", "total_amount", "order_total", "order_amount", "order_value", "transaction_amount", "purchase_amount"),
        *("amt", "total_amt", "order_amt", "grand_total", "total_due", "total_paid", "invoice_total", "invoice_amount", "line_total"),
        *("amount_usd", "total_price", "total_sales", "sales_amount", "sale_amount", "purchase_value", "transaction_value"),
        *("value", "price", "revenue", "sales", "sales_value", "spend", "spent", "monetary_value", "dollars", "sales_price", "sub_total"),
        *("payment_value", "payment_amount", "actual_amount_paid", "amount_paid", "net_amount", "gross_amount"),
        *("مبلغ", "جمع", "مبلغ_کل", "مبلغ_فاکتور", "مبلغ_سفارش", "مبلغ_خرید", "قیمت"),
    ),
    "order": (
        *("order_id", "order", "order_no", "order_number", "sales_order_id", "sales_order_number", "invoice", "invoice_no", "invoice_id"),
        *("invoice_number", "transaction_id", "transaction_no", "transaction_number", "basket_id", "basket_num", "receipt", "receipt_id"),
        *("receipt_no", "receipt_number", "bill_no", "bill_number", "شماره_سفارش", "شماره_فاکتور"),
    ),
    "contract": (
        *("subscription_id", "subscription_no", "subscription_number", "contract_id", "contract_no", "contract_number", "policy_id"),
        *("policy_no", "policy_number", "شماره_اشتراک", "شناسه_اشتراک", "شماره_قرارداد", "شناسه_قرارداد"),
    ),
    "quantity": ("quantity", "qty", "quantity_ordered", "qty_ordered", "order_quantity", "purchase_quantity", "تعداد"),
    "unit_price": ("unit_price", "price_each", "price_per_unit", "item_price"),
}
"""The names that columns may have; the first that is there is taken. Of an order's lines the amount may be quantity times unit price."""

ENDINGS: dict[str, tuple[str, ...]] = {
    "customer": ("customer_id", "user_id", "client_id", "member_id", "account_id", "household_id"),
    "ends": ("ends_at", "end_date", "expires_at", "expire_date", "expiry_date", "expiration_date", "period_end"),
    "time": ("timestamp", "datetime", "_date", "_time", "_at", "_dt", "_ts"),
}
"""How names end that are taken where none of those is there."""

LAST = ("email", "email_address", "phone", "phone_number", "customer_name", "ایمیل", "شماره_موبایل", "نام_مشتری", "id", "شناسه")
"""What names a customer where nothing better does: an id alone may be the row's."""

_KINDS = frozenset(["type", "event", "action", "activity", "interaction", "behavior", "behaviour", "operation", "نوع", "رویداد"])
_OF_KINDS = frozenset(
    [
        "name",
        "kind",
        "category",
        "class",
        "code",
        "label",
        "transaction",
        "user",
        "customer",
        "record",
        "log",
        "touchpoint",
        "contact",
        "نام",
    ]
)
"""What the name of a column is made of that may tell types: a word of the first, and beside it none but these."""

_THING = "order orders purchase purchases purchased sale sales sold transaction transactions buy bought ordered خرید سفارش فروش"
_DONE = ("placed", "created", "made", "reported", "received", "confirmed")
_LATER = ("completed", "complete", "paid", "successful", "success", "fulfilled")

PURCHASES: tuple[frozenset[str], ...] = (
    frozenset(["", *_THING.split(), "sales order", "reseller sale reported", "sales order placed"]),
    frozenset([f"{thing} {done}" for thing in ("order", "purchase", "sale") for done in _DONE] + ["placed order"]),
    frozenset([f"{thing} {done}" for thing in ("order", "purchase", "sale", "checkout") for done in _LATER] + ["completed order"]),
    frozenset({"booking", "booking made", "booked", "reservation", "reservation made", "رزرو"}),
    frozenset({"checkout", "invoice", "payment", "payment received", "paid", "donation", "recharge", "top up", "topup", "پرداخت", "شارژ"}),
)
"""Words of a type that is a purchase. One order has several moments, so only the first of these groups that a log has is taken."""

_BESIDE = frozenset(["item", "product", "place", "make", "new", "online", "web", "app", "store", "ثبت", "کالا", "اینترنتی"])
"""Words that may stand beside those of a purchase, and make it no other: `place_order`, `item_purchased`, `ثبت سفارش`."""

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


def meant(names: Sequence[str], said: Mapping[str, str] = NOTHING_SAID) -> dict[str, str]:
    """Which column has which meaning; empty where there is none. No column has two. What is said of a meaning is so."""
    free = [name for name in names if name not in said.values()]
    there = {folded(name): name for name in reversed(free)}
    bare = {name.replace("_", ""): column for name, column in there.items()}
    columns: dict[str, str] = {}
    for meaning, known in MEANINGS.items():
        found = (bare.get(name.replace("_", ""), "") for name in known)
        columns[meaning] = said.get(meaning) or (
            "" if meaning in said else next((one for one in found if one and one not in columns.values()), "")
        )
    for meaning, endings in ENDINGS.items():
        if not columns[meaning] and meaning not in said:
            ours = (column for name, column in reversed(there.items()) if name.endswith(endings) and column not in columns.values())
            columns[meaning] = next(ours, "")
    if not columns["customer"]:
        columns["customer"] = next((there[name] for name in LAST if name in there and there[name] not in columns.values()), "")
    if not columns["time"]:
        columns["time"], columns["ends"] = columns["ends"], ""  # the only time there is
    if (
        columns["quantity"]
        and not columns["unit_price"]
        and folded(columns["amount"]) == "price"
        and not {"amount", "unit_price"} & {*said}
    ):
        columns["amount"], columns["unit_price"] = "", columns["amount"]  # of lines with a quantity it is the price of one
    return columns


def purchases_among(types: Iterable[str]) -> frozenset[str]:
    """Those types of a log that are a purchase. That some rows have no type makes them none of another kind than the rest."""
    worded = {type_: _of_a_purchase(folded(type_.replace(".", " ")).split("_")) for type_ in types}
    groups = [frozenset(type_ for type_, words in worded.items() if words in group) for group in PURCHASES]
    return next((found for found in groups if found - {""}), groups[0])


def _of_a_purchase(words: list[str]) -> str:
    return " ".join([word for word in words if word not in _BESIDE] or words)


def may_tell_types(name: str) -> bool:
    """Whether a column may tell what happened, by its name: `interaction_type` may, a `product_type` may not."""
    words = {*folded(name).split("_")}
    return bool(words & _KINDS) and words <= _KINDS | _OF_KINDS


def tells_types(types: Collection[str]) -> bool:
    """Whether these words of a column are types: among them is a purchase, or what begins or ends a contract."""
    return bool(purchases_among(types) - {""} or contracts_among(types))


def contracts_among(types: Collection[str]) -> dict[str, str]:
    """Those types of a log that begin, renew or end a contract, and which of the three each does: by the names in our contracts, or as
    people call them."""
    exact = {type_: type_ for type_ in types if type_ in CONTRACTS}
    worded = {type_: folded(type_.replace(".", " ")).split("_") for type_ in types}
    bare = {type_: "_".join(word for word in words if word not in _OF) for type_, words in worded.items()}
    return exact or {type_: made for type_, word in bare.items() for made, known in CONTRACTS.items() if word in known}
