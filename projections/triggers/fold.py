"""What a rule means: one function of a customer's facts in order of time. Reading order: Fold, step, pass_time.

A *rise* is the moment at which the condition came true that was false before. It becomes a firing, at once or when `wait` is over, if the
cooldown of the firing before is over, no `unless` came, and `if` holds then. What comes of a rise is final when time has passed it: a fact
that is not after everything seen changes the past, and is not for `step` but for a fold anew.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from projections.triggers.checks import Quantiles
from projections.triggers.evidence import Evidence, Stamp
from projections.triggers.trigger import Trigger

MOST_WAITING = 64
"""Episodes of one rule and customer that wait at the same time; those that begin while so many wait give no signal."""


class Rise(Struct, frozen=True, array_like=True, gc=False):
    """The condition came true; what comes of it is known at `due`."""

    cause: Evidence
    at: datetime
    due: datetime


class Firing(Struct, frozen=True, array_like=True, gc=False):
    """The rule fired: a signal, for the world to be told."""

    cause: Evidence
    at: datetime
    prompt: bool  # with the fact itself, not by a timer


class Stopped(Struct, frozen=True, array_like=True, gc=False):
    """The last event that stops the rule, and the latest fact before it that could be a first match."""

    stamp: Stamp
    starter: Evidence | None


class Fold(Struct, frozen=True, array_like=True, gc=False):
    """What is known of a rule and a customer after some facts."""

    condition: Any
    checks: tuple[Any, ...]
    stops: tuple[Stopped | None, ...]
    waiting: tuple[Rise, ...] = ()
    until: datetime | None = None  # the end of the cooldown
    last: Stamp | None = None
    passed: datetime | None = None  # the last time that something was due, and decided

    def is_before(self, fact: Evidence) -> bool:
        """Whether the fact is after everything that was decided, and may be taken by `step`."""
        last, passed = self.last, self.passed
        return (last is None or last[0] < fact.at or last < fact.stamp) and (passed is None or passed < fact.at)

    def reaches(self, place: Stamp) -> bool:
        """Whether something was seen or decided there, or later."""
        return (self.last is not None and self.last > place) or (self.passed is not None and self.passed >= place[0])


Folded = tuple[Fold, tuple[Firing, ...]]


def initial(trigger: Trigger) -> Fold:
    """Nothing has happened."""
    return Fold(trigger.condition.initial, tuple(check.initial for check in trigger.checks), (None,) * len(trigger.stops))


def step(trigger: Trigger, fold: Fold, fact: Evidence, quantiles: Quantiles) -> Folded:
    """The fold after one more fact, and what fired up to and with it."""
    fired: tuple[Firing, ...] = ()
    if trigger.timed and due(trigger, fold) is not None:
        fold, fired = pass_time(trigger, fold, fact.at, quantiles, inclusive=False)
    condition, rose = trigger.condition.take(fold.condition, fact)
    checks = fold.checks
    if checks:
        checks = tuple([check.take(state, fact) for check, state in zip(trigger.checks, checks, strict=True)])
    stops, waiting = fold.stops, fold.waiting
    stamp = (fact.at, fact.id, fact.source)
    for place, stop in enumerate(trigger.stops) if stops else ():
        if fact.roles & stop.bit:
            stopped = Stopped(stamp, trigger.condition.starter(condition))
            stops = (*stops[:place], stopped, *stops[place + 1 :])
            if stop.within is None:
                waiting = ()  # whatever waits began before this
    fold = Fold(condition, checks, stops, waiting, fold.until, stamp, fold.passed)
    if rose:
        fold, firing = _risen(trigger, fold, fact, fact.at, quantiles, prompt=True)
        if firing:
            return fold, (*fired, firing)
    return fold, fired


def pass_time(trigger: Trigger, fold: Fold, to: datetime, quantiles: Quantiles, *, inclusive: bool) -> Folded:
    """The fold when all facts before `to`, or up to and with it, are known: what was due by then is decided."""
    fired: list[Firing] = []
    while (at := due(trigger, fold)) is not None and (at < to or (inclusive and at == to)):
        firing: Firing | None
        if fold.waiting and fold.waiting[0].due == at:
            rise = fold.waiting[0]
            fold, firing = _decided(trigger, replace(fold, waiting=fold.waiting[1:]), rise, quantiles, prompt=False)
        else:
            condition, cause = trigger.condition.mature(fold.condition)
            fold, firing = _risen(trigger, replace(fold, condition=condition), cause, at, quantiles, prompt=False)
        fold = replace(fold, passed=at)
        if firing:
            fired.append(firing)
    return fold, tuple(fired)


def due(trigger: Trigger, fold: Fold) -> datetime | None:
    """When something is to be decided next, if nothing more is heard."""
    ripe = trigger.condition.due(fold.condition)
    if fold.waiting and (ripe is None or fold.waiting[0].due <= ripe):
        return fold.waiting[0].due
    return ripe


def _risen(
    trigger: Trigger, fold: Fold, cause: Evidence, at: datetime, quantiles: Quantiles, *, prompt: bool
) -> tuple[Fold, Firing | None]:
    """The condition came true: fire, wait, or nothing."""
    rule = trigger.rule
    if cause.backfill or (fold.until is not None and at < fold.until) or _began_before_a_stop(trigger, fold, cause, at):
        return fold, None
    rise = Rise(cause, at, at + rule.wait)
    if not rule.wait:
        return _decided(trigger, fold, rise, quantiles, prompt=prompt)
    if not fold.waiting or (trigger.patient and len(fold.waiting) < MOST_WAITING) or at >= fold.waiting[-1].due + rule.cooldown:
        return replace(fold, waiting=(*fold.waiting, rise)), None
    return fold, None  # the one that waits fires, or what stops it stops this one too


def _decided(trigger: Trigger, fold: Fold, rise: Rise, quantiles: Quantiles, *, prompt: bool) -> tuple[Fold, Firing | None]:
    """The time of a rise is over: it fires, unless the one before it did too lately, or something stopped it."""
    if fold.until is not None and rise.at < fold.until:
        return fold, None
    for stop, stopped in zip(trigger.stops, fold.stops, strict=True):
        if stopped and stop.within is not None and rise.due - stopped.stamp[0] < stop.within:
            return fold, None
    if trigger.checks and not holds(trigger, fold, rise.due, quantiles.asked_by(rise.cause.stamp) if prompt else quantiles):
        return fold, None
    return replace(fold, until=rise.due + trigger.rule.cooldown), Firing(rise.cause, rise.due, prompt)


def _began_before_a_stop(trigger: Trigger, fold: Fold, cause: Evidence, at: datetime) -> bool:
    """Whether one of the events that stop the rule came since the first match of this episode."""
    if not any(fold.stops):
        return False
    for stop, stopped in zip(trigger.stops, fold.stops, strict=True):
        if not stopped or stop.within is not None:
            continue
        if stopped.stamp == cause.stamp or (stopped.starter and trigger.condition.covers(stopped.starter, cause, at)):
            return True
    return False


def holds(trigger: Trigger, fold: Fold, at: datetime, quantiles: Quantiles) -> bool:
    """Whether all that `if` asks is so."""
    return not trigger.checks or all(check.holds(state, at, quantiles) for check, state in zip(trigger.checks, fold.checks, strict=True))
