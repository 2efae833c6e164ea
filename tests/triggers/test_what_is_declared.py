"""The life of a rule as values, and rules as sentences: no engines."""

import json
from datetime import UTC, datetime, timedelta
from string import Formatter
from typing import Any, get_args

import pytest
from hypothesis import given, settings

from aggregates import declaration
from aggregates.decision import Decision
from aggregates.declaration import Declaration, Drafted, Event, NotPossible, Person, Verb, decide, draft, evolve
from aggregates.rules import reading, segment, sentence
from aggregates.written import standing
from tests.rules import histories

AT = datetime(2026, 3, 1, tzinfo=UTC)
ME, YOU = Person("me", "k1"), Person("you", "k2")


def after(before: Declaration | None, event: Event | None) -> Declaration:
    assert event is not None
    return evolve(before, event)


def written(before: Declaration | None, text: str, wanted: int = 1) -> Declaration:
    return after(before, draft(before, "rule", "hot", text, AT, ME, wanted=wanted))


def done(before: Declaration, verb: Verb, by: Person = ME, *, approval: bool = False) -> Declaration:
    return after(before, decide(before, verb, AT, by, approval=approval))


def states(one: Declaration) -> list[tuple[int, str, str]]:
    return [(version.version, version.text, version.state) for version in one.versions]


def test_a_draft_is_written_again_until_it_is_published_and_then_is_a_version_for_good() -> None:
    rule = written(written(None, "a"), "b")
    assert states(rule) == [(1, "b", "draft")]
    rule = done(rule, "publish")
    assert draft(rule, "rule", "hot", "b", AT, ME) is None  # it says so already
    rule = written(rule, "c")
    assert states(rule) == [(1, "b", "published"), (2, "c", "draft")]
    assert states(done(rule, "publish")) == [(1, "b", "retired"), (2, "c", "published")]


def test_a_version_that_somebody_names_is_taken_unless_it_is_not_free() -> None:
    rule = done(written(None, "a", 5), "publish")
    assert states(written(rule, "b", 9))[-1][0] == 9
    assert states(written(rule, "b", 2))[-1][0] == 6


def test_what_cannot_be_done_is_refused_and_what_is_so_already_is_nothing() -> None:
    rule = written(None, "a")
    for verb in ("pause", "resume"):
        with pytest.raises(NotPossible):
            decide(rule, verb, AT, ME)
    rule = done(rule, "publish")
    assert decide(rule, "publish", AT, ME) is None
    assert decide(rule, "resume", AT, ME) is None
    rule = done(rule, "pause")
    assert decide(rule, "pause", AT, ME) is None
    rule = done(rule, "retire")
    with pytest.raises(NotPossible):
        decide(rule, "publish", AT, ME)


def test_what_is_stored_is_read_back_and_partitions_are_told_of_all_but_drafts() -> None:
    events: list[Event] = [Drafted("rule", "hot", 1, "a", AT, "me"), declaration.Published(1, AT + timedelta(days=1), "you")]
    stored = [declaration.decision_of("rule", "hot", number, event) for number, event in enumerate(events, 1)]
    rule = declaration.replay(stored)
    assert rule is not None
    assert (rule.number, states(rule)) == (2, [(1, "a", "published")])
    assert declaration.told(rule, events[0], "UTC") is None
    told = declaration.told(rule, events[1], "UTC")
    assert told is not None
    assert (told.version, told.number, told.state, told.zone) == (1, 2, "published", "UTC")


def test_where_approval_is_required_the_author_only_asks_and_somebody_else_publishes() -> None:
    rule = done(written(None, "a"), "publish", approval=True)
    assert states(rule) == [(1, "a", "awaiting_approval")]
    assert rule.current is None
    assert decide(rule, "publish", AT, ME, approval=True) is None  # it waits already
    for same in (ME, Person("me", "another key"), Person("another name", "k1")):
        with pytest.raises(NotPossible, match="somebody other than me"):
            decide(rule, "approve", AT, same, approval=True)
    approved = done(rule, "approve", YOU, approval=True).latest
    assert (approved.state, approved.written_by, approved.by, approved.approved_by) == ("published", "me", "you", "you")
    published = done(written(None, "a"), "publish", YOU, approval=True)  # who publishes what another wrote has read it
    assert published.latest.approved_by == "you"


def test_what_awaits_approval_goes_back_when_it_is_rejected_or_written_again() -> None:
    waiting = done(written(None, "a"), "publish", approval=True)
    assert states(done(waiting, "reject", YOU)) == [(1, "a", "draft")]
    again = written(waiting, "b")
    assert states(again) == [(1, "b", "draft")]
    with pytest.raises(NotPossible, match="may still change"):
        decide(again, "approve", AT, YOU, approval=True)
    assert states(done(waiting, "publish")) == [(1, "a", "published")]  # the policy does not want it any more


def test_a_draft_that_was_never_published_is_thrown_away_and_no_partition_hears_of_it() -> None:
    draft = written(None, "a")
    gone = done(draft, "retire")
    assert (states(gone), gone.current) == ([(1, "a", "retired")], None)
    thrown = decide(draft, "retire", AT, ME)
    assert thrown is not None
    assert declaration.told(gone, thrown, "UTC") is None
    with pytest.raises(NotPossible):
        decide(gone, "publish", AT, ME)
    assert states(written(gone, "a")) == [(1, "a", "retired"), (2, "a", "draft")]
    beside = written(done(draft, "publish"), "b")
    assert states(done(beside, "retire")) == [(1, "a", "retired"), (2, "b", "draft")]  # what is in force goes first


