"""The course of churn over a log: fold, predict, remember, and learn when the horizon is over. The live run and the evaluation share it.

A course is a machine whose moves are pure: it holds the customers' states, the examples that wait and two learners, and nothing else tells
it the time than the facts. One learner is for scores at events; the other for those that are given to the silent, day by day rarer, since
what follows an event teaches little about who does nothing. Reading order: Course, take, pass_to, score.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor

from msgspec import Struct

from aggregates.churn import DAY, Definition, churned, matures
from aggregates.fact import Fact
from projections.churn import fold
from projections.churn.anchors import Anchors, anchors
from projections.churn.features import Features, features, in_population, in_population_until
from projections.churn.silence import checks
from projections.churn.state import State
from streams.learning.learner import Labelled, Learner, Prediction, fresh, learn, predict, predict_all
from streams.learning.waiting import Example, Waiting, packed


class Judged(Struct, frozen=True, gc=False):
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
    heard: dict[str, tuple[State, float]] = field(default_factory=dict)  # who did something today, as he was then, and when it was
    met: dict[int, list[str]] = field(default_factory=dict)  # by day, who did something then: the days that silence is counted from
    waiting: dict[int, Waiting] = field(default_factory=dict)  # by day
    quiet: dict[int, Waiting] = field(default_factory=dict)  # the same, of the silent
    today: int = 0
    learnt: tuple[int | None, int | None] = (None, None)  # the example days learnt last, at events and in silence


def begin(definition: Definition) -> Course:
    """Before the first fact."""
    return Course(definition, fresh(definition.horizon), fresh(definition.horizon))


def take(course: Course, customer: str, fact: Fact) -> list[Judged]:
    """Go on by one more fact; answers the labels that became known before it. Facts come in order of time."""
    now = fact.at.timestamp() / DAY
    judged = pass_to(course, floor(now))
    state = fold.evolve(course.definition, course.states.get(customer, fold.INITIAL), fact)
    course.states[customer] = state
    if in_population(course.definition, state, now):
        course.heard[customer] = state, now
    else:
        course.heard.pop(customer, None)
    return judged


def pass_to(course: Course, day: int) -> list[Judged]:
    """Live through all days until this one begins: say what the day that ends came to; then learn the labels that are known, and look at
    those who are silent."""
    if day <= course.today:
        return []
    if course.heard:
        whom = [
            (customer, state, now)
            for customer, (state, now) in course.heard.items()
            if in_population_until(course.definition, state, course.today)
        ]
        if whom:
            course.waiting[course.today] = _examples(course.definition, course.learner, whom, course.today)
        course.met[course.today] = list(course.heard)
        course.heard = {}
    judged: list[Judged] = []
    for now in range(course.today + 1 if course.met else day, day + 1):
        judged += _learn_known(course, now)
        if silent := _silent(course, now):
            course.quiet[now - 1] = _examples(course.definition, course.silence, silent, now - 1, silent=True)
    course.today = day
    return judged


def score(course: Course, customer: str, now: float) -> Prediction | None:
    """What is said of a customer at a time, whether anything happened then or not; None where he is not in the population."""
    state = course.states.get(customer, fold.INITIAL)
    if not in_population(course.definition, state, now):
        return None
    learner = course.silence if now - state.at >= checks(course.definition)[0] else course.learner
    return predict(learner, *_seen(course.definition, state, now))


def _silent(course: Course, now: int) -> list[tuple[str, State, float]]:
    """Those who are looked at when a day begins, once each: who was met on several days may be due by more than one."""
    definition, looks, silent = course.definition, checks(course.definition), dict[str, State]()
    for check in reversed(looks):
        for customer in course.met.get(now - check, ()):
            state = course.states[customer]
            if now - floor(state.at) in looks and in_population(definition, state, float(now)):
                silent[customer] = state
    course.met.pop(now - looks[-1], None)
    return [(customer, state, float(now)) for customer, state in silent.items()]


def _examples(
    definition: Definition, learner: Learner, whom: Sequence[tuple[str, State, float]], day: int, *, silent: bool = False
) -> Waiting:
    """What is said of customers at their times. A day's are told together: most of what one by itself costs is calling."""
    seen = [_seen(definition, state, now) for _, state, now in whom]
    said = predict_all(learner, [found for found, _ in seen], [counted for _, counted in seen])
    together = zip(whom, seen, said, strict=True)
    return packed(day, [Example(who, day, *one, prediction, silent) for (who, _, _), one, prediction in together], silent=silent)


def _seen(definition: Definition, state: State, now: float) -> tuple[Features, Anchors]:
    found = features(definition, state, now)
    return found, anchors(definition, state, now, found.get("prior"))


def _learn_known(course: Course, day: int) -> list[Judged]:
    """Learn all labels that are known when a day begins: each example day at once, in order."""
    at_events, last = _judged(course, course.waiting, day, course.learner, course.learnt[0])
    course.learner = at_events[1]
    in_silence, quiet = _judged(course, course.quiet, day, course.silence, course.learnt[1])
    course.silence = in_silence[1]
    course.learnt = (last, quiet)
    return at_events[0] + in_silence[0]


def _judged(
    course: Course, waiting: dict[int, Waiting], day: int, learner: Learner, last: int | None
) -> tuple[tuple[list[Judged], Learner], int | None]:
    judged: list[Judged] = []
    while waiting and matures(course.definition, first := next(iter(waiting))) <= day:
        known = [Judged(example, _lost(course, example)) for example in waiting.pop(first)]
        labelled = [Labelled(one.example.features, one.example.anchors, one.example.prediction, one.lost) for one in known]
        learner, last = learn(learner, labelled, 1 if last is None else first - last), first
        judged += known
    return (judged, learner), last


def _lost(course: Course, example: Example) -> bool:
    state = course.states[example.customer]
    definition = course.definition
    known_by = float(matures(definition, example.day))
    return churned(definition, example.day, state.returns, fold.losses(definition, state, known_by))
