"""What any system says of a customer, without anything having happened."""

from typing import Annotated

from msgspec import Struct

from aggregates.contracts.contract import Contract
from aggregates.contracts.fields import Proven, Traits, says


class Reported(Struct, frozen=True):
    """A system reports what it knows of a customer."""

    traits: Annotated[Traits | None, says("name, birth_date, city, company, tier, preferred_channel …")] = None
    verified: Annotated[Proven | None, says("Of these traits, by name, those that the source had proven.")] = None


CONTRACTS = (
    Contract(
        "profile.reported",
        Reported,
        subject=("who",),
        personal=frozenset({"traits"}),
        example={
            "who": {"customer_number": "10042", "phone": "09121234567", "email": "sara@example.ir"},
            "traits": {"name": "سارا کریمی", "city": "شیراز", "tier": "gold"},
        },
    ),
)
