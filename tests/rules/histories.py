"""Random rules, histories and orders of arrival, small enough to be judged by hand and mean enough to break things.

Times collide; facts come late, twice, and in any order.
"""

from datetime import UTC, datetime, timedelta
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
