"""The course of churn over a log: fold, predict, remember, and learn when the horizon is over. The live run and the evaluation share it.

A course is a machine whose moves are pure: it holds the customers' states, the examples that wait and two learners, and nothing else tells
it the time than the facts. One learner is for scores at events; the other for those that are given to the silent, day by day rarer, since
what follows an event teaches little about who does nothing. Reading order: Example, Course, take, pass_to, score.
"""

from dataclasses import dataclass, field
from math import floor
from typing import NamedTuple

from aggregates.churn import DAY, Definition, churned, matures
from aggregates.fact import Fact
from projections.churn import fold
from projections.churn.anchors import Anchors, anchors
from projections.churn.features import Features, features, in_population
from projections.churn.silence import checks
from projections.churn.state import State
from streams.learning.learner import Labelled, Learner, Prediction, fresh, learn, predict


class Example(NamedTuple):
    """The last that was said of a customer on a day, with what it was said from."""

    customer: str
    day: int
    features: Features
    anchors: Anchors
    prediction: Prediction
    silent: bool = False  # scored because nothing happened


class Judged(NamedTuple):
    """An example whose label became known."""

    example: Example
    lost: bool


@dataclass(slots=True)
class Course:
    """One definition's run over a log."""

    definition: Definition
    learner: Learner  # of scores at events
    silence: Learner  # of scores without one
    states: dict[str, State] = field(default_factory=dict)
    waiting: dict[int, dict[str, Example]] = field(default_factory=dict)  # by day, then customer
    quiet: dict[int, dict[str, Example]] = field(default_factory=dict)  # the same, of the silent
    due: dict[int, list[str]] = field(default_factory=dict)  # whom to look at when a day begins
    today: int = 0
    learnt: tuple[int | None, int | None] = (None, None)  # the example days learnt last, at events and in silence


def begin(definition: Definition) -> Course:
    """Before the first fact."""
    return Course(definition, fresh(definition.horizon), fresh(definition.horizon))


def take(course: Course, customer: str, fact: Fact) -> tuple[Prediction | None, list[Judged]]:
    """What is said of a customer after one more fact, and the labels that became known before it. Facts come in order of time."""
    now = fact.at.timestamp() / DAY
    day = floor(now)
    judged = pass_to(course, day)
    known = course.states.get(customer, fold.INITIAL)
    state = course.states[customer] = fold.evolve(course.definition, known, fact)
    if not in_population(course.definition, state):
        return None, judged
    if floor(known.at) != day:
        for check in checks(course.definition):
            course.due.setdefault(day + check, []).append(customer)
    example = _example(course.definition, course.learner, customer, state, now, day)
    course.waiting.setdefault(day, {})[customer] = example
    return example.prediction, judged


def pass_to(course: Course, day: int) -> list[Judged]:
    """Live through all days until this one begins: learn the labels that are known, then look at those who are silent."""
    if day <= course.today:
        return []
    course.today = day
    judged: list[Judged] = []
    for now in sorted(due for due in course.due if due <= day):
        judged += _learn_known(course, now)
        for customer in course.due.pop(now):
            state = course.states[customer]
            if now - floor(state.at) in checks(course.definition) and in_population(course.definition, state):
                found = _example(course.definition, course.silence, customer, state, float(now), now - 1)
                course.quiet.setdefault(now - 1, {})[customer] = found._replace(silent=True)
    return judged + _learn_known(course, day)


def score(course: Course, customer: str, now: float) -> Prediction | None:
    """What is said of a customer at a time when nothing happened; None where he is not in the population."""
    state = course.states.get(customer, fold.INITIAL)
    if not in_population(course.definition, state):
        return None
    learner = course.silence if now - state.at >= checks(course.definition)[0] else course.learner
    return _example(course.definition, learner, customer, state, now, floor(now)).prediction


def _example(definition: Definition, learner: Learner, customer: str, state: State, now: float, day: int) -> Example:
    found = features(definition, state, now)
    counted = anchors(definition, state, now)
    return Example(customer, day, found, counted, predict(learner, found, counted))


def _learn_known(course: Course, day: int) -> list[Judged]:
    """Learn all labels that are known when a day begins: each example day at once, in order."""
    at_events, last = _judged(course, course.waiting, day, course.learner, course.learnt[0])
    course.learner = at_events[1]
    in_silence, quiet = _judged(course, course.quiet, day, course.silence, course.learnt[1])
    course.silence = in_silence[1]
    course.learnt = (last, quiet)
    return at_events[0] + in_silence[0]


def _judged(
    course: Course, waiting: dict[int, dict[str, Example]], day: int, learner: Learner, last: int | None
) -> tuple[tuple[list[Judged], Learner], int | None]:
    judged: list[Judged] = []
    while waiting and matures(course.definition, first := next(iter(waiting))) <= day:
        known = [Judged(example, _lost(course, example)) for example in waiting.pop(first).values()]
        labelled = [Labelled(one.example.features, one.example.anchors, one.example.prediction, one.lost) for one in known]
        learner, last = learn(learner, labelled, 1 if last is None else first - last), first
        judged += known
    return (judged, learner), last


def _lost(course: Course, example: Example) -> bool:
    state = course.states[example.customer]
    definition = course.definition
    known_by = float(matures(definition, example.day))
    return churned(definition, example.day, state.returns, fold.losses(definition, state, known_by))
