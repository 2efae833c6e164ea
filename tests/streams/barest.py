"""The barest records of both topics that can be read, to be made unreadable in one place."""

from typing import Any

import msgspec

from aggregates.wire import CustomerEvent, SealedTouchpoint
from tests.streams.people import BEGINNING

BOTH: dict[str, Any] = {
    "specversion": "1.0",
    "id": "x",
    "source": "/x",
    "type": "x.y",
    "time": BEGINNING,
    "yektaevent": "6f1c1d3e-7a35-5d0e-9a53-7d1f3c6b2a10",
    "yektakey": "x",
    "yektarecorded": BEGINNING,
    "yektaseal": 0,
    "data": msgspec.Raw(b"{}"),
}
TOUCHPOINT = SealedTouchpoint(**BOTH, yektabody="")
CUSTOMER_EVENT = CustomerEvent(**BOTH, subject="8698ec08-7059-5f1f-88cb-7b8747a34556")
