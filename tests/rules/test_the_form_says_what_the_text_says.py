"""A rule as a form and as a text: the one follows from the other, and nothing of the text is lost."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from aggregates.rules import reading
from api.desk.rule_form import ACTS, KINDS, Fields, field_at, fields_of, sent, text_of
from tests.rules import histories

COUNTED = "rule: seen\nwhen: {count: web.page_viewed, where: {page: price}, more_than: 1, within: 1h}\ndo: {notify: team:crm}\n"


def meaning(text: str) -> object:
    read = reading.read(text, "UTC")
    assert not read.problems, [problem.text() for problem in read.problems]
    return read.rules


@given(histories.rules())
@settings(max_examples=150, deadline=None)
def test_a_text_that_the_form_can_show_means_the_same_when_the_form_writes_it(rule: dict[str, Any]) -> None:
    text = yaml.safe_dump(rule)
    form = fields_of(text)
    if form is not None:
        assert meaning(text_of(form, text)) == meaning(text)


@pytest.mark.parametrize(
    "text",
    [
        COUNTED,
        "[{rule: w, when: {sequence: [a.b, c.d], within: 2d}, wait: 15m, unless: {event: e.f, since: first_match}, do: {notify: x}}]",
        "{rule: s, when: {score: churn, rises_to: 0.7, rearm_below: 0.6}, if: {consent: marketing}, do: {contact: c, prefer: [sms, call]}}",
        "{rule: g, when: {segment: loyal, change: left}, do: {notify: team:crm}, cooldown: 30d, description: why}",
        "{rule: c, when: {count: a.b, where: 'data.total > 5', at_least: 2, in: jalali_month}, do: {contact: c}, holdout: 10%}",
    ],
)
def test_the_form_shows_these(text: str) -> None:
    form = fields_of(text)
    assert form is not None
    assert meaning(text_of(form, text)) == meaning(text)


def test_the_form_takes_numbers_in_persian_digits() -> None:
    filled = {
        "rule": "r۱",
        "event": "a.b",
        "least": "۳",
        "window": "۳۰d",
        "act": "contact",
        "campaign": "c",
        "wait": "۱۵m",
        "holdout": "۱۰٪",
    }
    score = {"rule": "s", "kind": "score", "rises_to": "۰٫۷", "rearm_below": "٠٫٦", "act": "contact", "campaign": "c"}
    wanted = (
        "{rule: r۱, when: {count: a.b, at_least: 3, within: 30d}, wait: 15m, do: {contact: c}, holdout: 10%}",
        "{rule: s, when: {score: churn, rises_to: 0.7, rearm_below: 0.6}, do: {contact: c}}",
    )
    for form, text in zip((filled, score), wanted, strict=True):
        assert meaning(text_of(sent({f"f_{name}": value for name, value in form.items()}), "")) == meaning(text)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("act", ACTS)
def test_a_form_that_is_not_filled_in_yet_is_still_that_form_and_is_told_what_it_lacks(kind: str, act: str) -> None:
    text = text_of(Fields(rule="new", kind=kind, act=act, score=""), "")
    form = fields_of(text)
    assert form is not None
    assert (form.kind, form.act) == (kind, act)
    told = {problem.pointer for problem in reading.read(text, "UTC").problems}
    assert {f"/when/{kind}", f"/do/{act}"} <= told


def test_what_the_form_has_no_field_for_is_left_to_the_text() -> None:
    steps = "{rule: w, when: {sequence: [{event: a.b, where: {page: x}}, c.d], within: 2d}, do: {notify: x}}"
    several = "{rule: w, when: {count: a.b, at_least: 1, within: 2d}, unless: [{event: a.c, within: 1h}], do: {notify: x}}"
    for text in (steps, several, "", "[", "rule: x", "- 1", "when: {count: a}\ndo: x"):
        assert fields_of(text) is None


def test_what_is_changed_in_the_form_is_changed_in_the_text_and_nothing_else() -> None:
    form = fields_of(COUNTED)
    assert form is not None
    assert (form.least, form.where, form.window) == ("2", "{page: price}", "1h")
    changed = sent({f"f_{name}": getattr(form, name) for name in Fields.__slots__} | {"f_window": "day ", "f_strange": "x"})
    wanted = "{rule: seen, when: {count: web.page_viewed, where: {page: price}, at_least: 2, in: day}, do: {notify: team:crm}}"
    assert meaning(text_of(changed, COUNTED)) == meaning(wanted)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("rule: r\nwhen: {count: a.b, at_least: 0, within: 1h}\ndo: {notify: team:x}\n", "least"),
        ("rule: r\nwhen: {count: a.b, at_least: 1, within: soon}\ndo: {notify: team:x}\n", "window"),
        ("- rule: r\n  when: {after: a.b, absent: c.d, for: 1}\n  do: {notify: team:x}\n", "lasting"),
        ("rule: r\nwhen: {score: churn, rises_to: high}\ndo: {notify: team:x}\n", "rises_to"),
        ("rule: r\nwhen: {count: a.b, within: 1h}\nunless: {event: ''}\ndo: {contact: c, prefer: []}\n", "unless prefer "),
        ("rule: r\nwhen: {count: a.b, at_least: 1, within: 1h}\ndo: {notify: ''}\ncooldown: 1\nfor: 3\n", "target cooldown "),
    ],
)
def test_a_mistake_in_the_text_is_one_of_the_field_that_shows_it(text: str, field: str) -> None:
    problems = reading.read(text, "UTC").problems
    assert problems
    assert {field_at(one.pointer) for one in problems} == set(field.split(" "))
