"""A touchpoint counts once, whenever, wherever and however often it comes again; and nobody else's event passes under its id."""

import asyncio

import pytest

from tests.streams.crew import Gate, until
from tests.streams.ground import Ground

pytestmark = pytest.mark.engines


async def test_a_retry_in_the_same_batch_is_one_row(ground: Ground) -> None:
    event = ground.send("1", who={"email": "a@x.ir"})
    ground.again(event)
    ground.again(event)
    await ground.work()
    assert await ground.ask("SELECT events FROM read_1.view") == [(1,)]
    await ground.check()


async def test_a_retry_in_another_partition_is_answered_from_the_receipt(ground: Ground) -> None:
    event = ground.send("1", who={"email": "a@x.ir"}, at=0)
    await ground.work()
    for place in (1, 2, 0):
        ground.again(event, at=place)
    await ground.work()
    assert await ground.ask("SELECT events FROM read_1.view") == [(1,)]
    assert not ground.letters
    await ground.check()


async def test_retries_of_events_without_identifiers_are_one_row_too(ground: Ground) -> None:
    event = ground.send("1")
    for place in range(3):
        ground.again(event, at=place)
    await ground.work(most=1)
    assert await ground.ask("SELECT count(*) FROM read_1.timeline") == [(1,)]
    assert await ground.customers() == 0
    await ground.check()


async def test_a_retry_is_never_published_for_it_was_received_later(ground: Ground) -> None:
    """It says no time, so the time of its receipt is its time; the first record says which."""
    first = ground.send("1", minute=None, who={"email": "a@x.ir"}, at=0)
    ground.again(first, at=0)
    await ground.work()
    published = ground.published
    ground.again(first, at=0)
    ground.again(first, at=1)
    await ground.work()
    assert ground.published == published
    assert len(published) == 1


async def test_of_a_retry_that_comes_with_a_merge_the_first_record_still_counts(ground: Ground) -> None:
    """It would be forwarded, and stand under the new owner before the first is handed over to him; in a new fold the first stood there."""
    ground.send("a", who={"email": "a@x.ir"}, at=0)
    other = next(str(number) for number in range(100) if ground.home(str(number)) != ground.home("a"))
    first = ground.send(other, minute=None, who={"account": "b"}, at=0)
    await ground.work()
    before = await ground.ask("SELECT recorded FROM read_1.timeline WHERE event_id = %s", first)
    ground.again(first, at=0)
    ground.send("z", who={"email": "a@x.ir", "account": "b"}, at=0)
    gate = Gate("customer.published")
    one, two = ground.hire(at=gate, most=1), ground.hire()
    await one.own("resolve", [0])
    await ground.passed("resolve", one)
    await one.own("customer", [ground.home(other)])
    await gate.wait()
    await two.own("customer", [ground.home("a")])
    await until(lambda: ground.has("SELECT count(*) >= 2 FROM read_1.timeline WHERE customer_id = %s", ground.customer("a")))
    gate.opened.set()
    await one.die()
    await two.die()
    await ground.work()
    assert await ground.ask("SELECT recorded FROM read_1.timeline WHERE event_id = %s", first) == before
    await ground.check()


async def test_another_event_under_the_same_id_is_a_dead_letter_and_never_silence(ground: Ground) -> None:
    first = ground.send("1", who={"email": "a@x.ir"})
    await ground.work()
    ground.send("1", who={"email": "b@x.ir"}, at=1)
    await ground.work()
    assert ground.letters == ["id_reused touchpoints-1-0"]
    assert await ground.ask("SELECT count(*) FROM identity.identifiers") == [(1,)]
    ground.again(first)
    await ground.work()
    assert len(ground.letters) == 1
    await ground.check()


async def test_of_two_events_under_one_id_in_one_batch_the_first_counts(ground: Ground) -> None:
    ground.send("1", who={"email": "a@x.ir"}, at=0)
    ground.send("1", who={"email": "b@x.ir"}, at=0)
    ground.send("2", who={"email": "c@x.ir"}, at=0)
    await ground.work()
    assert ground.letters == ["id_reused touchpoints-0-1"]
    await ground.check()


async def resolved_at_once(ground: Ground) -> None:
    """Two workers resolve what there is in a partition each; the second begins when the first has written and not committed."""
    gate = Gate("resolve.written")
    one, other = ground.hire(at=gate), ground.hire()
    await one.own("resolve", [0])
    await gate.wait()
    await other.own("resolve", [1])
    await ground.waits_for_a_lock()
    gate.opened.set()
    await ground.passed("resolve", one)
    await one.die()
    await other.die()


async def test_two_workers_that_meet_the_same_event_at_once_found_one_customer(ground: Ground) -> None:
    event = ground.send("1", who={"email": "a@x.ir"}, at=0)
    ground.again(event, at=1)
    await resolved_at_once(ground)
    assert await ground.ask("SELECT count(*) FROM identity.customers") == [(1,)]
    await ground.work()
    await ground.check()


async def test_who_was_overtaken_by_another_event_under_its_id_leaves_no_link_behind(ground: Ground) -> None:
    """Its links would be in the tables and in no record: the customers they moved would never hear of it."""
    ground.send("a", who={"email": "a@x.ir"}, at=0)
    ground.send("b", who={"account": "b"}, at=0)
    await ground.work()
    ground.send("1", who={"email": "a@x.ir"}, at=0)
    ground.send("1", who={"email": "a@x.ir", "account": "b"}, at=1)
    await resolved_at_once(ground)
    await ground.work()
    assert ground.letters == ["id_reused touchpoints-1-0"]
    assert await ground.ask("SELECT count(*) FROM identity.moves") == [(0,)]
    assert await ground.customers() == 2
    await ground.check()


async def test_a_worker_that_has_not_heard_of_a_merge_sends_astray_what_the_next_hop_puts_right(ground: Ground) -> None:
    ground.send("1", who={"email": "a@x.ir"}, at=0)
    ground.send("2", who={"account": "b"}, at=0)
    stale, fresh = ground.hire(), ground.hire()
    await stale.own("resolve", [0])
    await until(lambda: ground.has("SELECT count(*) = 2 FROM identity.receipts"))
    await fresh.own("resolve", [1, 2])
    ground.send("3", who={"email": "a@x.ir", "account": "b"}, at=1)
    await until(lambda: ground.has("SELECT count(*) = 3 FROM identity.receipts"))
    late = ground.send("4", who={"account": "b"}, at=0)
    await ground.passed("resolve", stale)
    sent_to = await ground.ask("SELECT customer_id FROM identity.receipts WHERE event_id = %s", late)
    assert sent_to != await ground.ask("SELECT customer_id FROM identity.identifiers WHERE identifier LIKE 'account:%'")
    await asyncio.gather(stale.leave(), fresh.leave())
    await ground.work()
    await ground.check()
