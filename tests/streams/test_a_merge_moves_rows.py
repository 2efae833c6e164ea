"""Two customers become one: their rows go where their identifiers went, in whatever order the partitions hear of it."""

import pytest

from tests.streams.ground import Ground

pytestmark = pytest.mark.engines


async def test_a_merge_moves_the_rows_of_the_younger_to_the_older(ground: Ground) -> None:
    older = ground.send("1", who={"email": "a@x.ir"})
    await ground.work()
    younger = ground.send("2", who={"account": "b"})
    await ground.work()
    assert await ground.owner(older) != await ground.owner(younger)
    ground.send("3", who={"email": "a@x.ir", "account": "b"})
    await ground.work()
    assert await ground.owner(older) == await ground.owner(younger)
    assert await ground.customers() == 1
    await ground.check()


async def test_the_loser_is_told_and_the_winner_hears_of_what_has_come(ground: Ground) -> None:
    older = ground.send("1", who={"email": "a@x.ir"})
    await ground.work()
    younger = ground.send("2", who={"account": "b"})
    await ground.work()
    loser = str(await ground.owner(younger))
    ground.send("3", who={"email": "a@x.ir", "account": "b"})
    await ground.work()
    assert ground.moved == [loser]
    assert ground.received == [str(await ground.owner(older))]


async def test_an_event_that_was_attributed_before_a_merge_is_forwarded_after_it(ground: Ground) -> None:
    ground.send("1", who={"email": "a@x.ir"})
    await ground.work()
    ground.send("2", who={"account": "b"})
    await ground.work()
    resolver = ground.hire()
    await resolver.own("resolve", ground.memory.numbers)
    late = ground.send("3", who={"account": "b"})
    await ground.passed("resolve", resolver)
    ground.send("4", who={"email": "a@x.ir", "account": "b"})
    await ground.passed("resolve", resolver)
    await resolver.die()
    await ground.work()
    copies = [event for event in ground.published if event.yektaevent == str(late)]
    assert len({event.subject for event in copies}) == 2
    assert await ground.customers() == 1
    await ground.check()


async def test_a_chain_of_merges_leaves_one_customer_and_every_event_once(ground: Ground) -> None:
    for number in range(5):
        ground.send(f"s{number}", who={"loyalty": f"{number}"})
        await ground.work()
    for number in (4, 3, 2, 1):
        ground.send(f"m{number}", who={"loyalty": [f"{number}", f"{number - 1}"]})
    await ground.work()
    assert await ground.customers() == 1
    await ground.check()


async def test_merges_that_cross_each_other_leave_every_event_once(ground: Ground) -> None:
    for kind in ("email", "account", "user_id", "loyalty"):
        ground.send(kind, who={kind: "a@x.ir"})
    ground.send("x", who={"email": "a@x.ir", "account": "a@x.ir"})
    ground.send("y", who={"user_id": "a@x.ir", "loyalty": "a@x.ir"})
    ground.send("z", who={"loyalty": "a@x.ir", "email": "a@x.ir"})
    await ground.work(most=1)
    assert await ground.customers() == 1
    await ground.check()


async def test_a_retry_of_what_was_moved_long_ago_changes_nothing(ground: Ground) -> None:
    ground.send("1", who={"email": "a@x.ir"})
    younger = ground.send("2", who={"account": "b"})
    merge = ground.send("3", who={"email": "a@x.ir", "account": "b"})
    await ground.work()
    before = await ground.ask("SELECT customer_id, state FROM read_1.view")
    for place in range(3):
        ground.again(younger, at=place)
        ground.again(merge, at=place)
    await ground.work()
    assert await ground.ask("SELECT customer_id, state FROM read_1.view") == before
    await ground.check()


async def test_a_split_moves_rows_as_a_merge_does(ground: Ground) -> None:
    first = ground.send("1", who={"email": "a@x.ir"})
    await ground.work()  # he is founded first, in whatever partition the other is
    second = ground.send("2", who={"account": "b"})
    ground.send("3", who={"email": "a@x.ir", "account": "b"})
    await ground.work()
    kept = await ground.owner(first)
    other = await ground.split("account", kept)
    await ground.work()
    assert await ground.owner(second) == other
    assert await ground.owner(first) == kept
    assert await ground.customers() == 2
    await ground.check_rows()


async def test_a_customer_of_whom_nothing_is_left_has_no_view(ground: Ground) -> None:
    ground.send("1", who={"email": "a@x.ir"})
    await ground.work()
    younger = ground.send("2", who={"account": "b"})
    await ground.work()
    loser = await ground.owner(younger)
    ground.send("3", who={"email": "a@x.ir", "account": "b"})
    await ground.work()
    assert not await ground.ask("SELECT 1 FROM read_1.view WHERE customer_id = %s", loser)