def test_a_draft_beside_what_is_in_force_is_thrown_away_alone() -> None:
    beside = written(done(written(None, "a"), "publish"), "b")
    thrown = done(beside, "discard")
    assert states(thrown) == [(1, "a", "published"), (2, "b", "retired")]
    assert states(done(done(beside, "publish", approval=True), "discard"))[1] == (2, "b", "retired")
    assert draft(thrown, "rule", "hot", "a", AT, ME) is None, "it says what is in force"
    assert states(written(thrown, "b")) == [(1, "a", "published"), (2, "b", "retired"), (3, "b", "draft")]
    assert decide(thrown, "publish", AT, ME) is None
    assert decide(thrown, "discard", AT, ME) is None
    with pytest.raises(NotPossible, match="hot is published: nothing of it awaits"):
        decide(thrown, "reject", AT, ME)


def test_what_cannot_be_done_is_said_in_both_languages_with_the_same_words() -> None:
    for said in standing.SENTENCES.values():
        named = [{field for _, field, _, _ in Formatter().parse(said[lang]) if field} for lang in ("en", "fa")]
        assert named[0] == named[1]
    assert set(get_args(declaration.State)) == standing.STATES.keys()
    with pytest.raises(NotPossible) as refused:
        decide(done(written(None, "a"), "discard"), "resume", AT, ME)
    assert str(refused.value) == "hot is retired: only what is published or paused can be resumed."
    assert refused.value.message("fa") == "hot بازنشسته است: تنها آنچه منتشرشده یا متوقف است از سر گرفته می‌شود."


def test_who_rejects_what_another_published_meanwhile_is_told_so() -> None:
    waiting = done(written(None, "a"), "publish", approval=True)
    published = done(waiting, "approve", YOU, approval=True)
    with pytest.raises(NotPossible, match="hot is published"):
        decide(published, "reject", AT, Person("she"), approval=True)
    assert decide(done(waiting, "reject", YOU), "reject", AT, YOU) is None  # said twice


def test_who_asked_for_it_to_be_published_does_not_approve_it_either() -> None:
    asked = after(written(None, "a"), declaration.Proposed(1, AT, "you", "k2"))
    with pytest.raises(NotPossible):
        decide(asked, "approve", AT, YOU, approval=True)
    assert done(asked, "approve", Person("she"), approval=True).latest.state == "published"


def test_what_was_stored_before_there_were_approvals_is_read() -> None:
    old = [
        (1, "drafted", b'{"type":"drafted","kind":"rule","name":"hot","version":1,"text":"a","at":"2026-03-01T00:00:00Z","by":"me"}'),
        (2, "published", b'{"type":"published","version":1,"at":"2026-03-01T00:00:00Z","by":"you"}'),
    ]
    id_ = declaration.id_of("rule", "hot")
    rule = declaration.replay([Decision(id_, number, f"rule.{tag}", state) for number, tag, state in old])
    assert rule is not None
    assert (states(rule), rule.latest.written_by, rule.latest.approved_by) == ([(1, "a", "published")], "me", "")


@given(histories.rules())
@settings(max_examples=100, deadline=None)
def test_every_rule_is_a_sentence_in_both_languages(rule: dict[str, Any]) -> None:
    (read,) = reading.read(json.dumps(rule), "Asia/Tehran").rules
    english, persian = sentence.of_rule(read, "en"), sentence.of_rule(read, "fa")
    assert english.startswith("When ")
    assert english.endswith(".")
    assert persian.startswith("وقتی ")
    for said in (english, persian):
        assert "{" not in said
        assert "team:test" in said


def test_a_sentence_says_all_of_a_rule() -> None:
    text = """
rule: price-hesitation
when: {count: web.page_viewed, where: {page: price}, at_least: 2, within: 1h30m}
if: [{percentile: value, at_least: 90}, {not: {segment: loyal}}]
wait: 15m
unless: {event: call.answered, since: first_match}
do: {contact: callback, purpose: marketing, prefer: [customer, sms]}
cooldown: 7d
holdout: 10%
"""
    (rule,) = reading.read(text, "Asia/Tehran").rules
    assert sentence.of_rule(rule, "en") == (
        "When web.page_viewed (page = price) at least 2 times within 1 hour and 30 minutes, if value is in the highest 10 of a hundred and"
        " not: he is in loyal: wait 15 minutes; approach the customer with callback (marketing), by the channel he prefers or SMS; unless"
        " call.answered came since the first of it; then leave him alone for 1 week; keep 10% out to compare with."
    )


def test_a_segment_is_read_and_told_and_its_mistakes_are_named() -> None:
    read = segment.read("segment: loyal\nwhen: {count: sales.order_placed, at_least: 3, within: 90d}\n", "Asia/Tehran")
    assert read.segment is not None
    assert sentence.of_segment(read.segment, "en") == "Customers of whom this is so: sales.order_placed at least 3 times within 90 days."
    wrong = segment.read("segment: loyal\nwhen: {cuont: a.b}\n", "Asia/Tehran")
    assert (wrong.segment, wrong.problems[0].line, wrong.problems[0].suggestion) == (None, 2, "count")
    assert segment.read("segment: x\n", "Asia/Tehran").problems
