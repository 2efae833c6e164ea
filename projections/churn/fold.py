"""Folds a customer's facts into what he is scored from. Reading order: evolve, needs_history.

Facts are folded in their order of time. One that is late may change gaps that were counted already, or come before a number that is newer:
`needs_history` says so, and the state is folded anew from the customer's history. Scores that were given stay as they were.
"""

import math
from typing import Any

from msgspec.structs import replace

from aggregates.churn import CANCELLED, DAY, STARTS, Definition, concerns
from aggregates.fact import Fact
from projections.churn import season, telling
from projections.churn.state import CONTRACTS, FOLDED, MARKS, READINGS, WORDS, Mark, Reading, Rhythm, State
from projections.view.values import moment, reference

LN2 = math.log(2.0)
INITIAL = State(folded=FOLDED)

SILENT = frozenset({"profile.reported", "web.identified"})
"""Types that say who a customer is, not what he did."""


def initial() -> State:
    """Nothing is known."""
    return INITIAL


def evolve(definition: Definition, state: State, fact: Fact) -> State:
    """The state after one more fact, not older than those before it, or one whose order makes no difference."""
    happened = fact.at.timestamp() / DAY
    type_, data = fact.type, fact.data
    rhythm, marks, readings, words, returns = state.rhythm, state.marks, state.readings, state.words, state.returns
    if bought(definition, fact):
        if (share := telling.given(data)) or "discount" in readings:
            readings = _with_reading(readings, "discount", happened, share)
        rhythm = _rhythm(definition.horizon, rhythm or Rhythm(happened, happened), happened, data)
        returns = _noted(definition, returns, math.floor(happened))
        words = _worded(words, data)
    elif type_ not in SILENT:
        marks = _marked(definition, marks, happened, type_, data)
    for field, number in telling.numbers(data):
        readings = _with_reading(readings, f"{type_}.{field}", happened, math.asinh(number))
    now = max(happened, state.at)
    contract = (state.began, state.ends, state.running, returns, state.losses, state.contracts, state.folded)
    evolved = State(now, rhythm, marks, readings, words, *contract)
    return _contract(definition, evolved, now, fact) if definition.contractual else evolved


def bought(definition: Definition, fact: Fact) -> bool:
    """Whether a fact is a purchase; one of another line of products is a happening like any other."""
    return fact.type in definition.purchases and concerns(definition, fact.data)


def needs_history(definition: Definition, state: State, fact: Fact) -> bool:
    """Whether a fact is older than what was folded, so that the customer's history must be folded anew: unless it is of the same day, and
    nothing that it changes was changed by a later fact in a way that depends on the order."""
    if state.folded != FOLDED:
        return True  # other sums were kept then
    happened = fact.at.timestamp() / DAY
    if happened >= state.at:
        return False
    if math.floor(happened) != math.floor(state.at) or len(state.marks) + 1 + len(fact.data) > MARKS:
        return True
    if definition.contractual and fact.type in STARTS | {CANCELLED}:
        return True
    names = [f"{fact.type}.{field}" for field, _ in telling.numbers(fact.data)]
    if bought(definition, fact):
        if state.rhythm is not None and happened <= state.rhythm.last:
            return True
        names.append("discount")
    readings = state.readings
    if len(readings) + sum(name not in readings for name in names) > READINGS:
        return True
    return any(name in readings and happened <= readings[name].at for name in names)


def _rhythm(horizon: int, before: Rhythm, now: float, data: dict[str, Any]) -> Rhythm:
    """The rhythm after a purchase. Two on one day count as two orders, and as no gap. Amounts of two currencies do not compare: in another
    one money begins anew."""
    silence = now - before.last
    gaps, mean, squares, gap, recent = before.gaps, before.mean, before.squares, before.gap, before.recent
    if math.floor(now) > math.floor(before.last):
        gaps, gap, logarithm = gaps + 1, silence, math.log(max(silence, 0.5))
        deviation = logarithm - mean
        mean += deviation / gaps
        squares += deviation * (logarithm - mean)
        recent += (logarithm - recent) / min(gaps, 3)
    purses, purse, spent, currency, spending = before.purses, before.purse, before.spent, before.currency, before.spending
    if (amount := telling.spent(data)) is not None:
        told = telling.currency(data) or currency
        if told != currency:
            purses, purse, currency = (purses, purse, told) if not currency else (0, 0.0, told)
        purses, spent = purses + 1, math.log(amount)
        purse += (spent - purse) / purses
        spending += (spent - spending) / min(purses, 3)
    winter, spring = season.of(now)
    return Rhythm(
        before.first,
        now,
        before.orders + 1,
        before.decayed * math.exp(-LN2 * silence / horizon) + 1.0,
        before.slow * math.exp(-silence / (2.0 * horizon)) + 1.0,
        gaps,
        mean,
        squares,
        gap,
        purses,
        purse,
        spent,
        currency,
        before.fresh * 2.0 ** (-6.0 * silence / horizon) + 1.0,
        recent,
        before.winter + winter,
        before.spring + spring,
        spending,
    )


