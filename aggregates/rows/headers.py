"""Knows what people call the columns of their lists, in Persian and English, so that an ordinary list needs no mapping.

A header is compared as search compares texts; what stands in brackets behind it may be its unit: مبلغ (تومان). Reading order: WORDS, meant.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aggregates.contracts import CONTRACTS
from aggregates.normal.persian import fold
from aggregates.rows.fields import known

WORDS: Mapping[str, Sequence[str]] = {
    "time": [
        "تاریخ",
        "تاریخ فروش",
        "تاریخ فاکتور",
        "تاریخ سفارش",
        "تاریخ ثبت",
        "زمان",
        "تاریخ و ساعت",
        "تاریخ خرید",
        "تاریخ تماس",
        "تاریخ پرداخت",
        "date",
        "time",
        "datetime",
        "timestamp",
        "sale date",
        "order date",
        "created at",
        "invoice date",
    ],
    "clock": ["ساعت", "ساعت فروش", "clock", "time of day", "hour"],
    "who.phone": [
        "موبایل",
        "تلفن",
        "شماره موبایل",
        "شماره تلفن",
        "تلفن همراه",
        "شماره همراه",
        "همراه",
        "شماره تماس",
        "تلفن مشتری",
        "موبایل مشتری",
        "تلفن تماس",
        "phone",
        "mobile",
        "cell",
        "phone number",
        "mobile number",
        "customer phone",
        "tel",
    ],
    "who.email": ["ایمیل", "پست الکترونیک", "پست الکترونیکی", "رایانامه", "email", "e-mail", "mail", "customer email"],
    "who.national_id": ["کد ملی", "شماره ملی", "کدملی", "national id", "national code", "national_code"],
    "who.customer_number": [
        "کد مشتری",
        "شماره مشتری",
        "شماره اشتراک",
        "کد اشتراک",
        "customer number",
        "customer no",
        "customer id",
        "customer code",
    ],
    "who.user_id": ["نام کاربری", "شناسه کاربر", "user id", "username", "user"],
    "who.device": ["دستگاه", "شناسه دستگاه", "device", "device id"],
    "traits.name": [
        "نام",
        "نام مشتری",
        "نام و نام خانوادگی",
        "مشتری",
        "خریدار",
        "نام خریدار",
        "نام کامل",
        "name",
        "customer",
        "customer name",
        "full name",
        "buyer",
    ],
    "traits.first_name": ["نام کوچک", "first name", "given name"],
    "traits.last_name": ["نام خانوادگی", "فامیل", "last name", "surname", "family name"],
    "traits.city": ["شهر", "شهرستان", "city", "town"],
    "traits.province": ["استان", "province", "state"],
    "traits.address": ["آدرس", "نشانی", "address"],
    "traits.postal_code": ["کد پستی", "کدپستی", "postal code", "zip", "zip code"],
    "traits.birth_date": ["تاریخ تولد", "تولد", "birth date", "birthday", "date of birth"],
    "traits.company": ["شرکت", "نام شرکت", "company"],
    "lines.sku": [
        "کد کالا",
        "کد محصول",
        "شناسه کالا",
        "کالا",
        "محصول",
        "شرح کالا",
        "نام کالا",
        "sku",
        "product",
        "item",
        "product code",
        "article",
        "item code",
    ],
    "lines.quantity": ["تعداد", "مقدار", "quantity", "qty", "count", "pieces"],
    "lines.unit_price": ["قیمت واحد", "فی", "قیمت", "مبلغ واحد", "بهای واحد", "unit price", "price", "unit_price"],
    "lines.discount": ["تخفیف", "مبلغ تخفیف", "discount"],
    "total": [
        "مبلغ کل",
        "جمع",
        "جمع کل",
        "مبلغ",
        "قیمت کل",
        "مبلغ فاکتور",
        "مبلغ نهایی",
        "مبلغ فروش",
        "قابل پرداخت",
        "total",
        "amount",
        "sum",
        "total amount",
        "grand total",
    ],
    "currency": ["ارز", "واحد پول", "واحد پولی", "currency"],
    "sale_id": [
        "شماره فاکتور",
        "شماره فروش",
        "کد فروش",
        "شناسه فروش",
        "فاکتور",
        "شماره حواله",
        "sale id",
        "sale number",
        "sale no",
        "invoice",
        "invoice number",
        "invoice no",
    ],
    "order_id": ["شماره سفارش", "کد سفارش", "سفارش", "شناسه سفارش", "order", "order id", "order number", "order no"],
    "lead_id": ["شماره سرنخ", "کد سرنخ", "سرنخ", "lead", "lead id"],
    "visit_id": ["شماره بازدید", "بازدید", "visit", "visit id"],
    "quote_id": ["شماره پیش فاکتور", "پیش فاکتور", "پیشفاکتور", "quote", "quote id"],
    "call_id": ["شماره مکالمه", "شناسه تماس", "کد تماس", "call id"],
    "subscription_id": ["شماره قرارداد", "شماره اشتراک", "subscription", "subscription id"],
    "reseller": ["نماینده", "نمایندگی", "کد نماینده", "نام نماینده", "فروشگاه", "عامل فروش", "reseller", "agency", "dealer"],
    "reported_by": ["گزارش دهنده", "ثبت کننده", "فروشنده", "کاربر ثبت کننده", "reported by", "seller", "recorded by"],
    "salesperson": ["فروشنده", "کارشناس فروش", "بازاریاب", "ویزیتور", "salesperson", "sales rep", "seller"],
    "agent": ["اپراتور", "پاسخگو", "کارشناس", "agent", "operator"],
    "store": ["شعبه", "فروشگاه", "store", "branch", "shop"],
    "payment": ["نحوه پرداخت", "روش پرداخت", "نوع پرداخت", "payment", "payment method"],
    "method": ["نحوه پرداخت", "روش پرداخت", "نوع پرداخت", "method", "payment method"],
    "shipping": ["هزینه ارسال", "کرایه حمل", "حمل", "shipping", "delivery cost"],
    "discount": ["تخفیف", "تخفیف کل", "discount"],
    "reason": ["علت", "دلیل", "علت مرجوعی", "reason"],
    "note": ["توضیحات", "شرح", "یادداشت", "ملاحظات", "note", "notes", "remarks", "description", "comment"],
    "interest": ["علاقه مندی", "علاقمندی", "درخواست", "interest", "interested in"],
    "value": ["ارزش", "ارزش تخمینی", "مبلغ تخمینی", "value", "worth"],
    "outcome": ["نتیجه", "outcome", "result"],
    "minutes": ["مدت", "مدت (دقیقه)", "دقیقه", "minutes", "duration"],
    "plan": ["طرح", "پلن", "بسته", "plan", "package"],
    "campaign": ["کمپین", "پویش", "campaign"],
    "": ["ردیف", "شماره ردیف", "#", "no", "no.", "row", "row number"],  # says nothing of the fact
}

UNITS: Mapping[str, tuple[str, int]] = {
    **dict.fromkeys(("ریال", "ریالی", "به ریال", "rial", "rials", "rls", "rl", "irr", "r"), ("IRR", 1)),
    **dict.fromkeys(("تومان", "تومن", "به تومان", "ت", "toman", "tomans", "tmn", "irt"), ("IRR", 10)),
    **dict.fromkeys(("هزار تومان", "هزار تومن"), ("IRR", 10_000)),
    **dict.fromkeys(("میلیون تومان", "میلیون تومن"), ("IRR", 10_000_000)),
    **dict.fromkeys(("دلار", "usd", "$"), ("USD", 1)),
    **dict.fromkeys(("یورو", "eur", "€"), ("EUR", 1)),
    **dict.fromkeys(("درهم", "aed"), ("AED", 1)),
}
"""How amounts are counted: the currency, and how many of it make one. A toman is ten rials."""

_BRACKETS = re.compile(r"^(?P<name>.*?)\s*[(\[{«–-]\s*(?P<unit>[^()\[\]{}«»]+?)\s*[)\]}»]?$")


def key(text: str) -> str:
    """A header as it is compared."""
    return " ".join(fold(text).replace("_", " ").replace("-", " ").replace(":", " ").split())


_PLACES: dict[str, list[str]] = {}
for _place, _names in WORDS.items():
    for _name in (*_names, _place.rpartition(".")[2], _place):
        if _place or _name:
            _PLACES.setdefault(key(_name), []).append(_place)
_JOINED = {name.replace(" ", ""): places for name, places in _PLACES.items()}
"""The same without spaces: a half-space is one to some who write it, and none to others."""

_EZAFE = re.compile("\u200c[یي](?=\\s|$)")
"""What links two words and is seldom written: شماره‌ی فاکتور."""

_UNITS = {key(name): unit for name, unit in UNITS.items()}


class Meant(NamedTuple):
    """What a column holds."""

    place: str  # "" where it says nothing of the fact
    unit: str = ""  # how its amounts are counted, as it is written


def meant(type_: str, header: str) -> Meant | None:
    """What a header means for this type; None: it is not known."""
    whole = _place_of(type_, header)
    if whole is not None:
        return Meant(whole)
    parts = _BRACKETS.match(header.strip())
    if parts is not None and key(parts["unit"]) in _UNITS:
        place = _place_of(type_, parts["name"])
        if place:
            return Meant(place, parts["unit"])
    return None


def unit(text: str) -> tuple[str, int] | None:
    """The currency that a word means, and how many of it make one."""
    return _UNITS.get(key(text))


def _place_of(type_: str, header: str) -> str | None:
    places = known(type_)
    wanted = key(_EZAFE.sub("", header))
    for place in _PLACES.get(wanted) or _JOINED.get(wanted.replace(" ", "")) or ():
        if _fits(place, type_):
            return place
        if place == "total" and (amount := CONTRACTS[type_].amount if type_ in CONTRACTS else None):
            return amount  # of a payment or a return the sum is its amount
        if place.startswith("lines.") and place.removeprefix("lines.") in places:
            return place.removeprefix("lines.")
    return next((place for place in places if key(place.rpartition(".")[2]) == wanted), None)


def _fits(place: str, type_: str) -> bool:
    if place in {"time", "clock", ""} or place.startswith(("who.", "traits.")):
        return True
    return place in known(type_)
