"""The stream of a customer's view: new events and the changed view within a second, and where it was after a break."""

import ast
import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from aggregates.access import Role
from api import position
from api.stream import _live
from api.watching import Watching
from projections.positions import table as positions
from tests.api.conftest import Api
from tests.api.events import event
from tests.api.serving import served

pytestmark = pytest.mark.engines


class Page:
    """A live page: what it has heard."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.last = ""

    async def next(self, *names: str) -> tuple[str, Any]:
        """The next event with one of these names."""
        name = ""
        async with asyncio.timeout(60):
            async for line in self._lines:
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "id":
                    self.last = value
                elif field == "data" and name in names:
                    return name, msgspec.json.decode(value)
        raise AssertionError("the stream ended")

    async def placed(self) -> None:
        """Wait for a place before anything is told."""
        async with asyncio.timeout(60):
            async for line in self._lines:
                assert not line.startswith("data")
                if line.startswith("id: "):
                    return


@asynccontextmanager
async def page(url: str, token: str, customer: str, last: str | None = None) -> AsyncIterator[Page]:
    """A page that listens to a customer."""
    headers = {} if last is None else {"last-event-id": last}
    async with (
        httpx.AsyncClient(base_url=url, auth=(token, ""), timeout=None) as client,  # noqa: S113 - it listens as long as the test lasts
        client.stream("GET", f"/v1/customers/{customer}/stream", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Page(answer.aiter_lines())


async def customer(live: Api, key: str, agent: str, number: str) -> str:
    """The id of a new customer."""
    at = await live.send(key, event(f"first-{number}", data={"url": "u", "who": {"customer_number": number}}))
    return str((await live.get(agent, f"/v1/customers/by/customer_number/{number}", after=at))["customer_id"])


async def test_a_new_event_and_the_view_after_it_are_heard(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    id_ = await customer(live, key, agent, "7001")
    async with served(live) as url, page(url, agent, id_) as heard:
        _, view = await heard.next("view")
        assert view["events"] == 1
        await live.send(key, event("second-7001", data={"url": "u", "who": {"customer_number": "7001"}}))
        name, item = await heard.next("timeline", "view")
        assert (name, item["id"]) == ("timeline", "second-7001")
        _, view = await heard.next("view")
        assert view["events"] == 2


async def test_a_page_that_comes_back_hears_what_it_missed_and_nothing_twice(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    id_ = await customer(live, key, agent, "7002")
    who = {"customer_number": "7002"}
    async with served(live) as url:
        async with page(url, agent, id_) as heard:
            await heard.next("view")
            await live.send(key, event("heard-7002", data={"url": "u", "who": who}))
            assert (await heard.next("timeline"))[1]["id"] == "heard-7002"
            last = heard.last
        at = await live.send(key, *(event(f"missed-{number}-7002", data={"url": "u", "who": who}) for number in range(5)))
        await live.get(agent, f"/v1/customers/{id_}", after=at)
        async with page(url, agent, id_, last) as heard:
            missed = [(await heard.next("timeline", "view"))[1].get("id") for _ in range(6)]
    assert sorted(missed[:5]) == [f"missed-{number}-7002" for number in range(5)]
    assert missed[5] is None  # then the view


async def test_a_page_that_was_told_nothing_new_yet_hears_what_it_missed_too(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    id_ = await customer(live, key, agent, "7012")
    async with served(live) as url:
        async with page(url, agent, id_) as heard:
            await heard.placed()  # also who loses the line before the first view has a place
            heard.last = ""
            await heard.next("view")
            last = heard.last
        at = await live.send(key, event("missed-7012", data={"url": "u", "who": {"customer_number": "7012"}}))
        await live.get(agent, f"/v1/customers/{id_}", after=at)
        async with page(url, agent, id_, last) as heard:
            name, item = await heard.next("timeline", "view")
            assert (name, item["id"]) == ("timeline", "missed-7012")


async def test_another_customers_events_are_not_heard(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    id_ = await customer(live, key, agent, "7003")
    async with served(live) as url, page(url, agent, id_) as heard:
        await heard.next("view")
        at = await live.send(key, event("foreign", data={"url": "u", "who": {"customer_number": "7099"}}))
        await live.get(agent, "/v1/customers/by/customer_number/7099", after=at)
        await live.send(key, event("own-7003", data={"url": "u", "who": {"customer_number": "7003"}}))
        assert (await heard.next("timeline"))[1]["id"] == "own-7003"


async def test_a_page_of_a_customer_who_became_one_with_another_is_told_of_him(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    stays = await customer(live, key, agent, "7004")
    await live.send(key, event("mail", data={"url": "u", "who": {"email": "goes@example.ir"}}))
    at = await live.send(key, event("mail-again", data={"url": "u", "who": {"email": "goes@example.ir"}}))
    goes = str((await live.get(agent, "/v1/customers/by/email/goes@example.ir", after=at))["customer_id"])
    async with served(live) as url, page(url, agent, goes) as heard:
        await heard.next("view")
        await live.send(key, event("one-7004", data={"url": "u", "who": {"customer_number": "7004", "email": "goes@example.ir"}}))
        _, told = await heard.next("merged")
        assert told == {"customer_id": stays}


async def test_a_page_hears_that_what_it_shows_is_old(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    id_ = await customer(live, key, agent, "7006")
    async with served(live) as url, page(url, agent, id_) as heard:
        await heard.next("view")
        # As if something had been accepted a minute ago that nobody resolved.
        now = live.made.clock()
        live.made.recent.note({0: 1 << 40}, now.replace(year=now.year - 1))
        _, stale = await heard.next("stale")
        assert stale["since"]
        live.made.recent.outstanding(now, dict.fromkeys(range(64), 1 << 41))  # its note may have been joined to one of other partitions
        await heard.next("fresh")


async def test_a_page_hears_that_what_another_door_accepted_is_not_there_yet(live: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ends(topics: Sequence[str]) -> Mapping[tuple[str, int], int]:
        return {(topic, 0): 1 << 40 for topic in topics}

    key, agent = await live.write_key(), await live.token("agent")
    id_ = await customer(live, key, agent, "7007")
    async with served(live) as url, page(url, agent, id_) as heard:
        await heard.next("view")
        with monkeypatch.context() as patched:
            patched.setattr(live.made.log, "ends", ends)
            _, stale = await heard.next("stale")
        assert stale["since"]
        live.made.recent.outstanding(live.made.clock(), dict.fromkeys(range(64), 1 << 41))
        await heard.next("fresh")


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("agent", "/v1/customers/{id}/stream"),
        ("agent", "/v1/calls/stream?extension=1"),
        ("agent", "/v1/signals/stream"),
        ("agent", "/customers/{id}/live"),
        ("agent", "/live?extension=1"),
        ("supervisor", "/board/live"),
        ("", "/v1/sources/outlasted/tail"),
    ],
)
async def test_no_stream_outlasts_the_key_that_opened_it(live: Api, role: Role, path: str) -> None:
    key, agent = await live.write_key("outlasted"), await live.token("agent")
    id_ = await customer(live, key, agent, "7013")
    secret = await live.token(role) if role else key
    grant = live.made.ring.of_secret(secret)
    assert grant is not None
    async with (
        served(live) as url,
        httpx.AsyncClient(base_url=url, auth=(secret, ""), timeout=None) as client,  # noqa: S113 - it listens until it is ended
        client.stream("GET", path.format(id=id_)) as answer,
    ):
        assert answer.headers["x-accel-buffering"] == "no"
        assert answer.headers["cache-control"] in {"no-cache", "no-store"}
        heard = answer.aiter_lines()
        async with asyncio.timeout(60):
            async for line in heard:
                if line.startswith(("data:", ": listening")):
                    break
            await live.made.keys.revoke(grant.key, "tests")
            async for line in heard:
                assert not line.startswith("event: timeline")


async def test_nonsense_is_no_place_to_go_on_from(live: Api) -> None:
    agent = await live.token("agent")
    path = "/v1/customers/00000000-0000-0000-0000-000000000001/stream"
    assert (await live.client.get(path, auth=(agent, ""), headers={"last-event-id": "nonsense"})).status_code == 422
    assert (await live.client.get(path, auth=(agent, ""), headers={"last-event-id": position.token({0: 1})})).status_code == 404


async def test_a_place_that_was_never_reached_is_refused_and_a_page_of_the_desk_goes_on_from_the_last_that_was(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    id_ = await customer(live, key, agent, "7014")
    async with live.made.pool.connection() as connection:
        reached = await positions.positions(connection, "customer")
    for partition, end in reached.items():
        beyond = {"last-event-id": position.token(reached | {partition: end + 1})}
        async with asyncio.timeout(60):
            answer = await live.client.get(f"/v1/customers/{id_}/stream", auth=(agent, ""), headers=beyond)
        assert (answer.status_code, answer.json()["pointer"]) == (422, "/header/Last-Event-ID")
    never = {"last-event-id": position.token(dict.fromkeys(reached, 1 << 40))}
    async with (
        served(live) as url,
        httpx.AsyncClient(base_url=url, auth=(agent, ""), timeout=None) as client,  # noqa: S113 - it listens as long as the test lasts
        client.stream("GET", f"/customers/{id_}/live", headers=never) as answer,
    ):
        heard = Page(answer.aiter_lines())
        await heard.next("beat")
        await live.send(key, event("second-7014", data={"url": "u", "who": {"customer_number": "7014"}}))
        entries: list[Any] = []
        while not entries:
            entries = (await heard.next("changes"))[1]["entries"]
    assert len(entries) == 1


async def test_a_page_of_the_desk_is_read_again_when_something_came_since_it_was_made_and_not_before(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    id_ = await customer(live, key, agent, "7015")
    made = await live.client.get(f"/customers/{id_}", auth=(agent, ""))
    (address,) = re.findall('data-stream="([^"]+)"', made.text)

    async with served(live) as url, httpx.AsyncClient(base_url=url, auth=(agent, ""), timeout=None) as client:  # noqa: S113

        @asynccontextmanager
        async def opened() -> AsyncIterator[Page]:
            async with client.stream("GET", unescape(address)) as answer:
                assert answer.status_code == 200
                yield Page(answer.aiter_lines())

        async with opened() as heard:
            assert [(await heard.next("beat", "changes"))[0] for _ in range(2)] == ["beat"] * 2  # more than a look apart
            at = await live.send(key, event("second-7015", data={"url": "u", "who": {"customer_number": "7015"}}))
            assert len((await heard.next("changes"))[1]["entries"]) == 1
        await live.get(agent, f"/v1/customers/{id_}", after=at)
        async with opened() as heard:
            assert len((await heard.next("changes"))[1]["entries"]) == 1


async def test_those_who_hold_every_connection_still_learn_which_schema_is_live(live: Api) -> None:
    pool, everybody = live.made.pool, asyncio.Barrier(live.made.pool.max_size)

    async def holding() -> str:
        async with pool.connection():
            await everybody.wait()
            return await live.made.schema()

    known = await live.made.schema()
    live.made.schema.__self__._until = 0.0  # type: ignore[attr-defined]
    async with asyncio.timeout(pool.timeout):
        assert set(await asyncio.gather(*(holding() for _ in range(pool.max_size)))) == {known}


async def test_pages_that_read_slowly_keep_no_connection_from_others(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    id_ = UUID(await customer(live, key, agent, "7300"))
    watching = Watching(live.made)
    pages = [_live(live.made, watching, id_, {}, "agent") for _ in range(live.made.pool.max_size + 1)]

    async def stuck(one: AsyncGenerator[bytes]) -> None:
        while not (await anext(one)).startswith(b"event: timeline"):
            pass

    try:
        async with asyncio.timeout(live.made.pool.timeout):
            await asyncio.gather(*map(stuck, pages))
            assert (await live.get(agent, "/v1/customers", q="7300"))["items"] is not None
    finally:
        for one in pages:
            await one.aclose()


def test_nothing_is_told_to_a_page_with_a_connection_in_hand() -> None:
    held = [
        f"{path}:{block.lineno}"
        for path in Path(position.__file__).parent.rglob("*.py")
        for block in ast.walk(ast.parse(path.read_text()))
        if isinstance(block, ast.AsyncWith) and any(".connection()" in ast.unparse(item.context_expr) for item in block.items)
        if any(isinstance(part, ast.Yield) for part in ast.walk(block))
    ]
    assert held == []


async def test_each_of_two_hundred_open_desks_hears_its_own_ring_and_its_own_customer_and_nobody_elses(live: Api) -> None:
    key, agent = await live.write_key(), await live.token("agent")
    numbers = [f"72{number:03}" for number in range(200)]

    def seen(turn: int, number: str) -> Any:
        return event(f"{turn}-{number}", data={"url": "u", "who": {"customer_number": number}})

    at = await live.send(key, *(seen(0, number) for number in numbers))
    await live.get(agent, "/v1/customers", q="nobody", after=at)
    owners = [(await live.get(agent, f"/v1/customers/by/customer_number/{number}"))["customer_id"] for number in numbers]
    opened = asyncio.Barrier(len(numbers) + 1)

    async def desk(client: httpx.AsyncClient, of: str, extension: str) -> tuple[set[str], set[str]]:
        entries, calls = set[str](), set[str]()
        async with client.stream("GET", f"/customers/{of}/live?extension={extension}") as answer:
            stream, waiting = Page(answer.aiter_lines()), True
            while len(entries) < 6 or not calls:
                name, told = await stream.next("beat", "changes", "call")
                if waiting and name == "beat":
                    waiting = False
                    await opened.wait()
                entries |= {entry["id"] for entry in told.get("entries", ()) if entry["said"]}
                calls |= {told["id"]} if name == "call" else set()
        return entries, calls

    limits = httpx.Limits(max_connections=None)
    async with served(live) as url, httpx.AsyncClient(base_url=url, auth=(agent, ""), timeout=None, limits=limits) as client:  # noqa: S113
        desks = [asyncio.create_task(desk(client, owner, f"x-{number}")) for owner, number in zip(owners, numbers, strict=True)]
        async with asyncio.timeout(60):
            await opened.wait()
        for turn in range(1, 6):
            await live.send(key, *(seen(turn, number) for number in numbers))
        rings = ({"call_id": f"c-{number}", "extension": f"x-{number}", "direction": "inbound"} for number in numbers)
        await live.send(key, *(event(f"r-{ring['call_id']}", type="call.ringing", source="/pbx", data=ring) for ring in rings))
        async with asyncio.timeout(60):  # they hear a beat now and then, whatever else they hear
            heard = await asyncio.gather(*desks)
    items = [(await live.get(agent, f"/v1/customers/{owner}/timeline", channel="web"))["items"] for owner in owners]
    assert [entries for entries, _ in heard] == [{f"e-{item['event_id']}" for item in his} for his in items]
    assert [calls for _, calls in heard] == [{f"c-{number}"} for number in numbers]
