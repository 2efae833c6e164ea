"""However long a history is: an order that comes a little late finds its place in the view, the value and the score without all of it."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from aggregates.identity import DEFAULT_RULES
from infra.sealing import KeyRing
from projections.churn.state import State, decode, encode
from projections.timeline import table as timeline
from projections.view.orders import LIMIT
from streams import retracing, scoring
from streams.customer import Customer
from streams.record import Processor
from streams.resolve import Resolve
from streams.scoring import Scoring
from streams.valuing import Valuing
from tests.streams.crew import Worker
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.people import BEGINNING

pytestmark = pytest.mark.engines

LATE = 12
STATES = (
    "SELECT state, moving FROM read_1.view",
    "SELECT state FROM value.states",
)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows of histories were read, each time that some were."""
    counts: list[int] = []

    def counted(read: Callable[..., Awaitable[list[Any]]]) -> Callable[..., Awaitable[list[Any]]]:
        async def reading(*asked: Any) -> list[Any]:
            rows = await read(*asked)
            counts.append(len(rows))
            return rows

        return reading

    for name in ("piece", "pieces", "naming"):
        monkeypatch.setattr(timeline, name, counted(getattr(timeline, name)))
    return counts


def processors(ground: Ground, *, scores: bool) -> list[Processor]:
    keys = KeyRing(MASTER)

    async def ends() -> dict[int, int]:
        return ground.memory.ends("touchpoints")

    churn = [Scoring(keys, lambda: BEGINNING, b"a key of the tests", ends)] if scores else []
    return [Resolve(DEFAULT_RULES, keys), Customer(keys, parts=[Valuing(keys, lambda: BEGINNING), *churn])]


def happens(ground: Ground, number: int, second: float) -> UUID:
    """Something every few seconds, one in seven an order."""
    who = {"customer_number": "1"}
    if number % 7:
        return ground.send(f"e{number}", "shop.seen", second / 60, who=who, page=f"p{number % 5}")
    return ground.send(
        f"e{number}", "sales.order_placed", second / 60, who=who, order_id=f"o{number}", lines=[], total="5.00", currency="USD"
    )


async def lived(ground: Ground, worker: Worker, events: int) -> UUID:
    """So many events, and then orders of which each comes after what happened up to two minutes later."""
    for number in range(events):
        event = happens(ground, number, 3.0 * number)
    await ground.settle(worker)
    return await ground.owner(event)


async def late(ground: Ground, worker: Worker, events: int) -> None:
    for nth in range(LATE):
        happens(ground, 7 * (events + nth), 3.0 * events - 10.0 * nth - 8.5)
        await ground.settle(worker)


async def test_the_view_and_the_value_read_no_history(ground: Ground, read: list[int]) -> None:
    async with ground.working(*processors(ground, scores=False)) as worker:
        customer = await lived(ground, worker, 1_500)
        read.clear()
        await late(ground, worker, 1_500)
        assert max(read) <= LIMIT + 1
        assert len(read) == LATE
        came = [await ground.ask(state) for state in STATES]
        ground.told_to_refold(customer)
        await ground.passed("customer", worker)
        assert sum(read) > 1_500
        assert [await ground.ask(state) for state in STATES] == came


async def test_the_score_reads_what_came_after_the_last_mark(ground: Ground, read: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "LONG", 100)
    monkeypatch.setattr(retracing, "STEP", 50)
    async with ground.working(*processors(ground, scores=True)) as worker:
        await lived(ground, worker, 2_500)
        await late(ground, worker, 2_500)
        assert sum(read) > 2_500  # the first of them found no mark
        read.clear()
        await late(ground, worker, 2_700)
        assert sum(read) < LATE * (4 * retracing.STEP + LIMIT)


async def test_what_was_folded_when_less_was_kept_is_no_place_to_go_on_from(
    ground: Ground, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "LONG", 100)
    monkeypatch.setattr(retracing, "STEP", 50)
    async with ground.working(*processors(ground, scores=True)) as worker:
        await lived(ground, worker, 1_000)
        await late(ground, worker, 1_000)
        assert await ground.ask("SELECT count(*) > 3 FROM churn.marks") == [(True,)]
    for customer, at, made in await ground.ask("SELECT customer_id, at, made FROM churn.marks"):
        history = scoring._history.decode(made)
        by = {one: replace(known, kept=replace(known.kept, state=before(known.kept.state))) for one, known in history.by.items()}
        changed = msgspec.msgpack.encode(replace(history, by=by))
        await ground.ask("UPDATE churn.marks SET made = %s WHERE customer_id = %s AND at = %s RETURNING 1", changed, customer, at)
    ((known,),) = await ground.ask("SELECT state FROM churn.states")
    await ground.ask("UPDATE churn.states SET state = %s RETURNING 1", encode(before(decode(known))))
    async with ground.working(*processors(ground, scores=True)) as worker:
        read.clear()
        happens(ground, 7_700, 2_995.5)
        await ground.settle(worker)
        assert sum(read) > 1_000  # all that there is
        ((kept,),) = await ground.ask("SELECT state FROM churn.states")
        rhythm = decode(kept).rhythm
        assert rhythm is not None
        assert rhythm.fresh == pytest.approx(rhythm.orders, rel=0.01)  # all of this hour


def before(state: State) -> State:
    """As it would have been folded before there was `folded`."""
    assert state.rhythm is not None
    return replace(state, folded=0, rhythm=replace(state.rhythm, fresh=0.0, recent=0.0, winter=0.0, spring=0.0))
