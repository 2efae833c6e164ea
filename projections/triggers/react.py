"""Carries one rule of one customer through facts and timers as they arrive: `(state, fact) -> (state, effects)`.

What stands in the end is what the fold over all facts in order of time gives; a late fact therefore withdraws, and fires anew, wherever
that fold now differs from what was said. Reading order: react, ripen, mend, refold, recall; then _Telling, which compares.
"""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from uuid import UUID

from msgspec.structs import replace

from aggregates.touchpoint import derive
from projections.triggers.checks import Quantiles
from projections.triggers.evidence import Evidence
from projections.triggers.fold import Firing, Fold, Folded, due, holds, initial, pass_time, step
from projections.triggers.state import KEPT, Block, Effect, Fire, Given, Seal, Signal, State, Wake, Withdraw
from projections.triggers.trigger import Trigger

PROMPT = timedelta(minutes=1)
"""A signal that is recorded this long after it occurred is still in time: channels and networks take a while."""

Reaction = tuple[State, tuple[Effect, ...]]

_stamp = attrgetter("stamp")


def begin(trigger: Trigger) -> State:
    """Nothing is known of the customer."""
    fold = initial(trigger)
    return State(fold, (), fold, ())


def react(
    trigger: Trigger, state: State, fact: Evidence, now: datetime, quantiles: Quantiles, heard: datetime | None = None
) -> Reaction | None:
    """What a new fact changes, when it is `now`. None: only the past can tell, see `mend`.

    What is due before `heard` is said at once; what is due later waits for its timer, which knows that nothing is on its way any more.
    """
    kept: tuple[Evidence, ...]
    if state.head.is_before(fact):
        head, firings = step(trigger, state.head, fact, quantiles)
        kept, late = (*state.kept, fact), False
        fired = (*state.fired, *[Given(firing, given=False) for firing in firings]) if firings else state.fired
    elif state.base.is_before(fact):
        facts = list(state.kept)
        insort(facts, fact, key=_stamp)
        kept, late = tuple(facts), True
        head, firings = _folded(trigger, state.base, facts, quantiles)
        fired = tuple([Given(firing, given=False) for firing in firings])
    else:
        return None
    timed = trigger.timed
    if timed and (at := due(trigger, head)) is not None and at < now:
        head, more = pass_time(trigger, head, now, quantiles, inclusive=False)
        fired = (*fired, *[Given(firing, given=False) for firing in more]) if more else fired
    effects: list[Effect] = []
    if late or fired is not state.fired or _waits(trigger, fired):
        given = {one.firing.cause.event for one in state.fired if one.given} if late else frozenset[UUID]()
        telling = _Telling(trigger, now, late=late, quiet="backfill" if fact.backfill else "", overdue=True, heard=heard)
        fired, effects = telling.settled(fired, given)
    if timed:
        effects += _wake(trigger, state, head, fired)
    state = State(state.base, kept, head, fired)
    if len(kept) < 2 * KEPT or _waits(trigger, fired):
        return state, tuple(effects)
    return _trimmed(trigger, state, effects, quantiles)


def ripen(trigger: Trigger, state: State, now: datetime, quantiles: Quantiles) -> Reaction:
    """What the passing of time changes, when a timer of `now` is heard: all facts up to and with `now` are known."""
    head, firings = pass_time(trigger, state.head, now, quantiles, inclusive=True)
    fired = (*state.fired, *[Given(firing, given=False) for firing in firings])
    fired, effects = _Telling(trigger, now, late=False, quiet="", overdue=False).settled(fired, frozenset())
    effects += _wake(trigger, state, head, fired)
    return State(state.base, state.kept, head, fired), tuple(effects)


def blocks(trigger: Trigger, start: Fold, facts: Sequence[Evidence], quantiles: Quantiles) -> list[Block]:
    """Some of the past, in order, as `mend` takes it: at least one block."""
    found: list[Block] = []
    for first in range(0, len(facts) or 1, KEPT):
        block = list(facts[first : first + KEPT])
        after, firings = _folded(trigger, start, block, quantiles)
        found.append(Block(start, block, firings))
        start = after
    return found


