"""What somebody else wrote into our topics, what looks like a word of identity and is none, and what only a newer version can read."""

import msgspec
import pytest

from aggregates.access import NotAllowed, create
from aggregates.source import Source
from aggregates.touchpoint import derive
from aggregates.wire import encoder
from streams.words import KEY, MOVED, word
from tests.streams.barest import CUSTOMER_EVENT, TOUCHPOINT
from tests.streams.crew import until
from tests.streams.ground import Ground
from tests.streams.people import BEGINNING

pytestmark = pytest.mark.engines

change = msgspec.structs.replace

BAD_TOUCHPOINTS = {
    "nothing": None,
    "not JSON": b"\xff",
    "another shape": b'{"specversion": "1.0"}',
    "an id that is none": encoder.encode(change(TOUCHPOINT, yektaevent="x")),
    "data that is no object": encoder.encode(change(TOUCHPOINT, data=msgspec.Raw(b"[]"))),
}
BAD_CUSTOMER_EVENTS = {
    "nothing": None,
    "not JSON": b"\xff",
    "another shape": b'{"specversion": "1.0"}',
    "an id that is none": encoder.encode(change(CUSTOMER_EVENT, yektaevent="x")),
    "a customer that is none": encoder.encode(change(CUSTOMER_EVENT, subject="x")),
    "data that is no object": encoder.encode(change(CUSTOMER_EVENT, data=msgspec.Raw(b"7"))),
}


@pytest.mark.parametrize("bad", BAD_TOUCHPOINTS)
async def test_what_is_no_touchpoint_is_a_dead_letter_and_its_neighbours_go_on(ground: Ground, bad: str) -> None:
    ground.send("1", who={"email": "a@x.ir"}, at=0)
    ground.memory.append("touchpoints", b"?", BAD_TOUCHPOINTS[bad], at=0)
    ground.send("2", who={"email": "a@x.ir"}, at=0)
    await ground.work()
    assert ground.letters == ["not_a_touchpoint touchpoints-0-1"]
    await ground.check()


@pytest.mark.parametrize("bad", BAD_CUSTOMER_EVENTS)
async def test_what_is_no_customer_event_is_a_dead_letter_and_its_neighbours_go_on(ground: Ground, bad: str) -> None:
    event = ground.send("1", who={"email": "a@x.ir"})
    await ground.work()
    home = str(await ground.owner(event)).encode()
    buried = ground.memory.append("customer-events", home, BAD_CUSTOMER_EVENTS[bad])
    ground.send("2", who={"email": "a@x.ir"})
    await ground.work()
    assert ground.letters == [f"not_a_customer_event customer-events-{buried.partition}-{buried.offset}"]
    assert await ground.ask("SELECT events FROM read_1.view") == [(2,)]


async def test_a_channels_event_that_is_named_like_a_word_of_identity_is_an_event(ground: Ground) -> None:
    """A source may be allowed to send anything; what it sends is kept as what it is."""
    source = Source("tests", types=("customer.*",))
    event = ground.send("1", MOVED, who={"email": "a@x.ir"}, source=source)
    await ground.work()
    assert await ground.ask("SELECT type FROM read_1.timeline WHERE event_id = %s", event) == [(MOVED,)]


def test_no_source_may_be_called_what_identity_speaks_as() -> None:
    with pytest.raises(NotAllowed, match="No key speaks as yekta"):
        create(derive("key"), BEGINNING, "tests", b"", "", source=Source(KEY))


async def test_a_word_of_identity_that_this_version_does_not_know_stops_the_partition(ground: Ground) -> None:
    told = word("customer.forgotten", "8698ec08-7059-5f1f-88cb-7b8747a34556", "somebody newer", BEGINNING)
    await stops(ground, told.value)


async def test_an_event_of_a_newer_version_of_its_contract_stops_the_partition(ground: Ground) -> None:
    await stops(ground, encoder.encode(change(CUSTOMER_EVENT, type="call.ended", yektaversion=99)))


async def stops(ground: Ground, record: bytes) -> None:
    """Its partition stands still and says why, nothing is buried, and another version may go on."""
    ground.memory.append("customer-events", b"8698ec08-7059-5f1f-88cb-7b8747a34556", record)
    async with ground.working() as worker:
        await until(lambda: ground.has("SELECT EXISTS (SELECT 1 FROM streams.positions WHERE halted <> '' AND next_offset = 0)"))
        ground.send("1", who={"email": "a@x.ir"}, at=0)
        await ground.passed("resolve", worker)
        assert not worker.failures
    assert not ground.letters
