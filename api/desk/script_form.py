"""The form in which a script is written: a group of fields for each step, and for each answer the step that follows.

A step has a key as long as it is in the form: steps come, go and change places, and answers go on leading to the one that was meant.
Reading order: Fields, fields_of, sent, shaped, read.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from aggregates.knowledge.script import Answer, Script, Step

STEPS, ANSWERS = 200, 20
"""So many a script may have, and a step of it."""

LONGEST = {"title": 256, "reason": 256, "offer": 256, "name": 64, "say": 5_000, "answer": 500, "next": 9}
EMPTY = 2
"""So many answers wait to be written in a new step."""

_FIELD = re.compile(r"step-([1-9]\d{0,5})-(title|say|answer|next)(?:-(\d{1,2}))?")
_APART = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the customer may say, and the key of the step that follows."""

    text: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A step as it stands in the form."""

    key: str
    title: str = ""
    say: str = ""
    replies: tuple[Reply, ...] = (Reply(),) * EMPTY

    @property
    def blank(self) -> bool:
        """Whether nobody wrote anything in it."""
        return not (self.title or self.say or any(reply != Reply() for reply in self.replies))


@dataclass(frozen=True, slots=True)
class Fields:
    """What stands in the form."""

    name: str = ""  # of the script whose next version this is; empty: a new one
    version: int = 0  # that the writer looked at
    title: str = ""
    reason: str = ""
    offer: str = ""
    stages: tuple[Stage, ...] = (Stage("1"),)


def fields_of(script: Script, version: int) -> Fields:
    """A script, to be written anew; each step has room for another answer."""
    keys = {step.id: str(number) for number, step in enumerate(script.steps, 1)}
    stages = [
        Stage(
            keys[step.id],
            step.called,
            step.say,
            (*(Reply(answer.text, keys.get(answer.next, "")) for answer in step.answers), Reply())[:ANSWERS],
        )
        for step in script.steps
    ]
    return Fields(script.name, version, script.title, script.for_reason, script.for_offer, tuple(stages))


def sent(form: Mapping[str, str]) -> Fields:
    """The form as a browser sends it, its steps in their order on the page."""
    parts: dict[str, dict[tuple[str, int], str]] = {}
    for name, value in form.items():
        if found := _FIELD.fullmatch(name):
            key, part, number = found.groups()
            parts.setdefault(key, {})[part, int(number or 0)] = _clean(value, part)
    stages = tuple(_stage(key, values) for key, values in list(parts.items())[:STEPS])
    version = form.get("version", "")[:9]
    return Fields(
        **{name: _clean(form.get(name, ""), name) for name in ("name", "title", "reason", "offer")},
        version=int(version) if version.isdecimal() else 0,
        stages=stages or (Stage("1"),),
    )


def shaped(form: Fields, act: str) -> tuple[Fields, str]:
    """The form after a step or an answer was added, or a step moved up or taken away; and the field that is written next."""
    verb, _, key = act.partition("-")
    keys = [stage.key for stage in form.stages]
    if verb == "step" and len(keys) < STEPS:
        meant = (reply.next for stage in form.stages for reply in stage.replies if reply.next.isdecimal())
        key = str(max(map(int, (*keys, *meant))) + 1)  # never one that an answer still means
        return replace(form, stages=(*form.stages, Stage(key))), f"step-{key}-title"
    if key not in keys:
        return form, ""
    at, stages = keys.index(key), list(form.stages)
    stage, focus = stages[at], f"step-{key}-title"
    if verb == "answer" and len(stage.replies) < ANSWERS:
        stages[at], focus = replace(stage, replies=(*stage.replies, Reply())), f"step-{key}-answer-{len(stage.replies) + 1}"
    elif verb == "up" and at:
        stages[at - 1 : at + 1] = stage, stages[at - 1]
    elif verb == "remove" and len(stages) > 1:
        del stages[at]
        focus = f"step-{stages[max(at - 1, 0)].key}-title"
    return replace(form, stages=tuple(stages)), focus


def read(form: Fields) -> Script | dict[str, str]:
    """The script that the form says; or for each field that keeps it from being one the message that says why."""
    stages = [stage for stage in form.stages if not stage.blank]
    wrong = dict(_wrong(form, stages))
    if wrong:
        return wrong
    ids = {stage.key: name_of(stage.title) for stage in stages}
    steps = tuple(
        Step(
            ids[stage.key],
            stage.say,
            tuple(Answer(reply.text, ids.get(reply.next, "")) for reply in stage.replies if reply.text),
            stage.title if stage.title != ids[stage.key] else "",
        )
        for stage in stages
    )
    return Script(form.name or name_of(form.title), form.title, steps, form.reason, form.offer)


def name_of(title: str) -> str:
    """A title as a name in addresses: its letters and digits in any script, hyphens for all else."""
    letters = "".join(letter for letter in unicodedata.normalize("NFC", title) if unicodedata.category(letter) != "Mn")
    return _APART.sub("-", letters)[: LONGEST["name"]].strip("-.")


def _wrong(form: Fields, stages: list[Stage]) -> Iterator[tuple[str, str]]:
    if not name_of(form.title):
        yield "title", "script.wrong.title"
    if not stages:
        yield f"step-{form.stages[0].key}-title", "script.wrong.empty"
    keys, names = {stage.key for stage in stages}, set[str]()
    for stage in stages:
        field, name = f"step-{stage.key}", name_of(stage.title)
        if not name:
            yield f"{field}-title", "script.wrong.step_title"
        elif name in names:
            yield f"{field}-title", "script.wrong.twice"
        names.add(name)
        if not stage.say:
            yield f"{field}-say", "script.wrong.say"
        for number, reply in enumerate(stage.replies, 1):
            if reply.next and not reply.text:
                yield f"{field}-answer-{number}", "script.wrong.answer"
            if reply.next and reply.next not in keys:
                yield f"{field}-next-{number}", "script.wrong.next"


def _stage(key: str, values: Mapping[tuple[str, int], str]) -> Stage:
    numbers = sorted({number for part, number in values if part in {"answer", "next"} and 0 < number <= ANSWERS})
    replies = tuple(Reply(values.get(("answer", number), ""), values.get(("next", number), "")) for number in numbers)
    return Stage(key, values.get(("title", 0), ""), values.get(("say", 0), ""), replies or (Reply(),))


def _clean(value: str, part: str) -> str:
    return value.replace("\r\n", "\n").replace("\0", "").strip()[: LONGEST[part]]
