"""Random rules, histories and orders of arrival, small enough to be judged by hand and mean enough to break things.

Times collide; facts come late, twice, and in any order.
"""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

START = datetime(2026, 3, 18, 20, tzinfo=UTC)
"""Near the Persian new year, in the evening: days, weeks and months of all calendars change in what follows."""

TYPES = ("shop.seen", "shop.asked", "shop.bought", "shop.called")
LENGTHS = ("1h", "2h", "3h", "6h", "12h", "1d", "2d", "4d")


def types() -> st.SearchStrategy[str]:
    return st.sampled_from(TYPES)


def patterns() -> st.SearchStrategy[Any]:
    paged = st.fixed_dictionaries({"event": types(), "where": st.fixed_dictionaries({"page": st.sampled_from(["price", "help"])})})
    return st.one_of(types(), types(), paged)


def spans() -> st.SearchStrategy[str]:
    return st.sampled_from(LENGTHS)


def windows() -> st.SearchStrategy[dict[str, Any]]:
    periods = st.sampled_from(["day", "week", "month", "jalali_month"])
    rolling = st.fixed_dictionaries({"within": spans()})
    return st.one_of(rolling, rolling, rolling, st.fixed_dictionaries({"in": periods}))


@st.composite
def counts(draw: st.DrawFn) -> dict[str, Any]:
    bound = draw(st.sampled_from([{"at_least": 1}, {"at_least": 2}, {"at_least": 3}, {"more_than": 1}, {"more_than": 3}]))
    where = draw(st.sampled_from([{}, {}, {"where": {"page": "price"}}]))
    return {"count": draw(types()), **bound, **where, **draw(windows())}


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    form = draw(st.sampled_from(["count", "count", "sequence", "sequence", "after", "after", "score", "segment"]))
    match form:
        case "count":
            return draw(counts())
        case "sequence":
            return {"sequence": draw(st.lists(patterns(), min_size=1, max_size=3)), **draw(windows())}
        case "after":
            return {"after": draw(patterns()), "absent": draw(patterns()), "for": draw(spans())}
        case "score":
            return {"score": "churn", "rises_to": 0.7, **draw(st.sampled_from([{}, {"rearm_below": 0.7}, {"rearm_below": 0.4}]))}
        case _:
            return {"segment": "loyal", "change": draw(st.sampled_from(["entered", "left"]))}


def checks() -> st.SearchStrategy[dict[str, Any]]:
    plain = st.one_of(
        st.sampled_from(
            [
                {"score": "churn", "at_least": 0.5},
                {"score": "churn", "below": 0.5},
                {"segment": "loyal"},
                {"consent": "marketing", "channel": "sms"},
            ]
        ),
        st.fixed_dictionaries({"count": types(), "at_least": st.integers(1, 2), "within": spans()}),
    )
    return st.one_of(plain, st.fixed_dictionaries({"not": plain}))


def stops() -> st.SearchStrategy[Any]:
    since = st.builds(lambda event: {"event": event, "since": "first_match"}, types())
    within = st.builds(lambda event, span: {"event": event, "within": span}, types(), spans())
    return st.one_of(types(), since, since, within, st.lists(st.one_of(since, within), min_size=1, max_size=2))


@st.composite
def rules(draw: st.DrawFn, name: str = "rule") -> dict[str, Any]:
    rule: dict[str, Any] = {"rule": name, "when": draw(conditions()), "do": {"notify": "team:test"}}
    if draw(st.booleans()):
        rule["cooldown"] = draw(spans())
    if draw(st.booleans()):
        rule["wait"] = draw(spans())
    if draw(st.booleans()):
        rule["unless"] = draw(stops())
    if draw(st.integers(0, 3)) == 0:
        rule["if"] = draw(st.one_of(checks(), st.lists(checks(), min_size=1, max_size=2)))
    return rule


@st.composite
def events(draw: st.DrawFn, most: int = 24) -> list[dict[str, Any]]:
    """Events in the order of their arrival, each with the time at which it was recorded."""
    made = []
    for number in range(draw(st.integers(0, most))):
        occurred = START + timedelta(minutes=30 * draw(st.integers(0, 300)))
        lag = draw(st.sampled_from([0, 0, 0, 0, 30, 60, 600, 3_000, 9_000]))
        made.append((occurred + timedelta(minutes=lag), number, event(draw, occurred, f"e{draw(st.integers(0, 9))}{number}")))
    if draw(st.integers(0, 4)) == 0:  # no recorded times: the order of the file is all that tells how they came
        return [one for _, _, one in draw(st.permutations(made))]
    arrived = []
    for recorded, _, one in sorted(made, key=lambda each: each[:2]):
        arrived.append(one | {"yektarecordedtime": recorded.isoformat()})
        if draw(st.integers(0, 9)) == 0:
            arrived.append(arrived[draw(st.integers(0, len(arrived) - 1))])
    return arrived


