"""Calls are known as they go on, whatever order the log has them in and whoever dies reading; late requests go up once."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from aggregates.service_request.deciding import NewRequest, open_request
from aggregates.service_request.hours import Hours
from aggregates.service_request.recording import record_of
from aggregates.service_request.request import evolve
from infra.decisions import DecisionStore
from projections.calls import table
from projections.service import table as requests
from streams.calls import Calls
from streams.escalating import Escalating
from tests.streams.crew import Gate
from tests.streams.ground import Ground

pytestmark = pytest.mark.engines


async def test_stages_only_go_forward(ground: Ground) -> None:
    ground.send("3", "call.ended", 2, call_id="c-1", who={"phone": "09121234567"}, at=1)
    ground.send("1", "call.ringing", 0, call_id="c-1", direction="inbound", number="09121234567", extension="204", at=0)
    ground.send("2", "call.answered", 1, call_id="c-1", agent="maryam", at=2)
    ground.send("4", "web.page_viewed", 1, url='"call.', who={"device": "d"}, at=0)
    async with ground.working(Calls()) as worker:
        await ground.passed("calls", worker)
    call = await table.load(ground.connection, "c-1", datetime.now(UTC))
    assert call is not None
    assert (call.stage, call.extension, call.agent, call.direction) == ("ended", "204", "maryam", "inbound")
    assert call.who
    assert b"9121234567" not in call.record
    assert await table.going_on(ground.connection, "204", datetime.now(UTC), 9) == []


async def test_a_call_whose_end_is_never_told_does_not_ring_for_ever(ground: Ground) -> None:
    ground.send("1", "call.ringing", 0, call_id="c-1", direction="inbound", number="09121234567", extension="204", at=0)
    async with ground.working(Calls()) as worker:
        await ground.passed("calls", worker)
    (rings,) = await table.going_on(ground.connection, "204", datetime.now(UTC), 9)
    assert rings.stage == "ringing"
    later = datetime.now(UTC) + timedelta(hours=5)
    assert await table.going_on(ground.connection, None, later, 9) == []
    lost = await table.load(ground.connection, "c-1", later)
    assert lost is not None
    assert lost.stage == "lost"


async def test_who_dies_while_reading_reads_again_and_nothing_is_other(ground: Ground) -> None:
    ground.send("1", "call.ringing", 0, call_id="c-1", direction="inbound", number="09121234567", extension="204", at=0)
    gate = Gate("calls.written")
    worker = ground.hire(Calls(), at=gate)
    await worker.own_all()
    await worker.die()
    ground.send("2", "call.wrapped_up", 0, call_id="c-1", who={"phone": "09121234567"}, at=0)
    async with ground.working(Calls()) as other:
        await ground.passed("calls", other)
    assert await ground.ask("SELECT call_id, stage, extension FROM service.calls") == [("c-1", "wrapped_up", "204")]


async def test_what_is_late_goes_up_once_whoever_looks(ground: Ground, dsn: str) -> None:
    begun = datetime.now(UTC) - timedelta(days=30)
    opened = open_request(uuid4(), "1", {"phone": "+989121234567"}, NewRequest("Late"), begun, "sara", Hours())
    request = evolve(None, opened)
    store = DecisionStore(dsn)
    decisions, changed = record_of(ground.keys, [(None, request, [opened])])
    await store.record(decisions, [requests.put(one, decider) for one, decider in changed])
    lookers = [Escalating(store, ground.keys, dsn=dsn, clock=lambda: datetime.now(UTC)) for _ in range(2)]
    assert [await looker.act(ground.connection) for looker in lookers] == [1, 0]
    row = await requests.load(ground.connection, request.id)
    assert row is not None
    assert (row.request.escalation, row.request.version) == (2, 2)
    assert [decision.tag for decision in await store.load(request.id)] == ["service.request_opened", "service.request_escalated"]
    store.close()
