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
                await moment.connection.execute(
                    table.OPEN + " ON CONFLICT DO NOTHING",
                    (derive("account", reference), "account", name, reference, None, one.fact.recorded),
                )
                await moment.connection.execute(
                    "INSERT INTO identity.members (account_id, identifier, role, since, by_key)"
                    " SELECT account_id, %s, %s, %s, %s FROM identity.accounts WHERE reference = %s ON CONFLICT DO NOTHING",
                    (one.event.yektadecider, role if role in ROLES else "uses", one.fact.at, one.fact.key[:64], reference),
                )
        return []

    async def refolded(self, moment: Moment, customers: Mapping[UUID, Any]) -> list[Effect]:
        """Members are named by identifiers: nothing moves."""
        return []
