"""Says what becomes of every contact, by brute force: each decision asks the whole log again. Only for logs that arrive in order.

Written from docs/rules.md alone. Reading order: outcomes, decided, verdict.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.rules import oracle
from tests.rules.oracle import Event, Rule, Stands, moment, span

Policy = dict[str, Any]


class Person(NamedTuple):
    """A customer, and all that is told of him."""

    id: str
    events: Sequence[Event]


class Wish(NamedTuple):
    """A signal of a rule that contacts, not decided for good."""

    person: Person
    order: int
    rule: Rule
    signal: Stands
    due: datetime
    held: bool = False


class Sent(NamedTuple):
    """What went out."""

    wish: Wish
    at: datetime
    channel: str
    paid: bool  # there was a budget then


class Result(NamedTuple):
    """What became of it."""

    rule: str
    cause: str
    outcome: str
    channel: str | None
    at: datetime
    until: datetime | None
    reason: str | None


Spent = Callable[[str], int]
"""What a campaign has cost so far in the period that it is."""


def outcomes(
    rules: Sequence[Rule],
    policy: Policy,
    people: Sequence[Person],
    end: datetime,
    salt: str = "",
    changes: Sequence[tuple[datetime, Policy]] = (),
) -> list[Result]:
    """The last outcome of every candidate. Of customers whose candidates are due at one moment the one who waits longest is first.

    `changes`: the policies that come after the first, each from when it is in force.
    """
    wishes = [
        Wish(person, order, rule, signal, signal.occurred)
        for person in people
        for order, rule in enumerate(rules)
        for signal in oracle.standing(rule, person.events, end, policy["zone"])
        if "contact" in rule["do"]
    ]
    sent: list[Sent] = []
    last: dict[tuple[object, ...], Result] = {}
    coming = [change for change in changes if change[0] <= end]
    while wishes and (min(wish.due for wish in wishes) <= end or (coming and any(wish.held for wish in wishes))):
        at = min(wish.due for wish in wishes)
        if coming and coming[0][0] <= at:
            at, after = coming.pop(0)
            if hours(after) != hours(policy):
                wishes = [wish._replace(due=min(wish.due, at)) if wish.held else wish for wish in wishes]
            policy = after
            continue
        person = next(wish.person for wish in wishes if wish.due == at)
        together = [wish for wish in wishes if wish.due == at and wish.person.id == person.id]
        wishes = [wish for wish in wishes if wish not in together]
        known = [event for event in person.events if moment(event["time"]) <= at]
        made = [(one.at, one.channel) for one in sent if one.wish.person.id == person.id]
        for wish, result in decided(together, policy, known, made, at, spent(policy, sent, at), salt):
            last[wish.person.id, wish.rule["rule"], wish.signal.cause, wish.signal.occurred] = result
            if result.until is not None:
                wishes.append(wish._replace(due=result.until, held=True))
            if result.channel:
                sent.append(Sent(wish, at, result.channel, "budget" in policy))
    return list(last.values())


def hours(policy: Policy) -> object:
    """The quiet hours, and for whom they are none."""
    return (policy["quiet"], policy["zone"], "quiet" in policy.get("transactional", {}).get("ignores", [])) if "quiet" in policy else None


def spent(policy: Policy, sent: Sequence[Sent], at: datetime) -> Spent:
    """What contacts of this period have cost, of a campaign or of all; of those that were made while there was a budget."""
    budget = policy.get("budget")
    if budget is None:
        return lambda campaign: 0

    def period(when: datetime) -> Any:
        return oracle.period(budget["in"], when.astimezone(ZoneInfo(policy["zone"])).date())

    return lambda campaign: sum(
        budget["costs"].get(one.channel, 0)
        for one in sent
        if one.paid and period(one.at) == period(at) and (budget["per"] == "all" or one.wish.rule["do"]["contact"] == campaign)
    )


def decided(
    wishes: list[Wish], policy: Policy, known: list[Event], made: list[tuple[datetime, str]], at: datetime, paid: Spent, salt: str
) -> list[tuple[Wish, Result]]:
    answers = [(wish, verdict(wish, policy, known, made, at, paid)) for wish in wishes]
    ready = [wish for wish, (outcome, *_) in answers if outcome == "sent"]
    in_order = sorted(ready, key=lambda wish: (rank(policy, wish), wish.signal.occurred, wish.order))
    best = next((wish for wish in in_order if not kept_out(policy, wish, salt)), None)
    results = []
    for wish, (outcome, channel, until, reason) in answers:
        if outcome == "sent" and wish is not best:
            lost = best is not None and in_order.index(wish) > in_order.index(best)
            reason = f"lost to {best.rule['rule']}" if lost and best else "holdout"  # noqa: PLW2901 - the verdict is overruled
            outcome, channel = "silent", None  # noqa: PLW2901
        results.append((wish, Result(wish.rule["rule"], wish.signal.cause, outcome, channel, at, until, reason)))
    return results


def kept_out(policy: Policy, wish: Wish, salt: str) -> bool:
    """Whether he is in the hold-out of the rule or in that of all."""
    free = policy.get("transactional", {}).get("ignores", []) if wish.rule["do"]["purpose"] == "service" else []
    return drawn(wish.rule.get("holdout", "0%"), salt, wish.rule["rule"], "1", wish.person.id) or (
        "holdout" not in free and drawn(policy.get("holdout", "0%"), salt, "policy", policy["policy"], wish.person.id)
    )


def drawn(share: str, salt: str, *parts: str) -> bool:
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8, key=salt.encode()[:64], person=b"holdout").digest()
    return int.from_bytes(digest, "big") < float(share.removesuffix("%")) / 100 * 2**64


def rank(policy: Policy, wish: Wish) -> int:
    purpose = wish.rule["do"]["purpose"]
    priority: list[str] = policy["priority"]
    return priority.index(purpose) if purpose in priority else len(priority)


def verdict(
    wish: Wish, policy: Policy, known: list[Event], sent: list[tuple[datetime, str]], at: datetime, paid: Spent
) -> tuple[str, str | None, datetime | None, str | None]:
    """What would become of it alone: outcome, channel, until, reason."""
    free = policy.get("transactional", {}).get("ignores", []) if wish.rule["do"]["purpose"] == "service" else []
    if at > wish.signal.occurred and (why := objection(wish, policy, known, at)):
        return "silent", None, None, why
    reasons: list[tuple[int, str]] = []
    channel = None
    for one in wanted(wish, policy, known):
        stage, why = closed(wish, policy, known, sent, at, one, free, paid)
        if not why:
            channel = one
            break
        reasons.append((stage, why))
    if channel is None:
        furthest = max((stage for stage, _ in reasons), default=0)
        return "silent", None, None, next((why for stage, why in reasons if stage == furthest), "channel")
    if "quiet" in policy and "quiet" not in free:
        local = at.astimezone(ZoneInfo(policy["zone"]))
        until = local
        while is_quiet(policy["quiet"], until):
            until = until.replace(second=0, microsecond=0) + timedelta(minutes=1)
        if until > local:
            held = policy["quiet"].get("then", "hold") == "hold"
            if held and until <= wish.signal.occurred + span(policy["quiet"].get("expires", "3000d")):
                return "held", None, until.astimezone(at.tzinfo), "quiet"
            return "silent", None, None, "quiet"
    return "sent", channel, None, None


def is_quiet(quiet: dict[str, str], local: datetime) -> bool:
    clock = f"{local.hour:02}:{local.minute:02}"
    if quiet["from"] < quiet["to"]:
        return quiet["from"] <= clock < quiet["to"]
    return clock >= quiet["from"] or clock < quiet["to"]


def objection(wish: Wish, policy: Policy, known: list[Event], at: datetime) -> str:
    facts = sorted((oracle.Fact(moment(event["time"]), event["id"], event) for event in known), key=lambda fact: fact[:2])
    cause = next(fact for fact in facts if fact.id == wish.signal.cause)
    first = next(rise.first for rise in oracle.rises(wish.rule["when"], facts, policy["zone"]) if rise.cause.id == cause.id)
    if oracle.stopped(wish.rule.get("unless"), facts, first, at):
        return "unless"
    return "" if oracle.allowed(wish.rule.get("if"), facts, at, policy["zone"]) else "if"


def wanted(wish: Wish, policy: Policy, known: list[Event]) -> list[str]:
    prefer: list[str] = wish.rule["do"].get("prefer", ["customer"])
    told = [event for event in known if event["type"] == "profile.reported" and "preferred_channel" in event["data"]["traits"]]
    declared = max(told, key=lambda event: (moment(event["time"]), event["id"]))["data"]["traits"]["preferred_channel"] if told else None
    tried: list[str] = []
    for channel in prefer:
        if channel != "customer":
            tried.append(channel)
        elif declared:
            tried.append(declared)
        elif prefer == ["customer"]:
            tried += policy["counts"]
    return tried


def closed(
    wish: Wish,
    policy: Policy,
    known: list[Event],
    sent: list[tuple[datetime, str]],
    at: datetime,
    channel: str,
    free: list[str],
    paid: Spent,
) -> tuple[int, str]:
    purpose = wish.rule["do"]["purpose"]
    facts = [oracle.Fact(moment(event["time"]), event["id"], event) for event in known]
    if not oracle.consents(facts, purpose, channel, at):
        return 0, f"consent {purpose}/{channel}"
    if "block_while" not in free:
        for state, channels in policy.get("block_while", {}).items():
            if (channels == "all" or channel in channels) and (in_call(known, at) if state == "in_call" else complains(known)):
                return 1, f"block_while {state}"
    if "caps" not in free and channel in policy["counts"]:
        for cap in policy.get("caps", []):
            capped = policy["counts"] if cap["channels"] == "all" else cap["channels"]
            if channel in capped:
                made = sent + [(moment(e["time"]), e["data"]["channel"]) for e in known if e["type"] == "contact.made"]
                window = [one for when, one in made if at - span(cap["within"]) < when <= at and one in capped and one in policy["counts"]]
                if len(window) >= cap["max"]:
                    name = "all" if cap["channels"] == "all" else ",".join(cap["channels"])
                    return 2, f"cap {name}/{cap['within']}"
    budget = policy.get("budget", {"costs": {}})
    cost = budget["costs"].get(channel, 0)
    if cost and paid(wish.rule["do"]["contact"]) + cost > budget["amount"]:
        return 3, "budget"
    return 4, ""


def in_call(known: list[Event], at: datetime) -> bool:
    calls: dict[str, Event] = {}
    for event in sorted(known, key=lambda event: (moment(event["time"]), event["id"])):
        if event["type"] in ("call.answered", "call.ended"):
            calls[event["data"]["call_id"]] = event
    return any(event["type"] == "call.answered" and at - moment(event["time"]) <= timedelta(hours=4) for event in calls.values())


def complains(known: list[Event]) -> bool:
    requests: dict[str, Event] = {}
    for event in sorted(known, key=lambda event: (moment(event["time"]), event["id"])):
        if event["type"] in ("service.request_opened", "service.request_resolved"):
            requests[event["data"]["request_id"]] = event
    return any(event["type"] == "service.request_opened" for event in requests.values())
