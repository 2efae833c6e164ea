"""Decides about a customer's contacts under the lock on his row, exactly as `aggregates.contact_policy.decide` has it, and keeps it.

The customer's partition, the doors where others ask first, and the sender all come through here.
Reading order: Ground, Asked, reserve_all, request, cancel, again.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from aggregates.contact_policy.candidate import Outcome
from aggregates.contact_policy.decide import decide, judged
from aggregates.contact_policy.policy import SERVICE, Policy
from projections.contacts import decisions, policies, spending, table
from projections.contacts.decisions import Decision
from projections.contacts.fold import Known, contacted
from projections.contacts.standing import Keys, Until, known
from projections.contacts.table import Connection
from projections.contacts.want import Want

QUIET = "quiet"
PASSING = ("block_while ", QUIET)
"""How reasons begin that pass by themselves."""

CANCELLED = "cancelled"

UNDELIVERED = "undelivered"
"""How the reason begins of what was tried for days."""

UNSENT = (f"{UNDELIVERED} ", "address ", "refused ")
"""How the reasons begin of what could not be brought to him: nobody has it, and whoever has it sent again decides anew."""

TOGETHER = 200
"""Customers about whom it is decided together: what is known of them is in memory at once."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a decision stands on."""

    policy: Policy
    known: Known  # of the customer, contacts included
    at: datetime  # never before the last contact: windows only ever end at the latest


@dataclass(frozen=True, slots=True)
class Asked:
    """A customer about whom it is to be decided at a moment: about what is new, and about what was held until now."""

    customer: UUID
    fresh: Sequence[Want]
    now: datetime
    objection: Callable[[Want], str]
    undone: Collection[UUID] = ()  # signals that were withdrawn, for those that stand in their place
    early: bool = False  # of the moment more is on its way: what is new waits for it, and nothing is said of it yet
    joined: bool = False  # his rows were put together: some of the moment was decided before that


async def ground(
    connection: Connection,
    schema: str,
    keys: Keys,
    customer: UUID,
    now: datetime,
    *,
    without: UUID | None = None,
    replayed: datetime | None = None,
) -> Ground:
    """Lock the customer's row and see how he stands; `without` leaves out one contact of his. `replayed`: as he stood at that moment of a
    time that a source replays, by all that others had said of him by now."""
    policy = await table.lock(connection, customer)
    found = (await _grounds(connection, schema, keys, policy, {customer: now}, without, replayed))[customer]
    return found if replayed is None else replace(found, at=replayed)


async def _grounds(
    connection: Connection,
    schema: str,
    keys: Keys,
    policy: Policy,
    moments: Mapping[UUID, datetime],
    without: UUID | None = None,
    replayed: datetime | None = None,
) -> dict[UUID, Ground]:
    """How these customers stand, whose rows are locked."""
    made = await table.made_of(connection, moments)
    reserved = {customer: {str(id_) for _, _, id_ in made.get(customer, ())} for customer in moments}
    wanted = {customer: Until(now, replayed or now, reserved[customer]) for customer, now in moments.items()}
    facts = await known(connection, schema, keys, wanted)
    found = {}
    for customer, now in moments.items():
        standing, contacts = facts[customer], made.get(customer, [])
        for when, channel, id_ in [contact for contact in contacts if contact[2] != without]:
            standing = contacted(standing, when, channel, str(id_))
        found[customer] = Ground(policy, standing, max([now, *(when for when, _, _ in contacts)]))
    return found


async def reserve_all(connection: Connection, schema: str, keys: Keys, asked: Sequence[Asked]) -> dict[UUID, list[tuple[Want, Outcome]]]:
    """Decide about customers, each of whom is asked about once: what is new of one is decided together with what was held of him.

    Where a budget binds them all, one after the other, since what one gets is not there for the next.
    """
    policy = await table.lock_all(connection, [one.customer for one in asked])
    most = 1 if policy.budget is not None else TOGETHER
    decided: dict[UUID, list[tuple[Want, Outcome]]] = {}
    for at in range(0, len(asked), most):
        decided |= await _reserved(connection, schema, keys, policy, asked[at : at + most])
    return decided


