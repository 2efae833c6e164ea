"""What to try once the demo runs: lines that work when pasted into a shell, and what each shows."""

import shlex
from dataclasses import dataclass
from typing import Any

import msgspec

from infra.demo.simulated import crm
from infra.demo.simulated.person import CHURNER, TWICE_KNOWN, person
from infra.demo.sources import READER_NAME, TODAY

PRETTY = "python3 -m json.tool --no-ensure-ascii"

SOON = "--fail --retry 9 --retry-all-errors"
"""Of whom is asked in the moment after he came: all lines are pasted at once, and the view is some milliseconds behind the door."""

NEWCOMER = {
    "specversion": "1.0",
    "id": "hello-1",
    "source": "https://shop.example/",
    "type": "web.identified",
    "data": {
        "who": {"device": "d-try-it", "phone": "۰۹۵۸ ۱۱۱ ۲۲۳۳", "email": "sara@mail.example"},
        "traits": {"name": "Sara Karimi", "city": "Shiraz"},
    },
}
"""A visitor of today, who says who she is. Her phone is in 0958, which belongs to nobody like those of the simulated customers."""

TIE = {
    "specversion": "1.0",
    "id": "tie-1",
    "source": f"https://{crm.SOURCE}.example/",
    "type": "profile.reported",
    "time": "1998-06-30T20:00:00Z",
    "data": {"who": {"customer_number": TWICE_KNOWN, "phone": person(TWICE_KNOWN).phone}},
}
"""The office learns the phone of a customer whom the call center and a reseller have long known by it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A command line and what it shows."""

    shows: str
    command: str


def lines(url: str, keys: dict[str, str]) -> list[Line]:
    """The lines, for the API at this address and the demo's keys."""
    write, read = shlex.quote(f"{keys[TODAY.name]}:"), shlex.quote(f"{keys[READER_NAME]}:")
    return [
        Line("Something happens now: a new visitor logs in", f"curl -s -u {write} {url}/v1/events -d {_quoted(NEWCOMER)}"),
        Line("She is found by her phone, in whatever spelling", _get(f"{SOON} {url}/v1/customers/by/phone/00989581112233", read)),
        Line("One customer, seen by all four channels", _get(f"{url}/v1/customers/by/customer_number/{CHURNER}", read)),
        Line(
            f"Two become one: customer {TWICE_KNOWN} and the caller {person(TWICE_KNOWN).phone}",
            f"curl -s -u {shlex.quote(keys[crm.SOURCE] + ':')} {url}/v1/events -d {_quoted(TIE)}",
        ),
    ]


def _get(address: str, key: str) -> str:
    return f"curl -s -u {key} {address} | {PRETTY}"


def _quoted(event: dict[str, Any]) -> str:
    return shlex.quote(msgspec.json.encode(event).decode())