def _marked(definition: Definition, marks: dict[str, Mark], now: float, type_: str, data: dict[str, Any]) -> dict[str, Mark]:
    """A happening, and what it is said to be about."""
    marks = marks.copy()
    for name in (type_[: telling.LONGEST * 2], *[f"{type_}|{field}={word}" for field, word in telling.words(data)]):
        before = marks.get(name)
        if before is None:
            marks[name] = Mark(now, 1.0, 1.0)
        elif now >= before.at:
            decay = math.exp(-LN2 * (now - before.at) / definition.horizon)
            marks[name] = Mark(now, before.long * decay + 1.0, before.short * decay**6 + 1.0)
        else:
            decay = math.exp(-LN2 * (before.at - now) / definition.horizon)
            marks[name] = Mark(before.at, before.long + decay, before.short + decay**6)
    while len(marks) > MARKS:
        del marks[min(marks, key=lambda name: (marks[name].at, name))]
    return marks


def _worded(words: dict[str, str], data: dict[str, Any]) -> dict[str, str]:
    """The words that a purchase tells; those of other events are marks of their own."""
    for field, word in telling.words(data):
        if words.get(field) != word and (field in words or len(words) < WORDS):
            words = words | {field: word}
    return words


def _with_reading(readings: dict[str, Reading], name: str, now: float, number: float) -> dict[str, Reading]:
    before = readings.get(name)
    if before is None and len(readings) >= READINGS:
        return readings
    if before is None:
        return readings | {name: Reading(now, number, 1, number)}
    times = before.times + 1
    return readings | {name: Reading(now, (before.mean + number) / 2.0, times, before.usual + (number - before.usual) / times)}


def _contract(definition: Definition, state: State, now: float, fact: Fact) -> State:
    """What runs, until when, and the days on which the last contract was lost: of several, one that is cancelled loses nobody."""
    number = reference(fact.data.get("subscription_id")) or ""
    if fact.type in STARTS:
        running = _running(definition, state, now)
        if not (number and number in running) and not concerns(definition, fact.data):
            return state
        ends = moment(fact.data.get("ends_at"))
        began = state.began if running and state.began is not None else now
        running.pop("", None)  # now it says which one it is
        running[number] = None if ends is None else ends.timestamp() / DAY
        if len(running) > CONTRACTS:
            del running[min(running, key=lambda one: (_paid_until(running[one]), one))]
        return _with_contracts(replace(state, losses=losses(definition, state, now), began=began), running)
    if fact.type == CANCELLED and state.running:
        running = _running(definition, state, now)
        if number and running.keys() != {""}:
            running.pop(number, None)
        elif concerns(definition, fact.data, unsaid=True):
            running.clear()
        lost = losses(definition, state, now)
        if not running and not lapsed(definition, state, now):
            lost = _noted(definition, lost, math.floor(now))
        return _with_contracts(replace(state, losses=lost), running)
    return state


def _running(definition: Definition, state: State, now: float) -> dict[str, float | None]:
    """The contracts that run at a time: those whose days of grace are over were lost then."""
    known = state.contracts or {"": state.ends}
    return {number: ends for number, ends in known.items() if ends is None or now < ends + definition.grace} if state.running else {}


def _with_contracts(state: State, running: dict[str, float | None]) -> State:
    last = max(map(_paid_until, running.values()), default=math.inf)
    return replace(state, contracts=running, running=bool(running), ends=None if last == math.inf else last)


def _paid_until(ends: float | None) -> float:
    return math.inf if ends is None else ends


def lapsed(definition: Definition, state: State, now: float) -> bool:
    """Whether a contract ran out, and its days of grace are over: it is lost, and runs no more."""
    return state.ends is not None and now >= state.ends + definition.grace


def losses(definition: Definition, state: State, now: float) -> tuple[int, ...]:
    """The days on which a contract was lost, as known now: one that ran out is lost when its days of grace are over."""
    if not state.running or state.ends is None or not lapsed(definition, state, now):
        return state.losses
    return _noted(definition, state.losses, math.floor(state.ends + definition.grace))


def _noted(definition: Definition, days: tuple[int, ...], day: int) -> tuple[int, ...]:
    """The days with one more, without those that no label can ask for any more."""
    if days and days[-1] == day:
        return days
    oldest = day - definition.horizon - 2
    return (*[known for known in days if known > oldest], day)