async def _reserved(
    connection: Connection, schema: str, keys: Keys, policy: Policy, asked: Sequence[Asked]
) -> dict[UUID, list[tuple[Want, Outcome]]]:
    """What was sent before is no candidate again."""
    before = await table.of_all(connection, [(one.customer, want.candidate.signal) for one in asked for want in one.fresh])
    made = await table.approached(connection, {one.customer: {want.candidate.rule for want in one.fresh} for one in asked})
    waiting = [
        (one.customer, want, Outcome(want.candidate, "held", one.now, until=one.now))
        for one in asked
        if one.early
        for want in _wanted(policy, one, before, made.get(one.customer, ()), ())
    ]
    await table.write(connection, waiting)
    decided: dict[UUID, list[tuple[Want, Outcome]]] = {one.customer: [] for one in asked}
    asked = [one for one in asked if not one.early]
    standing = await _grounds(connection, schema, keys, policy, {one.customer: one.now for one in asked}) if asked else {}
    held = await table.held(connection, {customer: ground.at for customer, ground in standing.items()})
    wanted = {one.customer: _wanted(policy, one, before, made.get(one.customer, ()), held.get(one.customer, ())) for one in asked}
    if not any(wanted.values()):
        return decided
    salt = await policies.salt(connection)
    won = await table.won(connection, {one.customer: one.now for one in asked if one.joined})
    for customer, wants in wanted.items():
        if wants:
            here = standing[customer]
            paid = await spending.spent(connection, policy, here.at)
            outcomes = decide(policy, here.known, [want.candidate for want in wants], here.at, salt, paid, won.get(customer, ""))
            decided[customer] = list(zip(wants, outcomes, strict=True))
    await _write(connection, policy, [(customer, *one) for customer, some in decided.items() for one in some])
    return decided


def _wanted(
    policy: Policy,
    asked: Asked,
    before: Mapping[tuple[UUID, UUID], tuple[str, Want]],
    made: Sequence[tuple[str, UUID, datetime]],
    held: Iterable[Want],
) -> list[Want]:
    """The candidates of a customer, with what speaks against each."""
    customer = asked.customer
    waiting = {want.candidate.signal: want for want in held}
    wants = [_against(want, asked.objection(want)) for id_, want in waiting.items() if (customer, id_) not in before]
    new = [want for want in asked.fresh if before.get((customer, want.candidate.signal), ("",))[0] != "sent"]
    wants += [_against(want, want.candidate.objection or _repetition(policy, want, made, asked.undone)) for want in new]
    return [replace(want, candidate=replace(want.candidate, customer=customer)) for want in wants]


class AnotherRequest(Exception):
    """Something else was asked for under the same id."""


async def request(connection: Connection, schema: str, keys: Keys, want: Want, now: datetime) -> None:
    """Decide about what another system asks for; asked again, only what was held and is so no longer is decided again.

    Raises AnotherRequest.
    """
    customer, id_ = want.candidate.customer, want.candidate.signal
    await table.lock_request(connection, id_)
    standing = await ground(connection, schema, keys, customer, now)
    asked = await table.requested(connection, id_)
    if asked is not None and _asked_for(asked) != _asked_for(want):
        raise AnotherRequest
    before = await decisions.one(connection, customer, id_)
    if before is not None and not await _is_over(connection, before, standing.at):
        return
    if before is not None:
        want = replace(want, candidate=replace(want.candidate, wanted=before.wanted, occurred=before.occurred))
    salt = await policies.salt(connection)
    paid = await spending.spent(connection, standing.policy, standing.at)
    outcomes = decide(standing.policy, standing.known, [want.candidate], standing.at, salt, paid)
    await _write(connection, standing.policy, [(customer, want, outcomes[0])], requested=True)


async def _is_over(connection: Connection, held: Decision, now: datetime) -> bool:
    """Whether a request was held, and until now: or for other quiet hours than those of the latest policy, which says how long."""
    if held.outcome != "held" or held.until is None:
        return False
    since = await policies.hours_since(connection) if held.until > now and held.reason == QUIET else None
    return held.until <= now or (since is not None and held.at < since)


