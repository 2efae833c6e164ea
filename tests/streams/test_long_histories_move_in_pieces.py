"""What does not fit into one transaction goes on behind a cursor; whatever happens meanwhile, it comes out as if it had been one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from projections.view.fold import begin
from projections.view.state import encode
from tests.streams.crew import Gate, Worker, until
from tests.streams.ground import Ground

pytestmark = pytest.mark.engines

PIECE = 3
UNDER_WAY = "SELECT EXISTS (SELECT 1 FROM streams.chores WHERE chore = 'refold' AND after_at IS NOT NULL)"


async def lives(ground: Ground, name: str, events: int, **who: str) -> UUID:
    """A customer with so many events, ten minutes apart; his id."""
    ids = [ground.send(f"{name} {number}", minute=10 * number, who=who) for number in range(events)]
    await ground.work(piece=PIECE)
    return await ground.owner(ids[0])


async def held_up(ground: Ground) -> tuple[Worker, Gate]:
    """A merge of two long histories, held up in the middle of folding the winner anew: who does it, and by what he is held."""
    await lives(ground, "older", 7, email="a@x.ir")
    await lives(ground, "younger", 8, account="b")
    ground.send("merge", minute=500, who={"email": "a@x.ir", "account": "b"})
    gate = Gate("customer.chore_committed", when=lambda: ground.has(UNDER_WAY))
    worker = ground.hire(at=gate, piece=PIECE)
    await worker.own_all()
    await gate.wait()
    return worker, gate


@asynccontextmanager
async def moving(ground: Ground) -> AsyncIterator[Gate]:
    """What happens while a merge is held up; then it goes on to its end."""
    worker, gate = await held_up(ground)
    yield gate
    gate.opened.set()
    await ground.settle(worker)
    await worker.leave()
    assert await ground.ask("SELECT * FROM streams.chores") == []
    assert await ground.customers() == 1
    await ground.check()


@pytest.mark.parametrize("events", [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 4 * PIECE + 1])
async def test_a_history_of_any_length_is_moved_whole(ground: Ground, events: int) -> None:
    winner = await lives(ground, "older", 1, email="a@x.ir")
    await lives(ground, "younger", events, account="b")
    ground.send("merge", minute=500, who={"email": "a@x.ir", "account": "b"})
    await ground.work(piece=PIECE)
    assert await ground.ask("SELECT customer_id, events, moving FROM read_1.view") == [(winner, events + 2, False)]
    await ground.check()


async def test_while_it_moves_the_view_says_so(ground: Ground) -> None:
    async with moving(ground):
        assert (True,) in await ground.ask("SELECT moving FROM read_1.view")


@pytest.mark.parametrize("minute", [5, 31, 65, 1000])
@pytest.mark.parametrize("who", [{"email": "a@x.ir"}, {"account": "b"}])
async def test_an_event_that_arrives_meanwhile_counts_once_wherever_the_cursor_is(ground: Ground, who: dict[str, str], minute: int) -> None:
    async with moving(ground):
        ground.send("meanwhile", "sales.order_placed", minute, order_id="o", lines=[], total="7", currency="USD", who=who)


async def test_another_merge_meanwhile_is_taken_in(ground: Ground) -> None:
    await lives(ground, "third", 5, loyalty="c")
    async with moving(ground):
        ground.send("again", minute=600, who={"loyalty": "c", "account": "b"})


async def test_who_dies_meanwhile_leaves_the_cursor_to_the_next(ground: Ground) -> None:
    await lives(ground, "older", 7, email="a@x.ir")
    await lives(ground, "younger", 8, account="b")
    ground.send("merge", minute=500, who={"email": "a@x.ir", "account": "b"})
    for _ in range(6):
        gate = Gate("customer.chore_committed", after=1)
        worker = ground.hire(at=gate, piece=PIECE)
        await worker.own_all()
        await until(lambda gate=gate: _reached_or_done(ground, gate))  # type: ignore[misc]
        await worker.die()
    await ground.work(piece=PIECE)
    await ground.check()


async def _reached_or_done(ground: Ground, gate: Gate) -> bool:
    return gate.reached.is_set() or await ground.has("SELECT count(*) = 0 FROM streams.chores")


async def test_a_late_cancellation_folds_a_long_history_anew(ground: Ground) -> None:
    """More orders than a view remembers: taking one of the first back needs all of them."""
    for number in range(40):
        ground.send(
            f"o{number}", "sales.order_placed", number, order_id=f"o{number}", lines=[], total="1", currency="USD", who={"email": "a@x.ir"}
        )
    await ground.work(piece=PIECE)
    ground.send("back", "sales.order_cancelled", 2000, order_id="o3", who={"email": "a@x.ir"})
    await ground.work(piece=PIECE)
    assert await ground.ask("SELECT * FROM streams.chores") == []
    await ground.check()


async def test_a_refold_under_way_ends_when_its_rows_went_to_another(ground: Ground) -> None:
    """It would have put back what is no longer the customer's."""
    mail = ground.send("m1", minute=10, who={"email": "a@x.ir"})
    await ground.work(piece=PIECE)
    ground.send("m2", minute=20, who={"email": "a@x.ir"})
    ground.send("b1", minute=30, who={"email": "a@x.ir", "account": "b"})
    ground.send("b2", minute=40, who={"account": "b"})
    await ground.work(piece=PIECE)
    customer = await ground.owner(mail)
    gate = Gate("customer.chore_committed", when=lambda: ground.has(UNDER_WAY))
    worker = ground.hire(at=gate, piece=PIECE)
    ground.told_to_refold(customer)
    await worker.own_all()
    await gate.wait()
    await ground.split("account", customer)
    gate.opened.set()
    await ground.settle(worker)
    await worker.leave()
    assert await ground.ask("SELECT * FROM streams.chores") == []
    await ground.check_rows()


async def test_work_begun_for_other_read_models_begins_anew(ground: Ground) -> None:
    worker, _ = await held_up(ground)
    await worker.die()
    await ground.ask("UPDATE streams.chores SET schema = 'read_0', state = %s RETURNING 1", encode(begin()))
    await ground.work(piece=PIECE)
    await ground.check()
