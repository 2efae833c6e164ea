"""What may be done with a request when, what time alone does to it, and what the log hears: all of it with literals."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from aggregates.contracts import CONTRACTS
from aggregates.decision import Told, event_of
from aggregates.identifier import Identifier, Token
from aggregates.reading import read
from aggregates.service_request import telling
from aggregates.service_request.deciding import VERBS, Command, NewRequest, Refused, decide, next_due, open_request, overdue
from aggregates.service_request.hours import Hours
from aggregates.service_request.recording import record_of
from aggregates.service_request.request import Escalated, Noted, PromiseBroken, Request, evolve, replay
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)  # a Sunday, ten in the morning in Tehran
ID = UUID(int=17)
HOURS = Hours()


class Story:
    """A request and what is done with it."""

    def __init__(self, **wanted: Any) -> None:
        self.events: list[Any] = [open_request(ID, "1017", {"phone": "+989121234567"}, NewRequest("Parcel", **wanted), NOW, "sara", HOURS)]
        self.at = NOW

    @property
    def request(self) -> Request:
        found = replay(self.events)
        assert found is not None
        return found

    def do(self, verb: str, after: float = 0.1, **command: Any) -> Request:
        self.at += timedelta(hours=after)
        self.events += decide(self.request, verb, Command(**command), self.at, "sara", HOURS)
        return self.request

    def pass_(self, hours: float) -> list[Any]:
        self.at += timedelta(hours=hours)
        found = list(overdue(self.request, self.at))
        self.events += found
        return found


MOVES = {
    "new": {"take", "assign", "change", "prioritise", "link", "note", "promise", "escalate", "resolve", "cancel"},
    "open": {"take", "assign", "change", "prioritise", "link", "note", "wait", "promise", "escalate", "resolve", "cancel"},
    "waiting": {"take", "assign", "change", "prioritise", "link", "note", "resume", "promise", "escalate", "resolve", "cancel"},
    "reopened": {"take", "assign", "change", "prioritise", "link", "note", "wait", "promise", "escalate", "resolve", "cancel"},
    "resolved": {"link", "note", "reopen", "close", "rate"},
    "closed": {"link", "reopen", "rate"},
}
WAYS: dict[str, list[str]] = {
    "new": [],
    "open": ["take"],
    "waiting": ["take", "wait"],
    "resolved": ["resolve"],
    "closed": ["resolve", "close"],
    "reopened": ["resolve", "reopen"],
}
FULL = Command(
    note="n", title="Other", category="c", priority="low", queue="q", owner="o", call_ids=("c",), promise="p", promise_id="1", score=4
)


@pytest.mark.parametrize("state", MOVES)
def test_each_state_allows_its_moves_and_refuses_the_others(state: str) -> None:
    story = Story()
    for verb in WAYS[state]:
        story.do(verb)
    assert story.request.state == state
    allowed = set()
    for verb in VERBS.keys() - {"keep-promise"}:
        with suppress(Refused):
            decide(story.request, verb, FULL, story.at, "sara", HOURS)
            allowed.add(verb)
    assert allowed == MOVES[state]


def test_what_somebody_took_is_not_taken_from_him_but_handed_over() -> None:
    story = Story()
    story.do("take")
    assert decide(story.request, "take", Command(), story.at, "sara", HOURS) == ()
    with pytest.raises(Refused, match=r"Request 1017 is with sara already: to take it over, assign it to yourself\."):
        decide(story.request, "take", Command(), story.at, "reza", HOURS)
    assert story.do("assign", owner="reza").owner == "reza"
    story.do("assign", owner="")
    assert story.do("take").owner == "sara"


@pytest.mark.parametrize("verb", ["take", "escalate", "assign", "change", "prioritise", "link", "promise"])
def test_what_is_written_beside_what_has_no_room_for_it_is_kept(verb: str) -> None:
    story, said = Story(), Command(owner="reza", title="Other", priority="high", call_ids=("c-9",), promise="Tomorrow.")
    assert Noted not in map(type, decide(story.request, verb, replace(said, note=" "), NOW, "sara", HOURS))
    *_, noted = decide(story.request, verb, replace(said, note="He is angry."), NOW, "sara", HOURS)
    assert isinstance(noted, Noted)
    assert (noted.note, noted.at > NOW) == ("He is angry.", True)


def test_no_request_stands_in_a_queue_without_a_name() -> None:
    story = Story()
    assert story.do("assign", queue="second").queue == "second"
    assert story.do("change", queue="").queue == "support"


def test_waiting_stops_the_clock() -> None:
    story = Story(owner="sara")
    due = story.request.due
    story.do("wait", after=1)
    assert story.pass_(30 * 24) == [Escalated(story.at, "", 1, "response_late")] or story.request.responded_at
    assert story.do("resume", after=0).due > due
    assert not story.pass_(0)


def test_what_is_late_goes_up_once_a_level() -> None:
    story = Story(priority="high")
    assert [event.reason for event in story.pass_(3)] == ["response_late"]
    assert story.pass_(1) == []
    assert [event.reason for event in story.pass_(24)] == ["resolution_late"]
    assert story.request.escalation == 2
    assert story.pass_(1000) == []
    assert next_due(story.request) is None


def test_a_promise_that_is_not_kept_is_broken() -> None:
    story = Story(owner="sara")
    story.do("promise", promise="A call", due=story.at + timedelta(hours=1))
    assert next_due(story.request) == NOW + timedelta(hours=1)
    assert [type(event) for event in story.pass_(2)] == [PromiseBroken, Escalated]
    assert story.pass_(0) == []
    assert story.do("keep-promise", promise_id="1").promises[0].state == "kept"


def test_another_priority_counts_from_the_beginning() -> None:
    story = Story(priority="low")
    before = story.request.due
    assert story.do("prioritise", priority="urgent").due == NOW + timedelta(hours=4) < before


def test_another_priority_counts_no_waiting_and_nothing_before_it_was_reopened() -> None:
    story = Story(owner="sara", priority="high")
    story.do("wait", after=1)
    story.do("resume", after=7 * 24)
    assert story.do("prioritise", after=0, priority="urgent").due == story.at + timedelta(hours=3)
    story.do("wait", after=1)
    assert story.do("prioritise", after=24, priority="normal").state == "waiting"
    story.do("prioritise", after=0, priority="urgent")
    assert story.do("resume", after=0).due == story.at + timedelta(hours=2)
    assert not story.pass_(1)
    story.do("resolve")
    reopened = story.do("reopen", after=30 * 24)
    assert story.do("prioritise", after=1, priority="low").due > reopened.due
    urgent = story.do("prioritise", after=0, priority="urgent")
    assert (urgent.response_due, urgent.due) == (reopened.response_due, reopened.due)


def test_everything_that_is_told_keeps_its_contract() -> None:
    story = Story(note="n", category="delivery", order_ids=("o-1",))
    for verb in ("take", "link", "note", "promise", "wait", "resume", "escalate", "resolve", "rate", "reopen", "resolve", "close"):
        story.do(verb, note="n", promise="p", owner="x", call_ids=("c-1",), score=5, queue="second")
    story.events += overdue(replay(story.events[:8]), NOW + timedelta(days=90))  # type: ignore[arg-type]

    class Tokens:
        def token(self, identifier: Identifier) -> Token:
            return Token(f"{identifier.kind}:t")

    decisions, changed = record_of(Tokens(), [(None, evolve(None, story.events[0]), story.events)])
    assert changed[0][1] == "phone:t"
    types = set()
    for decision in decisions:
        told = telling.told(decision)
        assert isinstance(told, Told)
        types.add(told.type)
        understood = read(event_of(decision, told), Source("yekta", types=("service.*",)), told.at)
        assert isinstance(understood, Touchpoint), understood
        assert understood.version == CONTRACTS[told.type].version
        assert understood.personal.keys() <= {"who", "title", "note", "promise"}
        assert understood.subject == f"request_id:{ID}"
    assert len(types) >= 13
