"""What a customer looks like to the learner at a moment: named numbers near 0, in units that no data set has to be rescaled for.

Fixed features come first and always; what a company's own types and fields add comes by name, and the learner decides which names it
takes up. Nothing is standardised on the way: a running mean would make the same customer look different every day. docs/churn.md lists all.
Reading order: features, in_population, in_population_until, ever_in_population, brings_in.
"""

import math
from collections.abc import Collection
from functools import lru_cache

from aggregates.churn import STARTS, Definition, concerns
from aggregates.fact import Fact
from projections.churn import season
from projections.churn.counters import dropped_out, prior_of, rate, renewal
from projections.churn.fold import lapsed
from projections.churn.state import Rhythm, State

LN2 = math.log(2.0)

Features = dict[str, float]

HAPPENED, LATELY, READ, CHANGED, SAID = "happened:", "lately:", "read:", "changed:", "said:"
"""How the names of features begin that come from a company's own types and fields."""

MOST_CHANGED = 3.0
"""How far a number may be from what is usual: that it is twenty times as much, or of the other sign, says no more."""


@lru_cache(maxsize=65_536)
def names_of(kind: str) -> tuple[str, str]:
    """The features that tell of a kind of happenings: texts that are kept know their hashes."""
    return HAPPENED + kind, LATELY + kind


def in_population(definition: Definition, state: State, now: float) -> bool:
    """Whom a score is given to: from the first purchase on; where there are contracts, while one runs, its days of grace included."""
    return state.running and not lapsed(definition, state, now) if definition.contractual else state.rhythm is not None


def in_population_until(definition: Definition, state: State, day: int) -> bool:
    """Whether he is still in it as a day ends. Who left on the day was lost on it, so that no label of that day can tell of it."""
    return in_population(definition, state, math.nextafter(day + 1.0, 0.0))


def ever_in_population(definition: Definition, state: State) -> bool:
    """Whether he is or was in it. Of whom that is not so nothing is kept: his past is read when he comes in."""
    return state.began is not None if definition.contractual else state.rhythm is not None


def bringing_in(definition: Definition) -> Collection[str]:
    """The types of facts that bring somebody into the population."""
    return STARTS if definition.contractual else definition.purchases


def brings_in(definition: Definition, fact: Fact) -> bool:
    """Whether a fact does."""
    return fact.type in bringing_in(definition) and concerns(definition, fact.data)


def features(definition: Definition, state: State, now: float) -> Features:
    """The features at a time that is not before the state's; right also long after the last event."""
    horizon = float(definition.horizon)
    found = {"one": 1.0}
    if state.rhythm is not None:
        _rhythm(found, state.rhythm, now, horizon)
    if definition.contractual:
        _contract(found, state, now, horizon)
    for name, mark in state.marks.items():
        decay = math.exp(-LN2 * (now - mark.at) / horizon)
        happened, lately = names_of(name)
        found[happened] = math.log1p(mark.long * decay)
        found[lately] = math.log1p(mark.short * decay**6)
    for name, reading in state.readings.items():
        fades = math.exp(-LN2 * (now - reading.at) / horizon)
        found[READ + name] = reading.mean * fades
        if reading.times > 2:  # of two, the last and the usual are the same
            found[CHANGED + name] = min(max(reading.mean - reading.usual, -MOST_CHANGED), MOST_CHANGED) * fades
    for field, word in state.words.items():
        found[f"{SAID}{field}={word}"] = 1.0
    return found


def _rhythm(found: Features, rhythm: Rhythm, now: float, horizon: float) -> None:
    silence, tenure = now - rhythm.last, now - rhythm.first
    shape, exposed = rate(rhythm, now, horizon)
    found["prior"] = prior_of(shape, exposed)
    found["orders"] = math.log(rhythm.orders)
    found["frequency"] = math.log(rhythm.decayed + 0.05) - LN2 * silence / horizon if silence < 8.0 * horizon else -8.5
    found["rate"] = math.log((shape + 0.1) / (exposed + 1.0))
    found["silence"] = math.log1p(silence / horizon)
    found["gone"] = math.log1p(dropped_out(rhythm, now, horizon))
    found["tenure"] = math.log1p(tenure / horizon)
    found["young"] = math.exp(-LN2 * tenure / horizon)
    if rhythm.orders == 1:
        found["first"] = 1.0
    if rhythm.gaps:
        usual = math.exp(rhythm.mean)
        found["gap"] = min(max(rhythm.mean - math.log(horizon), -5.0), 3.0)
        found["last_gap"] = math.log(max(rhythm.gap, 0.5)) - rhythm.mean
        found["late"] = math.log1p(silence / usual)
        found["spread"] = math.sqrt(rhythm.squares / rhythm.gaps)
        found["renewal"] = renewal(rhythm, now, horizon) / 2.0
        if rhythm.fresh:
            found["slowing"] = rhythm.recent - rhythm.mean
    if rhythm.purses:
        found["money"] = rhythm.purse / 4.0
        found["last_money"] = rhythm.spent - rhythm.purse
        found["trading_down"] = rhythm.spending - rhythm.purse
    found["winter"], found["spring"] = season.of(now)
    if rhythm.fresh:
        found["fresh"] = math.log(rhythm.fresh * 2.0 ** (-6.0 * silence / horizon) + 0.05)
        found["own_season"] = season.coming(rhythm, now, horizon)


def _contract(found: Features, state: State, now: float, horizon: float) -> None:
    """How long the contract has run, and how near its end is."""
    if state.began is not None:
        found["contract_age"] = math.log1p((now - state.began) / horizon)
    if state.ends is not None:
        left = (state.ends - now) / horizon
        found["ends_within"] = 1.0 if left <= 1.0 else 0.0
        found["left"] = math.log1p(max(left, 0.0))
        found["overdue"] = math.log1p(max(-left, 0.0))
