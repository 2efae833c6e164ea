"""What comes back of a contact: somebody made one, it arrived, it was opened, answered or refused."""

from typing import Annotated

from msgspec import Struct

from aggregates.contracts.contract import Contract
from aggregates.contracts.fields import Id, Name, Text, says


class ContactMade(Struct, frozen=True):
    """Somebody approached the customer: an agent made an offer, a reseller visited. It counts for the caps of the contact policy."""

    channel: Annotated[Id, says("How: agent_offer, partner_visit, sms, email, call …")]
    contact: Annotated[Name | None, says("With what: a campaign, an offer.")] = None
    signal: Annotated[Name | None, says("The `id` that was answered when it was asked for, so that it counts once.")] = None
    note: Annotated[Text | None, says("What was said.")] = None


class Receipt(Struct, frozen=True):
    """What became of a contact that was sent, as whoever carried it says, or as the customer answered."""

    signal: Annotated[
        Name | None, says("The signal, as it was sent with it, or the gateway's name of it; absent: his latest by this channel.")
    ] = None
    channel: Annotated[Name | None, says("By which channel: sms, email, call …")] = None
    contact: Annotated[Name | None, says("With what: a campaign, an offer.")] = None
    reason: Annotated[Text | None, says("Why not, or what was said.")] = None


WHO = {"phone": "09121234567"}
SIGNAL = "2446bfd3-bc4f-5d3e-902d-051a32ac3ee4"


def receipt(verb: str, **example: str) -> Contract:
    """The contract of one kind of receipt; all have the same fields."""
    return Contract(
        f"contact.{verb}",
        Receipt,
        subject=("who",),
        ref="signal",
        personal=frozenset({"reason"}),
        example={"who": WHO, "signal": SIGNAL, **example},
    )


CONTRACTS = (
    Contract(
        "contact.made",
        ContactMade,
        subject=("who",),
        ref="contact",
        personal=frozenset({"note"}),
        example={"who": WHO, "channel": "agent_offer", "contact": "spring", "note": "He will think about it."},
    ),
    receipt("delivered", channel="sms"),
    receipt("opened", channel="email"),
    receipt("clicked", channel="email"),
    receipt("answered", channel="call", reason="Wants to be called on Saturday."),
    receipt("refused", channel="sms", reason="Blocked."),
)
