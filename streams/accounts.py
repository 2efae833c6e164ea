"""Puts people into accounts as channels tell it: whoever is met with `account.joined` belongs to the account that it names.

Membership is by the identifier that decided whose the event is, so it follows him through merges and splits. Reading order: Belonging.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from aggregates.touchpoint import derive
from aggregates.wire import CustomerEvent
from projections.accounts import table
from streams.parts import Forgetful, Heard, Moment
from streams.record import Effect

JOINED = "account.joined"
ROLES = frozenset({"decides", "influences", "uses", "pays"})
LONGEST = 200


class Belonging(Forgetful):
    """The part that hears who belongs to which account."""

    name = "accounts"

    def wants(self, partition: int, event: CustomerEvent) -> bool:
        """Who joined an account."""
        return event.type == JOINED

    async def told(self, moment: Moment, heard: Sequence[Heard]) -> list[Effect]:
        """Each belongs to his account, which is opened when it is named first."""
        for one in heard:
            if one.fact is None or not one.customer:
                continue
            reference = str(one.fact.data.get("account") or "").replace("\0", "").strip()[:LONGEST]
            traits = one.fact.data.get("traits")
            said = traits if isinstance(traits, dict) else {}
            if reference:
                name = str(said.get("name") or reference).replace("\0", "")[:LONGEST]
                role = str(said.get("role") or one.fact.data.get("role") or "")
                account = table.Named(derive("account", reference), reference, name, one.fact.recorded)
                role = role if role in ROLES else "uses"
                await table.join(moment.connection, account, one.event.yektadecider, role, one.fact.at, one.fact.key[:64])
        return []

    async def refolded(self, moment: Moment, customers: Mapping[UUID, Any]) -> list[Effect]:
        """Members are named by identifiers: nothing moves."""
        return []
