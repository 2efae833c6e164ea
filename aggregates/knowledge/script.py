"""A script: what to say, and where each answer leads. Reading order: Script, wrong."""

from typing import Annotated

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[\w.-]+$")]


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the customer may say, and the step that follows; without one the script ends."""

    text: Annotated[str, Meta(min_length=1, max_length=500)]
    next: str = ""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to say, and what may come back."""

    id: Name
    say: Annotated[str, Meta(min_length=1, max_length=5_000)]
    answers: Annotated[tuple[Answer, ...], Meta(max_length=20)] = ()
    title: Annotated[str, Meta(max_length=256)] = ""

    @property
    def called(self) -> str:
        """What people call it."""
        return self.title or self.id


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A conversation, step by step, for a reason of calls or an offer."""

    name: Name
    title: Annotated[str, Meta(min_length=1, max_length=256)]
    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=200)]
    for_reason: Annotated[str, Meta(max_length=256)] = ""
    for_offer: Annotated[str, Meta(max_length=256)] = ""

    def at(self, step: str | None) -> Step | None:
        """The step of this id; the first without one."""
        return self.steps[0] if not step else next((one for one in self.steps if one.id == step), None)


def wrong(script: Script) -> str:
    """What keeps a script from being followed to its end; empty: nothing."""
    ids = [step.id for step in script.steps]
    if len(set(ids)) < len(ids):
        return "Two steps have the same id."
    for step in script.steps:
        for answer in step.answers:
            if answer.next and answer.next not in ids:
                return f"An answer of step {step.id} leads to {answer.next}, and there is no such step."
    return ""
