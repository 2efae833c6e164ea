"""What customers allow us, in whatever channel they said so."""

from typing import Annotated

from msgspec import Meta, Struct

from aggregates.contracts.contract import Contract
from aggregates.contracts.fields import Id, Text, When, mended, says

Channels = Annotated[
    list[Id],
    Meta(min_length=1, max_length=32, extra=mended("name the channels, or leave the field out when all are meant")),
]


class Consent(Struct, frozen=True):
    """A customer allows, or no longer allows, a purpose."""

    purpose: Annotated[Id, says("What for: service, marketing, retention, analytics …")]
    channels: Annotated[Channels | None, says("By which channels (sms, email, call …); absent: by all.")] = None
    evidence: Annotated[Text | None, says("Where it can be seen: a form, a recording, a letter.")] = None
    valid_until: Annotated[When | None, says("When it ends by itself; a date alone: when that day begins.")] = None


WHO = {"phone": "09121234567"}

CONTRACTS = (
    Contract(
        "consent.given",
        Consent,
        subject=("who",),
        ref="purpose",
        example={"who": WHO, "purpose": "marketing", "channels": ["sms", "email"], "evidence": "form 12", "valid_until": "2027-11-22"},
    ),
    Contract(
        "consent.withdrawn", Consent, subject=("who",), ref="purpose", example={"who": WHO, "purpose": "marketing", "channels": ["sms"]}
    ),
)
