"""Decides about a customer's contacts under the lock on his row, exactly as `aggregates.contact_policy.decide` has it, and keeps it.

The customer's partition, the doors where others ask first, and the sender all come through here. Reading order: Ground, reserve, again.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from aggregates.contact_policy.candidate import Outcome
from aggregates.contact_policy.decide import decide, judged
from aggregates.contact_policy.policy import SERVICE, Policy
from projections.contacts import spending, table
from projections.contacts.fold import Known, contacted
from projections.contacts.standing import Keys, known
from projections.contacts.table import Connection
from projections.contacts.want import Want


@dataclass(frozen=True, slots=True)
class Ground:
    """What a decision stands on."""

    policy: Policy
    known: Known  # of the customer, contacts included
    at: datetime  # never before the last contact: windows only ever end at the latest


async def ground(connection: Connection, schema: str, keys: Keys, customer: UUID, now: datetime, *, without: UUID | None = None) -> Ground:
    """Lock the customer's row and see how he stands; `without` leaves out one contact of his."""
    await table.lock(connection, customer)
    _, policy = await table.in_force(connection)
    contacts = await table.made(connection, customer)
    at = max([now, *(when for when, _, _ in contacts)])
    reserved = {str(id_) for _, _, id_ in contacts}
    standing = await known(connection, schema, keys, customer, now, reserved)
    for when, channel, id_ in [contact for contact in contacts if contact[2] != without]:
        standing = contacted(standing, when, channel, str(id_))
    return Ground(policy, standing, at)


async def reserve(
    connection: Connection,
    schema: str,
    keys: Keys,
    customer: UUID,
    fresh: Sequence[Want],
    now: datetime,
    objection: Callable[[Want], str],
    *,
    undone: Collection[UUID] = (),
) -> list[tuple[Want, Outcome]]:
    """Decide together about what is new and about what was held until now; what was sent before is no candidate again."""
    standing = await ground(connection, schema, keys, customer, now)
    before = await table.of(connection, customer, [want.candidate.signal for want in fresh])
    new = [want for want in fresh if before.get(want.candidate.signal, ("",))[0] != "sent"]
    made = await table.approached(connection, customer, {want.candidate.rule for want in new})
    waiting = {want.candidate.signal: want for want in await table.held(connection, customer, standing.at)}
    wants = [_asked(want, objection(want)) for id_, want in waiting.items() if id_ not in before]
    wants += [_asked(want, want.candidate.objection or _repetition(standing.policy, want, made, undone)) for want in new]
    if not wants:
        return []
    wants = [replace(want, candidate=replace(want.candidate, customer=customer)) for want in wants]
    salt = await table.salt(connection)
    paid = await spending.spent(connection, standing.policy, standing.at)
    outcomes = decide(standing.policy, standing.known, [want.candidate for want in wants], standing.at, salt, paid)
    decided = list(zip(wants, outcomes, strict=True))
    await _write(connection, standing.policy, customer, decided)
    return decided


async def request(connection: Connection, schema: str, keys: Keys, want: Want, now: datetime) -> None:
    """Decide about what another system asks for; asked again, only what was held and whose time has come is decided again."""
    customer, id_ = want.candidate.customer, want.candidate.signal
    standing = await ground(connection, schema, keys, customer, now)
    before = await table.one(connection, customer, id_)
    if before is not None and not (before.outcome == "held" and before.until is not None and before.until <= standing.at):
        return
    if before is not None:
        want = replace(want, candidate=replace(want.candidate, wanted=before.wanted, occurred=before.occurred))
    salt = await table.salt(connection)
    paid = await spending.spent(connection, standing.policy, standing.at)
    outcomes = decide(standing.policy, standing.known, [want.candidate], standing.at, salt, paid)
    await _write(connection, standing.policy, customer, [(want, outcomes[0])], requested=True)


async def again(connection: Connection, schema: str, keys: Keys, want: Want, channel: str, now: datetime, against: str) -> Outcome:
    """Ask once more, as it is sent: what the rule has against it, consent, and the policy without the contact itself.

    Silent, it is written down as such and counts no more. Held, the sender tries again when the hour is right.
    """
    candidate = want.candidate
    standing = await ground(connection, schema, keys, candidate.customer, now, without=candidate.signal)
    asked = replace(candidate, prefer=(channel,), objection=against)
    outcome = judged(standing.policy, standing.known, asked, now)
    if outcome.result == "silent":
        before = await table.one(connection, candidate.customer, candidate.signal)
        if before is not None and before.outcome == "sent":
            await spending.count(connection, standing.policy, [(before.at, before.contact, channel)], -1)
        await table.silence(connection, candidate.customer, candidate.signal, now, outcome.reason)
    return outcome


async def _write(
    connection: Connection, policy: Policy, customer: UUID, decided: Sequence[tuple[Want, Outcome]], *, requested: bool = False
) -> None:
    await table.write(connection, customer, decided, requested=requested)
    sent = [(outcome.at, want.contact, outcome.channel) for want, outcome in decided if outcome.result == "sent"]
    await spending.count(connection, policy, sent)


def plain(want: Want, outcome: Outcome) -> Mapping[str, object]:
    """An outcome as it is told to the world."""
    return {
        **outcome.plain,
        "version": want.candidate.version,
        "contact": want.contact,
        "purpose": want.candidate.purpose,
        "cause": dict(want.cause),
        "late": want.late,
    }


def _asked(want: Want, objection: str) -> Want:
    return replace(want, candidate=replace(want.candidate, objection=objection)) if objection else want


def _repetition(policy: Policy, want: Want, made: Sequence[tuple[str, UUID, datetime]], undone: Collection[UUID]) -> str:
    """Whether he was approached already for a signal in whose place, or within whose cooldown, this one stands."""
    candidate = want.candidate
    if candidate.purpose == SERVICE and "cooldown" in policy.ignores:
        return ""
    for rule, id_, occurred in made:
        if rule == candidate.rule and id_ != candidate.signal and (id_ in undone or abs(candidate.occurred - occurred) < want.cooldown):
            return "cooldown"
    return ""
