"""Learns in one place: keeps the examples that partitions tell, closes days once all have told them, learns labels when they are known.

Learner, examples, snapshots and the position change in one transaction, so that whoever dies is replaced where he stood. A candidate
becomes champion only when it was better on labels that neither had learnt. Reading order: Learn.apply, `_advance`, `_days`, `_snapshot`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import structlog

from aggregates.churn import DAY, matures
from projections.churn import examples, learnt, messages, table
from projections.churn.examples import NOTHING, Place, Row
from projections.churn.learnt import Snapshot
from projections.churn.models import TRAINED_ON
from projections.churn.table import InForce
from projections.churn.weights import Model
from streams.learning import batch, champion, metrics, snapshot, vocabulary, working
from streams.learning.learner import RECIPES
from streams.learning.snapshot import SnapshotRefused
from streams.learning.working import Contest, Working
from streams.record import Batch, Bury, Connection, Effect, Halt

PIECE = 7
"""Days that are gone through before anything is written."""

PIECES = 12
"""Of these, in one transaction."""

KEPT = 30
"""Snapshots that never were champion, per definition."""

MOST = 20_000
"""Examples that are held at once, where a day has not more of them."""

TIMES = {"wall": False, "replayed": True}

log = structlog.get_logger()


class Learn:
    """The processor. `partitions` is how many of `customer-events` there are: a day is over when all have told it."""

    name = "learn"
    topic = "churn-examples"
    durable_outbox = True

    def __init__(self, partitions: int, key: bytes, clock: Callable[[], datetime]) -> None:
        self._partitions, self._key, self._clock = partitions, key, clock
        self._working: dict[int, Working] = {}
        self._models: dict[int, Model] = {}  # by snapshot
        self._recent: dict[Place, list[Row]] = {}  # what the usual batch model is trained on
        self._changed: set[int] = set()
        self._behind = True

    def forget(self, partition: int) -> None:
        del partition
        self._working.clear()
        self._models.clear()
        self._recent.clear()
        self._changed.clear()
        self._behind = True

    def committed(self, batch: Batch) -> None:
        del batch

    def has_chores(self, partition: int) -> bool:
        del partition
        return self._behind

    async def chore(self, connection: Connection, partition: int) -> list[Effect] | None:
        del partition
        await self._advance(connection)
        return []

    async def apply(self, connection: Connection, batch: Batch) -> list[Effect]:
        effects: list[Effect] = []
        told: list[messages.Told] = []
        for record in batch.records:
            try:
                said = messages.decoder.decode(record.value or b"")
            except msgspec.MsgspecError as bad:
                effects.append(Bury(record, "not_an_example", str(bad)))
                continue
            if said.version > messages.VERSION:
                raise Halt(f"Examples of version {said.version} are newer than this version knows. Start the newer one.")
            told += said.told
            for time, day in said.passed.items():
                await learnt.told(connection, said.partition, replayed=TIMES[time], day=day)
            for definition in said.past:
                await learnt.told_of_past(connection, said.partition, definition)
        in_force = await table.in_force(connection)
        known = {
            (one.id, replayed): (clock.closed or -1) - one.definition.horizon
            for one in in_force
            for time, replayed in TIMES.items()
            if (clock := (await self._of(connection, one)).clocks.get(time)) is not None
        }
        first = await examples.remember(connection, told, known)
        for one in in_force:
            self._came_late(one, first)
        await examples.witness(connection, told, {place: day - 2 for place, day in known.items()})
        await self._advance(connection)
        return effects

    def _came_late(self, one: InForce, first: dict[Place, int]) -> None:
        """Days that were gone through have something unsaid again."""
        state = self._working[one.id] if one.id in self._working else working.begin(one.definition.horizon)
        for time, clock in state.clocks.items():
            day = first.get((one.id, TIMES[time]))
            if day is not None and clock.closed is not None and day < clock.closed:
                late = msgspec.structs.replace(clock, late=min(day, day if clock.late is None else clock.late))
                state = msgspec.structs.replace(state, clocks=state.clocks | {time: late})
                self._working[one.id] = state
                self._changed.add(one.id)

    async def _advance(self, connection: Connection) -> None:
        """Go through the days that all partitions have told, some at a time."""
        passed = await learnt.told_by_all(connection, self._partitions)
        self._behind = False
        for one in await table.in_force(connection):
            if one.past and not await learnt.went_through(connection, one.id, self._partitions):
                continue
            before = await self._of(connection, one)
            late = one.id in self._changed
            if before.contest.champion != one.champion:  # somebody put another in its place: the next candidate begins anew
                self._working[one.id] = msgspec.structs.replace(before, contest=Contest(None, one.champion))
            labels = before.learner.learnt + before.silence.learnt
            through = [
                await self._days(connection, one, time, passed[replayed] - 1) for time, replayed in TIMES.items() if replayed in passed
            ]
            if one.past and all(through):
                await learnt.end_past(connection, one.id)
            after = self._working[one.id]
            if after is not before or late:
                if after.learner.learnt + after.silence.learnt > labels:
                    after = await self._snapshot(connection, one, after)
                await self._save(connection, one, after)
        self._changed.clear()

    async def _days(self, connection: Connection, one: InForce, time: str, until: int) -> bool:
        """One time's days, up to the last that all have told; answers whether it came so far."""
        place, horizon = (one.id, TIMES[time]), one.definition.horizon
        months: set[tuple[datetime, bool]] = set()
        through = True
        for _ in range(PIECES):
            state = self._working[one.id]
            closed = state.clocks.get(time, working.Clock()).closed
            first = await examples.next_day(connection, place, closed, horizon)
            if first is None or first > until:
                break
            last = min(until, first + min(PIECE, horizon) - 1)
            last = await examples.reach(connection, place, first, last, horizon, MOST)
            months |= await self._piece(connection, one, time, first, last)
        else:
            self._behind, through = True, False
        for month, silent in sorted(months):
            await _judge_month(connection, place, month, silent=silent)
        return through

    async def _piece(self, connection: Connection, one: InForce, time: str, first: int, last: int) -> set[tuple[datetime, bool]]:
        """A few days. Nothing that is said in them is learnt in them."""
        definition, place = one.definition, (one.id, TIMES[time])
        clock = self._working[one.id].clocks.get(time, working.Clock())
        unknown = first if clock.closed is None else clock.closed + 1
        unsaid = min(unknown - 1, unknown if clock.late is None else clock.late)
        learnable = (unknown - definition.horizon - 1, last - definition.horizon - 1)
        rows = await examples.waiting(connection, place, (unsaid, last), learnable)
        owners = await examples.owners(connection, rows)
        evidence = await examples.evidence(connection, {owners.get((row.customer, row.decider), row.customer) for row in rows})

        def lost(row: Row) -> bool:
            owner = owners.get((row.customer, row.decider), row.customer)
            return working.is_lost(definition, row, evidence.get((owner, one.id), NOTHING))

        if place not in self._recent:
            self._recent[place] = await examples.learnt_last(connection, place, TRAINED_ON)
        rival = _usual(self._recent[place])
        contestants = await self._contestants(connection, one)
        labelled: list[Row] = []
        for day in range(first, last + 1):
            known = [row for row in rows if row.logit is not None and row.lost is None and matures(definition, row.day) <= day]
            came = working.begin_day(definition, self._working[one.id], time, day, known, lost, contestants)
            self._working[one.id] = came.working
            labelled += came.labelled
            if came.alarm:
                await learnt.alarm(connection, place, day, *came.alarm)
            working.say(came.working, [row for row in rows if row.logit is None and row.day + row.silent <= day], rival)
        await examples.write_back(connection, place, rows)
        self._recent[place] = [*self._recent[place], *(row for row in labelled if not row.silent)][-TRAINED_ON:]
        return {(working.month_of(row.day), row.silent) for row in labelled}

    async def _contestants(self, connection: Connection, one: InForce) -> tuple[Model | None, Model | None]:
        candidate = self._working[one.id].contest.candidate
        if candidate is None:
            return None, None
        return await self._model(connection, one, one.champion), await self._model(connection, one, candidate)

    async def _model(self, connection: Connection, one: InForce, number: int | None) -> Model:
        known = self._models.get(number or 0)
        if known is None or number is None:
            try:
                known = (await champion.load(connection, number, one.definition.horizon, self._key)).model
            except SnapshotRefused as refused:
                log.error("a snapshot is not loaded", number=number, why=str(refused))
                known = champion.ignorant(one.definition.horizon)
            if len(self._models) > KEPT:
                self._models.clear()
            if number is not None:
                self._models[number] = known
        return known

    async def _snapshot(self, connection: Connection, one: InForce, state: Working) -> Working:
        """Write down what was learnt; crown the candidate when it was better, and let the next one compete."""
        contest, champion_now = state.contest, one.champion
        if contest.candidate is not None and contest.labels < working.FEWEST:
            return state
        if contest.candidate is not None and contest.candidate_loss < contest.champion_loss:
            losses = {"loss": contest.candidate_loss / contest.labels, "loss_before": contest.champion_loss / contest.labels}
            await learnt.crown(connection, one.id, contest.candidate, {"labels": contest.labels} | losses)
            champion_now = contest.candidate
        if champion_now is None:  # the first labels are known: from now on scores are given, at first by what was believed before any
            nobody = working.begin(one.definition.horizon)
            champion_now = await self._write(connection, one, state, nobody)
            await learnt.crown(connection, one.id, champion_now)
        number = await self._write(connection, one, state, state)
        await learnt.grown(connection, one.id, state.learner.learnt, KEPT)
        return msgspec.structs.replace(state, contest=Contest(number, champion_now))

    async def _write(self, connection: Connection, one: InForce, state: Working, made: Working) -> int:
        """A snapshot of these learners, written when so much was known."""
        learners, sums, checksum = champion.seal(made.learner, made.silence, self._key)
        race = {recipe.name: round(float(share), 6) for recipe, share in zip(RECIPES, made.learner.shares, strict=True)}
        through = max((clock.learnt for clock in state.clocks.values() if clock.learnt is not None), default=None)
        made_with = champion.made_with()
        return await learnt.write(connection, Snapshot(one.id, state.learner.learnt, through, checksum, made_with, learners, sums, race))

    async def _of(self, connection: Connection, one: InForce) -> Working:
        known = self._working.get(one.id)
        if known is None:
            kept = await learnt.learner(connection, one.id)
            try:
                known = working.begin(one.definition.horizon) if kept is None else snapshot.opened(kept, Working, self._key)
            except SnapshotRefused as refused:
                log.error("the learner begins anew", definition=one.id, why=str(refused))
                known = working.begin(one.definition.horizon)
            self._working[one.id] = known
        return known

    async def _save(self, connection: Connection, one: InForce, state: Working) -> None:
        self._working[one.id] = state
        await learnt.keep(connection, one.id, snapshot.sealed(state, self._key))