def event(draw: st.DrawFn, occurred: datetime, id_: str) -> dict[str, Any]:
    type_ = draw(st.sampled_from([*TYPES, *TYPES, "score.given", "segment.entered", "segment.left", "consent.given", "consent.withdrawn"]))
    data: dict[str, Any] = {"who": {"customer_number": f"c-{draw(st.integers(1, 2))}"}}
    if type_ in TYPES:
        data |= draw(st.sampled_from([{}, {"page": "price"}, {"page": "help"}]))
    elif type_ == "score.given":
        data |= {
            "score": draw(st.sampled_from(["churn", "churn", "value"])),
            "value": draw(st.sampled_from([0.1, 0.4, 0.5, 0.65, 0.7, 0.9])),
        }
    elif type_.startswith("segment"):
        data |= {"segment": draw(st.sampled_from(["loyal", "loyal", "new"]))}
    else:
        data |= {"purpose": "marketing"} | draw(st.sampled_from([{}, {"channels": ["sms"]}, {"channels": ["email"]}]))
    made = {"specversion": "1.0", "id": id_, "source": "/test", "type": type_, "time": occurred.isoformat(), "data": data}
    return made | {"yektabackfill": True} if draw(st.integers(0, 9)) == 0 else made


CHANNELS = ("sms", "email", "call")
CAPS = (
    [{"channels": "all", "max": 3, "within": "1d"}],
    [{"channels": "all", "max": 1, "within": "12h"}, {"channels": ["call", "email"], "max": 1, "within": "2d"}],
    [{"channels": ["sms"], "max": 0, "within": "1d"}],
)
QUIET = (
    {"from": "21:00", "to": "09:00"},
    {"from": "10:00", "to": "12:30", "then": "hold", "expires": "1h"},
    {"from": "21:00", "to": "09:00", "then": "hold", "expires": "6h"},
    {"from": "20:00", "to": "08:00", "then": "silent"},
)
BLOCKS = ({"open_complaint": "all", "in_call": ["sms", "email"]}, {"in_call": ["call"]})
TOLD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("consent.given", {"purpose": "service"}),
    ("consent.given", {"purpose": "retention", "channels": ["sms"]}),
    ("consent.given", {"purpose": "marketing"}),
    ("consent.withdrawn", {"purpose": "marketing", "channels": ["email"]}),
    *(("profile.reported", {"traits": {"preferred_channel": channel}}) for channel in CHANNELS),
    *((f"call.{word}", {"call_id": call}) for word in ("answered", "ended") for call in ("k1", "k2")),
    *(("service.request_opened", {"request_id": request, "category": "complaint"}) for request in ("q1", "q2")),
    ("service.request_resolved", {"request_id": "q1"}),
    ("contact.made", {"channel": "agent_offer"}),
    ("contact.made", {"channel": "sms"}),
)


BUDGETS = (
    {"per": "campaign", "amount": 3, "in": "day", "costs": {"sms": 1, "call": 2}, "stop": "hard"},
    {"per": "all", "amount": 4, "in": "month", "costs": {"sms": 2, "email": 1, "call": 1}, "stop": "hard"},
    {"per": "all", "amount": 2, "in": "jalali_month", "costs": {"sms": 1, "email": 1}, "stop": "hard"},
)