async def cancel(connection: Connection, id_: UUID, now: datetime) -> Decision | None:
    """What another system asked for is not made after all, and counts no more; asked again it stays so. None: nobody asked for it."""
    await table.lock_request(connection, id_)
    asked = await table.requested(connection, id_)
    if asked is None:
        return None
    await table.lock(connection, asked.candidate.customer)
    want = await table.requested(connection, id_) or asked  # of whoever has it now
    customer = want.candidate.customer
    before = await decisions.one(connection, customer, id_)
    if before is not None and before.outcome == "sent":
        await release(connection, want, before.channel or "", now, CANCELLED)
    elif before is not None and before.outcome == "held":
        await table.silence(connection, customer, id_, now, CANCELLED)
    return await decisions.one(connection, customer, id_)


async def again(
    connection: Connection,
    schema: str,
    keys: Keys,
    want: Want,
    channel: str,
    now: datetime,
    against: str,
    *,
    looking: bool = False,
    replayed: datetime | None = None,
) -> Outcome:
    """Ask once more, as it is sent: what the rule has against it, consent, and the policy without the contact itself.

    Silent, it is written down as such and counts no more, unless it went out before: a resend takes nothing back. Held, the sender tries
    again when the hour is right. Who is only `looking` silences nothing for what passes by itself. What was decided in a time that is
    `replayed` is asked about as of then.
    """
    candidate = want.candidate
    standing = await ground(connection, schema, keys, candidate.customer, now, without=candidate.signal, replayed=replayed)
    asked = replace(candidate, prefer=(channel,), objection=against)
    outcome = judged(standing.policy, standing.known, asked, now if replayed is None else standing.at)
    if outcome.result == "silent" and looking and outcome.reason.startswith(PASSING):
        return replace(outcome, result="held")
    if outcome.result == "silent":
        await release(connection, want, channel, replayed or now, outcome.reason)
    return outcome


async def give_up(connection: Connection, customer: UUID, signal: UUID, channel: str, now: datetime) -> None:
    """It was tried for days and reached nobody: it counts no more. In a time that a source replays it was never after its moment."""
    await table.lock(connection, customer)
    found = (await table.of(connection, customer, [signal])).get(signal)
    before = await decisions.one(connection, customer, signal)
    if found is not None and before is not None:
        want = found[1]
        want = replace(want, candidate=replace(want.candidate, customer=customer))
        await release(connection, want, channel, before.at if want.clock else now, f"{UNDELIVERED} {channel}")


async def take_up(connection: Connection, want: Want, outcome: Outcome) -> None:
    """What could not be brought to him is sent again after all, as somebody wishes: it counts from now. The customer is locked."""
    _, policy = await policies.in_force(connection)
    await _write(connection, policy, [(want.candidate.customer, want, outcome)])


async def release(connection: Connection, want: Want, channel: str, now: datetime, reason: str) -> None:
    """What was to be sent is not after all, and counts no more; unless it went out before. The customer is locked."""
    customer, signal = want.candidate.customer, want.candidate.signal
    outcome, stored = (await table.of(connection, customer, [signal])).get(signal, ("", want))
    if outcome != "sent" or await table.reached(connection, customer, signal):
        return
    if stored.spent is not None:
        await spending.count(connection, [(stored.spent, stored.contact, channel)], -1)
    await table.silence(connection, customer, signal, now, reason)


async def _write(connection: Connection, policy: Policy, decided: Sequence[tuple[UUID, Want, Outcome]], *, requested: bool = False) -> None:
    made = [
        (customer, replace(want, spent=spending.day(policy, outcome.at)) if outcome.result == "sent" else want, outcome)
        for customer, want, outcome in decided
    ]
    await table.write(connection, made, requested=requested)
    await spending.count(
        connection, [(want.spent, want.contact, outcome.channel) for _, want, outcome in made if want.spent and outcome.result == "sent"]
    )


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


def _asked_for(want: Want) -> tuple[object, ...]:
    """All that a request says but who asks: the channels as it names them, also those that were closed at that time."""
    return want.candidate.customer, want.candidate.purpose, want.asked or ",".join(want.candidate.prefer).encode(), want.contact


def _against(want: Want, objection: str) -> Want:
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
