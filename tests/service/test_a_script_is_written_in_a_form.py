"""A script as a form: what is filled in is what will be said, steps may be moved while it is written, and no answer leads nowhere."""

import pytest

from aggregates.knowledge.script import Answer, Script, Step, wrong
from api.desk.script_form import Fields, Reply, Stage, fields_of, name_of, read, sent, shaped

LATE = Script(
    "late-parcel",
    "Late parcel",
    (
        Step("ask", "Which order?\nHave the number ready.", (Answer("Knows it", "look"), Answer("Does not"))),
        Step("look", "It left us yesterday.", (Answer("Again", "ask"),)),
    ),
    "delivery",
)
FILLED = {
    "title": " Late parcel ",
    "reason": "delivery",
    "step-1-title": "Ask him",
    "step-1-say": "Which order?\r\nHave it ready.",
    "step-1-answer-1": "Knows it",
    "step-1-next-1": "2",
    "step-1-answer-2": "",
    "step-1-next-2": "",
    "step-2-title": "گامِ دوم",
    "step-2-say": "It left us.",
}


def browser(form: Fields) -> dict[str, str]:
    """What a browser would send of the form."""
    told = {"name": form.name, "version": str(form.version), "title": form.title, "reason": form.reason, "offer": form.offer}
    for stage in form.stages:
        told |= {f"step-{stage.key}-title": stage.title, f"step-{stage.key}-say": stage.say}
        for number, reply in enumerate(stage.replies, 1):
            told |= {f"step-{stage.key}-answer-{number}": reply.text, f"step-{stage.key}-next-{number}": reply.next}
    return told


def test_a_script_that_goes_through_the_form_stays_as_it_was() -> None:
    form = sent(browser(fields_of(LATE, 3)))
    assert (form.name, form.version, read(form)) == ("late-parcel", 3, LATE)


def test_what_is_filled_in_is_the_script() -> None:
    script = read(sent(FILLED | {"step-3-title": "", "step-3-say": " ", "strange": "x", "step-x-say": "x"}))
    assert isinstance(script, Script)
    assert wrong(script) == ""
    assert script == Script(
        "Late-parcel",
        "Late parcel",
        (
            Step("Ask-him", "Which order?\nHave it ready.", (Answer("Knows it", "گام-دوم"),), "Ask him"),
            Step("گام-دوم", "It left us.", title="گامِ دوم"),
        ),
        "delivery",
    )


@pytest.mark.parametrize(
    ("changed", "field", "why"),
    [
        ({"title": "؟"}, "title", "script.wrong.title"),
        ({"step-2-title": " "}, "step-2-title", "script.wrong.step_title"),
        ({"step-2-title": "Ask him!"}, "step-2-title", "script.wrong.twice"),
        ({"step-1-say": ""}, "step-1-say", "script.wrong.say"),
        ({"step-1-next-1": "7"}, "step-1-next-1", "script.wrong.next"),
        ({"step-1-next-2": "2"}, "step-1-answer-2", "script.wrong.answer"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(changed: dict[str, str], field: str, why: str) -> None:
    assert read(sent(FILLED | changed)) == {field: why}


def test_an_answer_that_leads_to_a_step_nobody_wrote_leads_nowhere() -> None:
    found = read(sent(FILLED | {"step-2-title": "", "step-2-say": ""}))
    assert found == {"step-1-next-1": "script.wrong.next"}
    assert read(Fields(title="Empty")) == {"step-1-title": "script.wrong.empty"}


def test_steps_and_answers_come_and_go_and_answers_lead_where_they_led() -> None:
    form = fields_of(LATE, 1)
    more, focus = shaped(form, "step")
    assert (more.stages[-1], focus) == (Stage("3"), "step-3-title")
    assert read(more) == LATE
    longer, focus = shaped(form, "answer-2")
    assert (longer.stages[1].replies, focus) == ((Reply("Again", "1"), Reply(), Reply()), "step-2-answer-3")
    turned, focus = shaped(form, "up-2")
    assert focus == "step-2-title"
    assert read(turned) == Script(LATE.name, LATE.title, LATE.steps[::-1], LATE.for_reason)
    fewer, focus = shaped(form, "remove-2")
    assert (focus, read(fewer)) == ("step-1-title", {"step-1-next-1": "script.wrong.next"})
    again, _ = shaped(fewer, "step")
    assert [stage.key for stage in again.stages] == ["1", "3"]  # the answer does not lead to another step unasked


@pytest.mark.parametrize("act", ["", "up-1", "up-9", "remove-1", "sing-1"])
def test_what_cannot_be_done_changes_nothing(act: str) -> None:
    form = Fields(title="Alone")
    assert shaped(form, act)[0] == form


def test_a_title_becomes_a_name_for_addresses_in_any_script() -> None:
    assert name_of("Late parcel, again") == "Late-parcel-again"
    assert name_of("بسته‌ی دیرکرده") == "بسته-ی-دیرکرده"
    assert name_of("late_parcel-2.0") == "late_parcel-2.0"
    assert name_of("..") == ""