@st.composite
def contacting(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some rules that contact."""
    made = []
    for number in range(draw(st.integers(1, 3))):
        rule = draw(rules(f"r{number}"))
        rule["do"] = {"contact": f"k{number}", "purpose": draw(st.sampled_from(["service", "retention", "marketing", "marketing"]))}
        prefer = draw(st.sampled_from([None, ["customer"], ["customer", "sms", "call"], ["sms"], ["call", "sms"], ["email", "customer"]]))
        made.append(rule if prefer is None else rule | {"do": rule["do"] | {"prefer": prefer}})
    return made


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """A policy of any of the parts there are."""
    zone = draw(st.sampled_from(["Asia/Tehran", "UTC", "Europe/Berlin"]))
    priority = draw(st.sampled_from([["service", "retention", "marketing"], ["marketing", "service"]]))
    policy: dict[str, Any] = {"policy": "contact", "zone": zone, "priority": priority, "counts": [*CHANNELS, "agent_offer"]}
    ignores = draw(st.lists(st.sampled_from(["caps", "cooldown", "quiet", "block_while"]), unique=True))
    parts = {"quiet": QUIET, "caps": CAPS, "block_while": BLOCKS}
    policy |= {name: draw(st.sampled_from(choices)) for name, choices in parts.items() if draw(st.booleans())}
    return policy | {"transactional": {"ignores": ignores}} if ignores else policy


def dense(random: Random) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Rules that contact often, a policy with hold-outs and budgets, and the events of several customers to whom much happens."""
    policy = _policy(random)
    rules = [_often(random, f"r{number}") for number in range(random.randint(1, 4))]
    people = {}
    for number in range(1, random.randint(1, 4) + 1):
        purposes = ("service", "retention", "marketing")
        told: list[tuple[int, str, dict[str, Any]]] = [(0, "consent.given", {"purpose": purpose}) for purpose in purposes]
        for _ in range(random.randint(5, 25)):
            type_, data = random.choice(TOLD) if random.random() < 0.2 else (random.choice(TYPES), {"page": "price"})
            told.append((random.randint(0, 100), type_, data))
        told.sort(key=lambda one: one[0])
        people[f"c-{number}"] = [
            {
                "specversion": "1.0",
                "id": f"p{number}-{place:03}",
                "source": "/test",
                "type": type_,
                "time": (START + timedelta(minutes=30 * half + number)).isoformat(),  # no two customers' facts have the same time
                "data": {"who": {"customer_number": f"c-{number}"}, **data},
            }
            for place, (half, type_, data) in enumerate(told)
        ]
    return rules, policy, people


def changing(random: Random) -> tuple[list[dict[str, Any]], list[tuple[datetime, dict[str, Any]]], dict[str, list[dict[str, Any]]]]:
    """The same with policies of which each comes after another, from when it is in force: at no moment at which anything else happens.

    Something is often held as one comes, which may have other quiet hours, or the same ones and all else otherwise.
    """
    rules, policy, people = dense(random)
    policy |= {"quiet": QUIET[0]}
    found = [(START - timedelta(days=1), policy)]
    for half in sorted(random.sample(range(100), random.randint(4, 12))):
        quiet = random.choice([policy.get("quiet"), policy.get("quiet"), *QUIET, None])
        policy = {name: value for name, value in random.choice([policy, _policy(random)]).items() if name != "quiet"}
        policy |= {"quiet": quiet} if quiet else {}
        found.append((START + timedelta(minutes=30 * half + 11), policy))
    return rules, found, people


def _policy(random: Random) -> dict[str, Any]:
    policy: dict[str, Any] = {"policy": "contact", "zone": "Asia/Tehran", "priority": ["service", "retention"]}
    policy |= {"counts": [*CHANNELS, "agent_offer"]}
    parts = {"quiet": QUIET, "caps": CAPS, "block_while": BLOCKS, "budget": BUDGETS, "holdout": ("30%",)}
    policy |= {name: random.choice(choices) for name, choices in parts.items() if random.random() < 0.4}
    if random.random() < 0.3:
        policy["transactional"] = {"ignores": random.sample(["caps", "cooldown", "quiet", "block_while"], 2)}
    return policy


def _often(random: Random, name: str) -> dict[str, Any]:
    """A rule that contacts, with a condition that often comes true."""
    when: dict[str, Any] = {"count": random.choice(TYPES), "at_least": random.randint(1, 2), "within": random.choice(LENGTHS)}
    if random.random() < 0.4:
        when = {"after": random.choice(TYPES), "absent": random.choice(TYPES), "for": random.choice(LENGTHS)}
    elif random.random() < 0.3:
        when = {"sequence": random.sample(TYPES, 2), "within": random.choice(LENGTHS)}
    do = {"contact": random.choice(["spring", "autumn"]), "purpose": random.choice(["service", "retention", "marketing"])}
    prefer = random.choice([["sms"], ["call", "sms"], ["email", "sms"], ["customer"]])
    rule: dict[str, Any] = {"rule": name, "when": when, "do": {**do, "prefer": prefer}}
    stop = random.choice([{"within": random.choice(LENGTHS)}, {"since": "first_match"}])
    parts: dict[str, Any] = {"wait": random.choice(LENGTHS), "cooldown": random.choice(LENGTHS), "holdout": "40%"}
    parts |= {"unless": {"event": random.choice(TYPES), **stop}}
    return rule | {word: value for word, value in parts.items() if random.random() < 0.3}


@st.composite
def in_order(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events of one customer, each arriving when it happens."""
    made = []
    for number in range(draw(st.integers(0, 24))):
        occurred = START + timedelta(minutes=30 * draw(st.integers(0, 60)))
        type_, data = draw(st.one_of(st.sampled_from(TOLD), st.builds(lambda type_: (type_, {"page": "price"}), types())))
        made.append((occurred, f"e{draw(st.integers(0, 9))}{number}", type_, data))
    made += [
        (START, f"z{purpose}", "consent.given", {"purpose": purpose})
        for purpose in draw(st.sets(st.sampled_from(["service", "marketing"])))
    ]
    return [
        {
            "specversion": "1.0",
            "id": id_,
            "source": "/test",
            "type": type_,
            "time": occurred.isoformat(),
            "data": {"who": {"customer_number": "c-1"}, **data},
        }
        for occurred, id_, type_, data in sorted(made, key=lambda each: each[:2])
    ]
