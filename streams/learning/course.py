"""The course of churn over a log: fold, predict, remember, and learn when the horizon is over. The live run and the evaluation share it.

A course is a machine whose moves are pure: it holds the customers' states, the examples that wait and the learner, and nothing else tells
it the time than the facts. Reading order: Example, Course, take, pass_to.
"""

from dataclasses import dataclass, field
from math import floor
from typing import NamedTuple

from aggregates.churn import DAY, Definition, churned, matures
from aggregates.fact import Fact
from projections.churn import counters, fold
from projections.churn.features import Features, features, in_population
from projections.churn.state import State
from streams.learning.learner import Anchors, Labelled, Learner, Prediction, fresh, learn, predict


class Example(NamedTuple):
    """The last that was said of a customer on a day, with what it was said from."""

    customer: str
    day: int
    features: Features
    anchors: Anchors
    prediction: Prediction


class Judged(NamedTuple):
    """An example whose label became known."""

    example: Example
    lost: bool


def anchors(definition: Definition, state: State, found: Features, now: float) -> Anchors:
    """What the counters say; where a contract decides, orders say nothing for certain."""
    if definition.contractual or state.rhythm is None:
        return Anchors()
    rhythm, horizon = state.rhythm, definition.horizon
    return Anchors(counters.prior(rhythm, now, horizon), counters.decayed_count(rhythm, now, horizon), counters.purchase_count(rhythm))


@dataclass(slots=True)
class Course:
    """One definition's run over a log."""

    definition: Definition
    learner: Learner
    states: dict[str, State] = field(default_factory=dict)
    waiting: dict[int, dict[str, Example]] = field(default_factory=dict)  # by day, then customer; days in order
    learnt_day: int | None = None  # the last example day that was learnt


def begin(definition: Definition) -> Course:
    """Before the first fact."""
    return Course(definition, fresh(definition.horizon))


def take(course: Course, customer: str, fact: Fact) -> tuple[Prediction | None, list[Judged]]:
    """What is said of a customer after one more fact, and the labels that became known before it. Facts come in order of time."""
    now = fact.at.timestamp() / DAY
    day = floor(now)
    judged = pass_to(course, day)
    state = fold.evolve(course.definition, course.states.get(customer, fold.INITIAL), fact)
    course.states[customer] = state
    if not in_population(course.definition, state):
        return None, judged
    found = features(course.definition, state, now)
    counted = anchors(course.definition, state, found, now)
    said = predict(course.learner, found, counted)
    course.waiting.setdefault(day, {})[customer] = Example(customer, day, found, counted, said)
    return said, judged


def pass_to(course: Course, day: int) -> list[Judged]:
    """Learn all labels that are known when this day begins: each example day at once, in order."""
    judged: list[Judged] = []
    while course.waiting and matures(course.definition, first := next(iter(course.waiting))) <= day:
        known = [Judged(example, _lost(course, example)) for example in course.waiting.pop(first).values()]
        labelled = [Labelled(one.example.features, one.example.anchors, one.example.prediction, one.lost) for one in known]
        since = 1 if course.learnt_day is None else first - course.learnt_day
        course.learner = learn(course.learner, labelled, since)
        course.learnt_day = first
        judged += known
    return judged


def _lost(course: Course, example: Example) -> bool:
    state = course.states[example.customer]
    definition = course.definition
    known_by = float(matures(definition, example.day))
    return churned(definition, example.day, state.returns, fold.losses(definition, state, known_by))
