"""What web sites and apps say of visits. Their order runs by the device, also after its user logged in."""

from typing import Annotated

from msgspec import Struct

from aggregates.contracts.contract import Contract
from aggregates.contracts.fields import Amount, Currency, Id, Name, Proven, Seconds, Text, Traits, Url, says
from aggregates.contracts.lines import Item, Sku

DEVICE = ("who.device",)


class PageViewed(Struct, frozen=True):
    """A page was looked at."""

    url: Annotated[Url, says("The page's address.")]
    title: Annotated[Text | None, says("The page's title.")] = None
    referrer: Annotated[Text | None, says("The address that led to it.")] = None
    page: Annotated[Name | None, says("A name by which rules speak of the page, like price.")] = None
    campaign: Annotated[Name | None, says("The campaign that led to it.")] = None
    locale: Annotated[Name | None, says("The language it was read in, like fa-IR.")] = None
    user_agent: Annotated[Text | None, says("What the browser says it is.")] = None
    duration_seconds: Annotated[Seconds | None, says("How long it was looked at.")] = None


class ProductViewed(Struct, frozen=True):
    """An article was looked at."""

    sku: Sku
    name: Annotated[Name | None, says("The article's name.")] = None
    category: Annotated[Name | None, says("What kind of article it is.")] = None
    price: Annotated[Amount | None, says("The price shown.")] = None
    currency: Annotated[Currency | None, says("The money of the price.")] = None
    url: Annotated[Text | None, says("The page's address.")] = None


class CartUpdated(Struct, frozen=True):
    """A cart changed; without lines it was emptied."""

    lines: Annotated[list[Item], says("All that is in the cart now.")]
    total: Annotated[Amount | None, says("What it comes to.")] = None
    currency: Annotated[Currency | None, says("The money of the total and the lines.")] = None


class FormSubmitted(Struct, frozen=True):
    """A form was sent."""

    form: Annotated[Id, says("The form's name.")]
    fields: Annotated[Traits | None, says("What was written into it.")] = None


class Identified(Struct, frozen=True):
    """A visitor said who they are: by logging in, registering or a link in a message."""

    traits: Annotated[Traits | None, says("What is known of them: name, email, phone, birth_date, city …")] = None
    verified: Annotated[Proven | None, says("Of these traits, by name, those that the source had proven.")] = None


CONTRACTS = (
    Contract(
        "web.page_viewed",
        PageViewed,
        subject=DEVICE,
        example={"who": {"device": "d-7f3a"}, "url": "https://shop.example/prices", "title": "Prices", "page": "price", "locale": "fa-IR"},
    ),
    Contract(
        "web.product_viewed",
        ProductViewed,
        subject=DEVICE,
        ref="sku",
        amount="price",
        currency="currency",
        example={"who": {"device": "d-7f3a"}, "sku": "TEA-250", "name": "Tea, 250 g", "price": "1850000", "currency": "IRR"},
    ),
    Contract(
        "web.cart_updated",
        CartUpdated,
        subject=DEVICE,
        amount="total",
        currency="currency",
        example={
            "who": {"device": "d-7f3a"},
            "lines": [{"sku": "TEA-250", "quantity": 2, "unit_price": "1850000"}],
            "total": "3700000",
            "currency": "IRR",
        },
    ),
    Contract(
        "web.form_submitted",
        FormSubmitted,
        subject=DEVICE,
        personal=frozenset({"fields"}),
        ref="form",
        example={"who": {"device": "d-7f3a", "email": "sara@example.ir"}, "form": "contact", "fields": {"message": "Call me, please."}},
    ),
    Contract(
        "web.identified",
        Identified,
        subject=DEVICE,
        personal=frozenset({"traits"}),
        implied=(("traits.email", "email"), ("traits.phone", "phone")),
        example={
            "who": {"device": "d-7f3a", "user_id": "u-81", "email": "sara@example.ir"},
            "traits": {"name": "Sara Karimi", "city": "Shiraz"},
        },
    ),
)
