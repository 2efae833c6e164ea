"""What a rule has against a contact of its own: asked when one that was held is decided again, and once more as it is sent.

Reading order: against, objection_now.
"""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec

from projections.contacts.want import Want
from projections.triggers.react import objection
from projections.triggers.state import Signal, State
from streams import in_force
from streams.in_force import InForce
from streams.record import Connection


def against(here: InForce, key: tuple[str, int], state: State | None, blob: bytes, now: datetime) -> str:
    """The objection by what the rule knows of the customer; empty: none."""
    active = here.rules.get(key)
    if active is None:
        return "retired"
    if active.state == "paused":
        return "paused"
    if state is None:
        return ""
    with suppress(msgspec.MsgspecError):
        return objection(active.trigger, state, msgspec.msgpack.decode(blob, type=Signal), now, here.quantiles)
    return ""


async def objection_now(connection: Connection, customer: UUID, want: Want, now: datetime) -> str:
    """The objection at the time of sending; asked from outside the customer's transaction.

    What is known of the customer was asked when it was decided, and in a time that a source replays it leaves at that moment.
    """
    rule, version = want.candidate.rule, want.candidate.version
    cursor = await connection.execute(
        "SELECT state, partition FROM streams.rule_states WHERE customer_id = %s AND rule = %s AND version = %s", (customer, rule, version)
    )
    state, partition = await cursor.fetchone() or (None, None)
    if partition is None:  # he was one with another when the rule was over: what any partition knows of it holds
        cursor = await connection.execute(
            "SELECT min(partition) FROM streams.in_force WHERE kind = 'rule' AND name = %s AND version = %s", (rule, version)
        )
        (partition,) = await cursor.fetchone() or (None,)
    if partition is None:
        return ""
    here = await in_force.load(connection, partition)
    active = here.rules.get((rule, version))
    known = active.storing.decode(state) if active and state is not None and not want.clock else None
    return against(here, (rule, version), known, want.blob, now)
