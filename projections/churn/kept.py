"""What is kept of a customer for one definition, and what is said of him as facts and days go by. Pure.

The silent are looked at on days that follow from their last event alone, so it makes no difference when that is done: by a timer, or when
his next fact comes. Reading order: Kept, Said, Came, hear, too_early, look, weighty, tellable; then Recalled, recall, recalled.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import floor, inf
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from aggregates.churn import DAY, Definition
from aggregates.fact import Fact
from projections.churn import fold
from projections.churn.features import in_population, in_population_until
from projections.churn.silence import checks, next_check
from projections.churn.state import State
from projections.churn.weights import Model, Scored, scored

MOVED = 0.02
"""A score that moved so far is written down."""


class Kept(Struct, frozen=True, gc=False):
    """A customer."""

    state: State = fold.INITIAL
    due: int | None = None  # the day on which he is looked at next if nothing happens
    replayed: bool = True  # all his facts are of sources that replay their own time
    decider: str = ""
    score: float | None = None  # as of his last fact or look; None where he is not in the population
    given: float | None = None  # as it was last written down
    told: float | None = None  # as it was last published


class Said(NamedTuple):
    """What was said of him at a time."""

    day: int  # whose example it is
    at: float  # days since 1970-01-01
    silent: bool
    scored: Scored
    taught: bool = True  # it is an example: the customer did not leave on the day itself
    decider: str = ""  # of the last fact by which it was said; empty: of the last of all


class Word(NamedTuple):
    """A moment of which something is to be said."""

    day: int
    at: float
    silent: bool
    state: State  # as it was then
    taught: bool = True


class Came(NamedTuple):
    """What came of facts or of days."""

    kept: Kept
    said: Sequence[Said]
    returns: tuple[int, ...]  # the days that labels look for, also those that the state forgot on the way
    losses: tuple[int, ...]
    left: int | None = None  # the day on which he left: there is no example of it, nor of a later day, whatever was said before


class Recalled(Struct, frozen=True, gc=False):
    """What the first facts of a history made of a customer, of whom nothing is said on the way."""

    kept: Kept = Kept()
    returns: tuple[int, ...] = ()  # as in `Came`
    losses: tuple[int, ...] = ()


def too_early(definition: Definition, kept: Kept, fact: Fact) -> int | None:
    """The day of a fact that was on its way while the customer was taken for silent: what was said of silence since then is void."""
    last, day = floor(kept.state.at), floor(fact.at.timestamp() / DAY)
    if not in_population(definition, kept.state, kept.state.at):
        return None
    looked = (last + check for check in checks(definition) if kept.due is None or last + check < kept.due)
    return day if any(look > day for look in looked) else None


def hear(definition: Definition, model: Model, kept: Kept, facts: Sequence[Fact], since: float = -inf) -> Came:
    """Take in facts, none older than what is known: what was said on the days of silence before, and last on each day of theirs.

    `since`: of days before that one nothing is asked, but the last word of all.
    """
    words: list[Word] = []
    state, due = kept.state, kept.due
    returns, losses = set(state.returns), set(state.losses)
    left: int | None = None
    for place, fact in enumerate(facts):
        now = fact.at.timestamp() / DAY
        day = floor(now)
        if due is not None and due <= day:
            words += _silent(definition, state, due, day)
        before, state = state, fold.evolve(definition, state, fact)
        if state.returns is not before.returns:
            returns.update(state.returns)
        if state.losses is not before.losses:
            losses.update(state.losses)
        due = floor(state.at) + checks(definition)[0]
        last = place + 1 == len(facts)
        if last or floor(facts[place + 1].at.timestamp() / DAY) != day:
            stays = in_population_until(definition, state, day)
            if in_population(definition, state, state.at):
                words.append(Word(day, state.at, False, state, stays))
            if not stays and day == floor(kept.state.at) and in_population(definition, kept.state, kept.state.at):
                left = day
    replayed = kept.replayed and all(fact.clock == "event" for fact in facts)
    inside = in_population(definition, state, state.at)
    kept = replace(kept, state=state, due=due if inside else None, replayed=replayed, score=kept.score if inside else None)
    return Came(kept, _said(definition, model, words, since), tuple(sorted(returns)), tuple(sorted(losses)), left)


def decided(said: Sequence[Said], facts: Sequence[Fact], deciders: Sequence[str], before: str) -> Sequence[Said]:
    """What was said of these facts and of the silence before each, and who decided whose that was: each fact has a decider, or it is who
    decided of the one before it; `before` of those before all."""
    times = [fact.at.timestamp() / DAY for fact in facts]
    by = [*accumulate(deciders, lambda last, decider: decider or last, initial=before)]
    return [one._replace(decider=by[(bisect_left if one.silent else bisect_right)(times, one.at)]) for one in said]


def recall(definition: Definition, before: Recalled, facts: Sequence[Fact]) -> Recalled:
    """Take in the next facts of a history, none older than those before; nothing is said of them."""
    state, returns, losses = before.kept.state, set(before.returns), set(before.losses)
    for fact in facts:
        known, state = state, fold.evolve(definition, state, fact)
        if state.returns is not known.returns:
            returns.update(state.returns)
        if state.losses is not known.losses:
            losses.update(state.losses)
    replayed = before.kept.replayed and all(fact.clock == "event" for fact in facts)
    return Recalled(replace(before.kept, state=state, replayed=replayed), tuple(sorted(returns)), tuple(sorted(losses)))


def recalled(definition: Definition, model: Model, history: Recalled) -> Came:
    """The end of a history: the last word of it alone."""
    kept, state = history.kept, history.kept.state
    day = floor(state.at)
    if not in_population(definition, state, state.at):
        return Came(kept, (), history.returns, history.losses)
    stays = in_population_until(definition, state, day)
    said = Said(day, state.at, False, scored(definition, model, state, state.at, silent=False), stays)
    return Came(replace(kept, due=day + checks(definition)[0]), (said,), history.returns, history.losses)


def told_again(definition: Definition, model: Model, history: Recalled, facts: Sequence[Fact], since: float = -inf) -> Came:
    """What is said of the next facts of a history, of their days and of the silence before each, when one of them came late."""
    state = history.kept.state
    due = floor(state.at) + checks(definition)[0] if state.at else None
    came = hear(definition, model, replace(history.kept, due=due), facts, since)
    returns, losses = {*history.returns, *came.returns}, {*history.losses, *came.losses}
    return came._replace(returns=tuple(sorted(returns)), losses=tuple(sorted(losses)))


def look(definition: Definition, model: Model, kept: Kept, day: int, since: float = -inf) -> Came:
    """What is said of a silent customer up to the beginning of a day."""
    if kept.due is None or kept.due > day:
        return Came(kept, (), kept.state.returns, kept.state.losses)
    said = _said(definition, model, _silent(definition, kept.state, kept.due, day), since)
    score = kept.score if in_population(definition, kept.state, float(day)) else None
    kept = replace(kept, due=next_check(definition, floor(kept.state.at), day), score=score)
    return Came(kept, said, kept.state.returns, kept.state.losses)


def weighty(kept: Kept, score: float) -> bool:
    """Whether a score is another than the one that was written down."""
    return kept.given is None or abs(score - kept.given) >= MOVED


def tellable(definition: Definition, kept: Kept, score: float) -> bool:
    """Whether the world is told: it moved by the published step, or over a published threshold."""
    before = kept.told
    if before is None or abs(score - before) >= definition.step:
        return True
    return any((before < threshold) != (score < threshold) for threshold in definition.thresholds)


def _silent(definition: Definition, state: State, due: int, day: int) -> list[Word]:
    """The looks that fell due from one day up to another. Each is of the day that ended when it was done."""
    words: list[Word] = []
    at: int | None = due
    while at is not None and at <= day:
        if in_population(definition, state, float(at)):
            words.append(Word(at - 1, float(at), True, state))
        at = next_check(definition, floor(state.at), at)
    return words


def _said(definition: Definition, model: Model, words: Sequence[Word], since: float) -> list[Said]:
    """What is said at these moments, in their order."""
    asked = words if since == -inf else [*[word for word in words[:-1] if word.day >= since], *words[-1:]]
    return [Said(day, at, silent, scored(definition, model, state, at, silent=silent), taught) for day, at, silent, state, taught in asked]
