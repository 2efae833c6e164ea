"""The records of signals: what is told of one on the topic `signals`, and the wish to approach somebody that comes of it.

Reading order: want, fired, withdrawn.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from aggregates.contact_policy.candidate import Candidate
from aggregates.rules.rule import Contact
from aggregates.touchpoint import derive
from projections.contacts.want import Want
from projections.triggers import table
from projections.triggers.state import Signal
from streams.in_force import Active
from streams.record import Publication


def want(customer: UUID, active: Active, do: Contact, signal: Signal, clock: str) -> Want:
    """What the contact policy is asked for by a signal; `clock`: by which it was given."""
    candidate = Candidate(
        signal.id,
        signal.rule,
        signal.version,
        customer,
        do.purpose,
        do.prefer,
        active.rule.holdout,
        signal.occurred_at,
        signal.recorded_at,
        active.order,
        campaign=do.campaign,
        objection=signal.quiet,
    )
    cause = {"source": signal.source, "id": signal.cause}
    blob = msgspec.msgpack.encode(signal)
    return Want(candidate, do.campaign, cause, signal.recorded_at, signal.late, blob, active.rule.cooldown, clock=clock)


def fired(customer: UUID, signal: Signal, active: Active) -> Publication:
    """A rule said something."""
    do = active.rule.do
    act = {"contact": do.campaign, "purpose": do.purpose} if isinstance(do, Contact) else {"notify": do.target}
    return _published(
        "signal.fired",
        customer,
        {
            "id": signal.id,
            "rule": signal.rule,
            "version": signal.version,
            "customer_id": customer,
            "cause": {"source": signal.source, "id": signal.cause},
            "occurred_at": signal.occurred_at,
            "recorded_at": signal.recorded_at,
            "late": signal.late,
            "do": act,
            "quiet": signal.quiet or None,
        },
    )


def withdrawn(given: table.Given) -> Publication:
    """Later evidence undid what a rule said."""
    return _published(
        "signal.withdrawn",
        given.customer_id,
        {
            "id": given.id,
            "rule": given.rule,
            "version": given.version,
            "customer_id": given.customer_id,
            "cause": {"source": given.source, "id": given.cause},
            "occurred_at": given.occurred_at,
            "recorded_at": given.recorded_at,
            "late": given.late,
            "withdrawn": True,
            "quiet": given.quiet or None,
        },
    )


def _published(type_: str, customer: UUID, data: Mapping[str, Any]) -> Publication:
    """A record of `signals`; its id is the same however often it is said."""
    event = {
        "specversion": "1.0",
        "id": str(derive(type_, str(data["id"]))),
        "source": "yekta:rules",
        "type": type_,
        "time": data["recorded_at"],
        "subject": str(customer),
        "datacontenttype": "application/json",
        "data": data,
    }
    return Publication("signals", str(customer).encode(), msgspec.json.encode(event))