def mend(
    trigger: Trigger,
    past: list[Block],
    state: State,
    fact: Evidence,
    now: datetime,
    quantiles: Quantiles,
    quiet: str,
    heard: datetime | None = None,
) -> Reaction:
    """What a fact changes that is older than those that are kept. From its place on, facts are folded anew until nothing differs.

    `past` begins before the fact, and need not go further back. What is due from `heard` on waits for its timer: its facts are kept again.
    """
    place = max(bisect_left(past, True, key=lambda block: not block.start.is_before(fact)) - 1, 0)
    changed = past[place]
    insort(changed.facts, fact, key=_stamp)
    fold, was, fired_now = changed.start, list[Firing](), list[Firing]()
    same = False
    for block in past[place:]:
        same = block is not changed and fold == block.start
        if same:
            break
        was += block.firings
        block.start = fold
        fold, block.firings = _folded(trigger, fold, block.facts, quantiles)
        fired_now += block.firings
    if len(changed.facts) >= 4 * KEPT:
        _split(trigger, past, place, quantiles)
    telling = _Telling(trigger, now, late=True, quiet=quiet, overdue=True, heard=heard)
    standing = {firing.cause.event for firing in was}
    if same or fold == state.base:
        settled, effects = telling.settled(tuple([Given(firing, given=False) for firing in fired_now]), standing)
        after = state
    else:
        head, firings = _folded(trigger, fold, state.kept, quantiles)
        head, more = pass_time(trigger, head, now, quantiles, inclusive=False)
        standing |= {one.firing.cause.event for one in state.fired if one.given}
        fired, effects = telling.settled(tuple([Given(firing, given=False) for firing in (*fired_now, *firings, *more)]), standing)
        settled, fired = fired[: len(fired_now)], fired[len(fired_now) :]
        after = State(fold, state.kept, head, fired)
    if not all(one.given for one in settled):
        after = _kept_again(past, place, after, {one.firing.cause.event for one in settled if not one.given})
    return after, (*effects, *(() if after is state else _wake(trigger, state, after.head, after.fired)))


def refold(
    trigger: Trigger,
    history: Sequence[Evidence],
    standing: Collection[UUID],
    now: datetime,
    quantiles: Quantiles,
    quiet: str = "",
    heard: datetime | None = None,
) -> Reaction:
    """The state by the whole history, in order, and what must be said so that this stands. `standing`: the causes of signals that do.

    What is due from `heard` on waits for its timer.
    """
    state, sealed = recall(trigger, begin(trigger), history, heard or now, quantiles)
    state, effects = recalled(trigger, state, standing, now, quantiles, quiet, heard)
    return state, (*sealed, *effects)


def recall(trigger: Trigger, state: State, facts: Iterable[Evidence], heard: datetime, quantiles: Quantiles) -> Reaction:
    """Go on folding a whole history, in order, from `begin`; nothing is said yet. Called with a later `heard`, it goes the further.

    Between two pieces of a history the state has no head, and all that fired since the beginning.
    """
    fold, kept, fired, sealed, first = state.base, (*state.kept, *facts), list(state.fired), list[Effect](), 0
    while len(kept) - first >= 2 * KEPT:
        block = kept[first : first + KEPT]
        after, firings = _folded(trigger, fold, block, quantiles)
        if any(firing.at >= heard for firing in firings):
            break  # facts of a clock that runs ahead: what they made due was not said yet
        sealed.append(Seal(fold, block, firings))
        fold, first = after, first + KEPT
        fired += [Given(firing, given=False) for firing in firings]
    return State(fold, kept[first:], fold, tuple(fired)), tuple(sealed)


def recalled(
    trigger: Trigger,
    state: State,
    standing: Collection[UUID],
    now: datetime,
    quantiles: Quantiles,
    quiet: str = "",
    heard: datetime | None = None,
) -> Reaction:
    """The end of a history that was recalled: its state, and what must be said so that this stands, as `refold` has it."""
    head, firings = _folded(trigger, state.base, state.kept, quantiles)
    head, more = pass_time(trigger, head, now, quantiles, inclusive=False)
    fired = (*state.fired, *[Given(firing, given=False) for firing in (*firings, *more)])
    telling = _Telling(trigger, now, late=True, quiet=quiet, overdue=True, heard=heard)
    fired, effects = telling.settled(fired, standing)
    fired = fired[len(state.fired) :]
    return State(state.base, state.kept, head, fired), (*effects, *_wake(trigger, None, head, fired))


def moved(
    trigger: Trigger,
    said: Sequence[Effect],
    before: Sequence[Evidence],
    standing: Collection[UUID],
    since: datetime,
    quantiles: Quantiles,
    given: Collection[UUID] = (),
) -> tuple[Effect, ...]:
    """What is said where histories were put together: nobody is told of what the facts alone show that had come `before`, nor again of
    signals that were `given` once. Whatever came since, the fact too by which they are one, says what it says to one whose history was
    always whole."""
    if not any(isinstance(one, Fire) for one in said):
        return tuple(said)
    shown = {one.signal.id for one in refold(trigger, before, standing, since, quantiles)[1] if isinstance(one, Fire)}
    quiet = shown.union(given)
    return tuple([Fire(replace(one.signal, quiet="moved")) if isinstance(one, Fire) and one.signal.id in quiet else one for one in said])


def signal_id(trigger: Trigger, cause: UUID) -> UUID:
    """The id of the signal that a rule gives for a cause: the same however often it is found."""
    return derive("signal", str(cause), trigger.rule.name, str(trigger.rule.version))


def wake_of(trigger: Trigger, state: State) -> datetime | None:
    """When something is due next."""
    return _due(trigger, state.head, state.fired)


