"""What the names of Segment's e-commerce and live-chat specs are called here, in version 2 of their spelling and in version 1.

A name is compared without regard to case, spaces, hyphens and underscores. Any other name is kept as an open type of the source's
channel: `Signed Up` is `web.signed_up`. Reading order: MEANT, type_of.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

MEANT: Mapping[str, str] = MappingProxyType(
    {
        # browsing
        "Products Searched": "web.products_searched",
        "Product List Viewed": "web.product_list_viewed",
        "Product List Filtered": "web.product_list_filtered",
        "Product Clicked": "web.product_clicked",
        "Product Viewed": "web.product_viewed",
        # promotions
        "Promotion Viewed": "web.promotion_viewed",
        "Promotion Clicked": "web.promotion_clicked",
        # core ordering
        "Product Added": "web.product_added",
        "Product Removed": "web.product_removed",
        "Cart Viewed": "web.cart_updated",
        "Checkout Started": "web.checkout_started",
        "Checkout Step Viewed": "web.checkout_step_viewed",
        "Checkout Step Completed": "web.checkout_step_completed",
        "Payment Info Entered": "web.payment_info_entered",
        "Order Completed": "sales.order_placed",
        "Order Updated": "sales.order_updated",
        "Order Refunded": "sales.order_refunded",
        "Order Cancelled": "sales.order_cancelled",
        "Order Canceled": "sales.order_cancelled",
        # coupons
        "Coupon Entered": "web.coupon_entered",
        "Coupon Applied": "web.coupon_applied",
        "Coupon Denied": "web.coupon_denied",
        "Coupon Removed": "web.coupon_removed",
        # wishlist
        "Product Added to Wishlist": "web.product_added_to_wishlist",
        "Product Removed from Wishlist": "web.product_removed_from_wishlist",
        "Wishlist Product Added to Cart": "web.wishlist_product_added_to_cart",
        # sharing and reviewing
        "Product Shared": "web.product_shared",
        "Cart Shared": "web.cart_shared",
        "Product Reviewed": "web.product_reviewed",
        # live chat
        "Live Chat Conversation Started": "chat.started",
        "Live Chat Conversation Ended": "chat.ended",
        "Live Chat Message Sent": "chat.message_sent",
        "Live Chat Message Received": "chat.message_received",
        # version 1 of the e-commerce spec
        "Viewed Product Category": "web.product_list_viewed",
        "Viewed Product": "web.product_viewed",
        "Added Product": "web.product_added",
        "Removed Product": "web.product_removed",
        "Viewed Cart": "web.cart_updated",
        "Viewed Checkout Step": "web.checkout_step_viewed",
        "Completed Checkout Step": "web.checkout_step_completed",
        "Started Order": "web.checkout_started",
        "Updated Order": "sales.order_updated",
        "Completed Order": "sales.order_placed",
        "Refunded Order": "sales.order_refunded",
        "Cancelled Order": "sales.order_cancelled",
    }
)
"""Name to type. `web.` stands for the source's channel."""

_APART = re.compile(r"[\W_]+")
LONGEST = 200


def slug(name: str) -> str:
    """The name as the second half of a type: small letters of any script and digits, words joined by an underscore."""
    return _APART.sub("_", unicodedata.normalize("NFKC", name).lower())[:LONGEST].strip("_")


_MEANT = {slug(name): type_ for name, type_ in MEANT.items()}


@lru_cache(maxsize=4096)
def type_of(name: str, channel: str) -> str:
    """The type of a tracked event; empty for a name in which there is no letter and no digit."""
    own = slug(name)
    meant = _MEANT.get(own)
    if meant is None:
        return f"{channel}.{own}" if own else ""
    first, _, last = meant.partition(".")
    return meant if first != "web" or meant in TYPED else f"{channel}.{last}"


TYPED = frozenset({"web.product_viewed", "web.cart_updated"})
"""Those of the web that have a contract: they are the same fact whatever the source's channel is called."""
