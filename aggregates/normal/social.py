"""Brings accounts of social networks to `network:handle`, from a handle, an @handle or the address of a profile."""

import re

from aggregates.normal.form import NotAnIdentifier

MEND = "write the network and the handle, like instagram:sara"

NETWORKS = {
    "instagram.com": "instagram",
    "ig": "instagram",
    "insta": "instagram",
    "t.me": "telegram",
    "telegram.me": "telegram",
    "tg": "telegram",
    "twitter": "x",
    "twitter.com": "x",
    "x.com": "x",
    "facebook.com": "facebook",
    "fb": "facebook",
    "linkedin.com": "linkedin",
    "eitaa.com": "eitaa",
    "ble.ir": "bale",
    "rubika.ir": "rubika",
}
"""Names and addresses under which a network is also known."""

_ADDRESS = re.compile(r"https?://(?:www\.|m\.)?([^/:@ ]+)/(?:in/)?@*([^@/?#: ]+)/?(?:[?#].*)?")
_HANDLE = re.compile(r"([^/:@ ]+)[:/ ]+@*([^@/?#: ]+)")


def social(text: str) -> str:
    """Network and handle in lower case."""
    lower = text.lower()
    found = _ADDRESS.fullmatch(lower) or _HANDLE.fullmatch(lower)
    if not found:
        raise NotAnIdentifier("social", "it is not a network and a handle", MEND)
    return f"{NETWORKS.get(found[1], found[1])}:{found[2]}"