def _waits(trigger: Trigger, fired: tuple[Given, ...]) -> bool:
    """Whether the signal of one of these is to be given later: only timers wait."""
    return trigger.timed and not all(one.given for one in fired)


def _due(trigger: Trigger, head: Fold, fired: tuple[Given, ...]) -> datetime | None:
    if not trigger.timed:
        return None  # all that it says it says with a fact
    at = due(trigger, head)
    for one in fired:
        if not one.given and (at is None or one.firing.at < at):
            at = one.firing.at
    return at


def objection(trigger: Trigger, state: State, signal: Signal, now: datetime, quantiles: Quantiles) -> str:
    """Why a contact that was kept for later must not go out after all: "unless", "if"; empty where nothing came between."""
    fired = (signal.occurred_at, signal.cause, signal.source)
    for stop, stopped in zip(trigger.stops, state.head.stops, strict=True):
        if stopped and (stopped.stamp > fired if stop.within is None else now - stopped.stamp[0] < stop.within):
            return "unless"
    return "" if holds(trigger, state.head, now, quantiles) else "if"


class _Telling:
    """Compares what is to stand with what was said."""

    def __init__(self, trigger: Trigger, now: datetime, *, late: bool, quiet: str, overdue: bool, heard: datetime | None = None) -> None:
        self.trigger, self.now, self.late, self.quiet, self.overdue = trigger, now, late, quiet, overdue
        self.heard = heard or now

    def settled(self, fired: tuple[Given, ...], standing: Collection[UUID]) -> tuple[tuple[Given, ...], list[Effect]]:
        """The firings with what was given marked, and the signals to give and to withdraw."""
        effects: list[Effect] = []
        if standing:
            found = {one.firing.cause.event for one in fired}
            effects += [Withdraw(signal_id(self.trigger, cause)) for cause in standing if cause not in found]
        elif all(one.given for one in fired):
            return fired, effects
        settled: list[Given] = []
        for one in fired:
            given = one.given or one.firing.cause.event in standing
            if not given and self.is_due(one.firing):
                effects.append(Fire(self.signal(one.firing)))
                given = True
            settled.append(one if given is one.given else Given(one.firing, given))
        return tuple(settled), effects

    def is_due(self, firing: Firing) -> bool:
        """A timer counts when its time is over and all before it was heard: at `now` only when it is the timer itself that is heard."""
        return firing.prompt or firing.at < self.heard or (not self.overdue and firing.at == self.now)

    def signal(self, firing: Firing) -> Signal:
        rule, cause = self.trigger.rule, firing.cause
        late = self.now > firing.at and (self.late or self.now - firing.at > PROMPT or (self.overdue and not firing.prompt))
        return Signal(
            signal_id(self.trigger, cause.event),
            rule.name,
            rule.version,
            cause.source,
            cause.id,
            cause.event,
            firing.at,
            self.now,
            late,
            self.quiet or ("test" if cause.simulated else ""),
        )


def _folded(trigger: Trigger, fold: Fold, facts: Iterable[Evidence], quantiles: Quantiles) -> Folded:
    fired: list[Firing] = []
    for fact in facts:
        fold, firings = step(trigger, fold, fact, quantiles)
        fired += firings
    return fold, tuple(fired)


def _trimmed(trigger: Trigger, state: State, effects: list[Effect], quantiles: Quantiles) -> Reaction:
    """The state with its oldest facts folded into the base."""
    facts = state.kept[:KEPT]
    base, firings = _folded(trigger, state.base, facts, quantiles)
    rest = State(base, state.kept[KEPT:], state.head, state.fired[len(firings) :])
    return rest, (*effects, Seal(state.base, facts, firings))


def _kept_again(past: list[Block], place: int, state: State, waiting: Collection[UUID]) -> State:
    """The state with the facts from the first block on of which a firing waits: by its cause."""
    while all(firing.cause.event not in waiting for firing in past[place].firings):
        place += 1
    back, past[place:] = past[place:], []
    facts = [fact for block in back for fact in block.facts]
    fired = [Given(firing, firing.cause.event not in waiting) for block in back for firing in block.firings]
    return State(back[0].start, (*facts, *state.kept), state.head, (*fired, *state.fired))


def _split(trigger: Trigger, past: list[Block], place: int, quantiles: Quantiles) -> None:
    """Two blocks for one that grew."""
    block = past[place]
    half = len(block.facts) // 2
    middle, firings = _folded(trigger, block.start, block.facts[:half], quantiles)
    past[place : place + 1] = [
        Block(block.start, block.facts[:half], firings),
        Block(middle, block.facts[half:], block.firings[len(firings) :]),
    ]


def _wake(trigger: Trigger, before: State | None, head: Fold, fired: tuple[Given, ...]) -> list[Effect]:
    """The timer that is needed now, if it is not the one that is set."""
    at = _due(trigger, head, fired)
    return [] if at == (None if before is None else wake_of(trigger, before)) else [Wake(at)]