def _usual(known: list[Row]) -> tuple[vocabulary.Vocabulary, batch.Fitted] | None:
    """The usual model, trained on what is known."""
    if len(known) < batch.FEWEST:
        return None
    words = vocabulary.admit(vocabulary.named(), [row.features for row in known])
    inputs = vocabulary.matrix(words, [row.features for row in known])
    return words, batch.fit(inputs, metrics.labels([bool(row.lost) for row in known]))


async def _judge_month(connection: Connection, place: Place, month: datetime, *, silent: bool) -> None:
    """All models on the month's examples whose labels are known."""
    following = (month + timedelta(days=32)).replace(day=1)
    rows = await examples.of_month(connection, place, int(month.timestamp() // DAY), int(following.timestamp() // DAY), silent=silent)
    lost = metrics.labels([row.lost for row in rows])
    said = [working.recalled(row.remembered) for row in rows]
    models = {
        "model": ([row.logit for row in rows], None),
        "given": ([row.given for row in rows], None),
        "purchase_count": ([one.counted[0] for one in said], [row.anchors[2] for row in rows]),
        "decayed_count": ([one.counted[1] for one in said], [row.anchors[1] for row in rows]),
        "prior": ([row.anchors[0] for row in rows], None),
        "batch": ([one.batch for one in said], None),
    }
    for model, (logits, ranks) in models.items():
        judged = metrics.judge(lost, metrics.floats(logits), None if ranks is None else metrics.floats(ranks))
        await examples.write_month(connection, place, month.date(), model, (len(rows), int(lost.sum()), *judged), silent=silent)
