"""Decides what becomes of all candidates of one customer at one moment: one is sent, others are held or silent, each with its reason.

Checked in this order: what the rule itself objects to; for each channel in the order of preference consent, blocking states, caps, budget;
quiet hours; then the best of those that could go out wins; the hold-out is drawn last. Reading order: decide, judged, by_channel.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from aggregates.contact_policy.budget import Spent, nothing, over
from aggregates.contact_policy.candidate import CUSTOMER, Candidate, Outcome, Standing
from aggregates.contact_policy.learned import learned
from aggregates.contact_policy.policy import SERVICE, Cap, Policy
from aggregates.contact_policy.quiet import quiet_until
from aggregates.rules.holdout import held_out

LEARNED = "learned_"
"""Before the number of days, in a policy's `prefer`: `learned_90d`."""


def decide(
    policy: Policy, customer: Standing, candidates: Sequence[Candidate], at: datetime, salt: str, spent: Spent = nothing, winner: str = ""
) -> tuple[Outcome, ...]:
    """The outcome of each candidate, in their order. What is held is to be decided again when its time has come.

    `winner`: the rule that won already, where not all of the moment was known when it was decided.
    """
    outcomes = {candidate.signal: judged(policy, customer, candidate, at, spent) for candidate in candidates}
    ready = [candidate for candidate in candidates if outcomes[candidate.signal].result == "sent"]
    for candidate in sorted(ready, key=lambda candidate: rank(policy, candidate)):
        if winner:
            outcomes[candidate.signal] = Outcome(candidate, "silent", at, reason=f"lost to {winner}")
        elif kept_out(policy, candidate, salt):
            outcomes[candidate.signal] = Outcome(candidate, "silent", at, reason="holdout")
        else:
            winner = candidate.rule
    return tuple(outcomes[candidate.signal] for candidate in candidates)


def rank(policy: Policy, candidate: Candidate) -> tuple[int, float, datetime, int]:
    """The lowest wins: the purpose's priority, then the expected effect, then age, then the order of the rules."""
    priority = policy.priority.index(candidate.purpose) if candidate.purpose in policy.priority else len(policy.priority)
    return priority, -candidate.effect, candidate.occurred, candidate.order


def kept_out(policy: Policy, candidate: Candidate, salt: str) -> bool:
    """Whether the customer is in the hold-out of the rule, or in that of the policy."""
    customer = str(candidate.customer)
    if held_out(candidate.holdout, salt, candidate.rule, str(candidate.version), customer):
        return True
    return "holdout" not in ignored(policy, candidate) and held_out(policy.holdout, salt, "policy", policy.name, customer)


def judged(policy: Policy, customer: Standing, candidate: Candidate, at: datetime, spent: Spent = nothing) -> Outcome:
    """What would become of a candidate if he were the only one."""
    if candidate.objection:
        return Outcome(candidate, "silent", at, reason=candidate.objection)
    channel, reason = by_channel(policy, customer, candidate, at, spent)
    if not channel:
        return Outcome(candidate, "silent", at, reason=reason)
    if policy.quiet and "quiet" not in ignored(policy, candidate):
        until = quiet_until(policy.quiet, policy.zone, at)
        if until is not None:
            expires = policy.quiet.expires
            if policy.quiet.hold and (expires is None or until <= candidate.wanted + expires):
                return Outcome(candidate, "held", at, until=until, reason="quiet")
            return Outcome(candidate, "silent", at, reason="quiet")
    return Outcome(candidate, "sent", at, channel=channel)


def by_channel(policy: Policy, customer: Standing, candidate: Candidate, at: datetime, spent: Spent = nothing) -> tuple[str, str]:
    """The first channel that is open, or the reason of the one that came furthest."""
    furthest, reason = -1, "channel"
    for channel in channels(policy, customer, candidate, at):
        stage, why = closed(policy, customer, candidate, channel, at, spent)
        if not why:
            return channel, ""
        if stage > furthest:
            furthest, reason = stage, why
    return "", reason


def closed(policy: Policy, customer: Standing, candidate: Candidate, channel: str, at: datetime, spent: Spent = nothing) -> tuple[int, str]:
    """Why a channel is closed for this candidate, and how many checks it passed."""
    if not customer.allows(candidate.purpose, channel, at):
        return 0, f"consent {candidate.purpose}/{channel}"
    free = ignored(policy, candidate)
    if "block_while" not in free and policy.block_while:
        states = customer.states(at)
        for state, blocked in policy.block_while.items():
            if state in states and (not blocked or channel in blocked):
                return 1, f"block_while {state}"
    if "caps" not in free and counted(policy, channel):
        for cap in policy.caps:
            if (not cap.channels or channel in cap.channels) and reached(policy, cap, customer.contacts, at):
                return 2, cap.name
    if policy.budget and over(policy.budget, spent, candidate.campaign, channel):
        return 3, "budget"
    return 4, ""


def reached(policy: Policy, cap: Cap, contacts: Iterable[tuple[datetime, str]], at: datetime) -> bool:
    """Whether one more contact would be beyond the cap. Those of all purposes count."""
    count = 0
    for when, channel in contacts:
        if when <= at and at - when < cap.within and counted(policy, channel) and (not cap.channels or channel in cap.channels):
            count += 1
    return count >= cap.most


def counted(policy: Policy, channel: str) -> bool:
    """Whether contacts by this channel count for caps, and are bound by them."""
    return not policy.counts or channel in policy.counts


def ignored(policy: Policy, candidate: Candidate) -> frozenset[str]:
    """By what this candidate is not bound."""
    return policy.ignores if candidate.purpose == SERVICE else frozenset()


def channels(policy: Policy, customer: Standing, candidate: Candidate, at: datetime) -> tuple[str, ...]:
    """The channels to try, in order: `customer` stands for the one that he prefers.

    Nothing known of him, it stands for nothing where the rule names other channels, and else for those that the policy counts.
    """
    named = tuple(channel for channel in candidate.prefer if channel != CUSTOMER)
    tried: list[str] = []
    for channel in candidate.prefer:
        if channel != CUSTOMER:
            tried.append(channel)
        elif preferred := preference(policy, customer, at):
            tried.append(preferred)
        elif not named and "default" in policy.prefer:
            tried += policy.counts
    return tuple(dict.fromkeys(tried))


def preference(policy: Policy, customer: Standing, at: datetime) -> str:
    """The channel that he prefers, by the first word of the policy's `prefer` that knows one."""
    for word in policy.prefer:
        if word == "declared" and customer.preferred:
            return customer.preferred
        if word.startswith(LEARNED):
            within = timedelta(days=int(word.removeprefix(LEARNED).removesuffix("d")))
            if found := learned(customer.contacts, customer.responses, within, at):
                return found
    return ""
