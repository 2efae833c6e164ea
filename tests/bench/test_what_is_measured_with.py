"""The workload is the same for everyone, and the numbers are made of the samples as it is said."""

import asyncio
from datetime import UTC, datetime

import pytest

from aggregates.reading import read
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint
from infra.bench.children import until
from infra.bench.client import Connection, get, percentile
from infra.bench.identities import Names
from infra.bench.report import Ratio
from infra.bench.rows import Samples, rows
from infra.bench.throughput import Pass
from infra.bench.usage import Cost, Reading, cost
from infra.bench.workload import NEW, Mix

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_seed_gives_the_same_events_again() -> None:
    assert Mix(7).take(500) == Mix(7).take(500)
    assert Mix(7).take(500) != Mix(8).take(500)


def test_what_is_posted_to_a_store_goes_on_where_the_store_ends() -> None:
    assert Mix.after(500, 7).take(20) == Mix(7).take(520)[500:]


def test_every_event_of_the_mix_is_understood() -> None:
    events = Mix(7).take(3000)
    assert all(isinstance(read(event, Source("bench"), NOW), Touchpoint) for event in events)
    assert len({(event["source"], event["id"]) for event in events}) == len(events)


def test_the_mix_has_the_shares_that_it_says() -> None:
    mix = Mix(7)
    mix.take(50_000)
    shares = {name: count / 50_000 for name, count in mix.types.items()}
    assert shares == pytest.approx(
        {"web.page_viewed": 0.65, "call.ended": 0.16, "sales.order_placed": 0.12, "web.identified": 0.07}, abs=0.02
    )
    assert mix.customers / 50_000 == pytest.approx(NEW, abs=0.01)
    assert 0 < mix.merges < 50


async def test_who_was_hung_up_on_while_nothing_was_asked_asks_anew() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async def lost() -> bool:
        return line.lost

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    async with server:
        line = await Connection.open(server.sockets[0].getsockname()[1])
        for _ in range(3):
            async with asyncio.timeout(30):
                assert (await line.ask(get("/"))).body == b"ok"
            await until("the server hung up", lost, (), look=0.001)
        line.close()


def test_a_percentile_is_a_value_that_was_there() -> None:
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile([float(value) for value in range(1, 101)], 99) == 99.0
    assert percentile([5.0], 99) == 5.0


def test_the_cost_of_an_event_is_what_the_clocks_moved_by() -> None:
    begin = Reading(0.0, {"processes": 1.0, "kafka": 5.0})
    end = Reading(2.0, {"processes": 2.0, "kafka": 5.5})
    assert cost(begin, end, 1000) == Cost(processes=1000.0, postgres=None, kafka=500.0)
    assert cost(begin, end, 1000).total == 1500.0


def test_a_ratio_knows_whether_its_target_is_met() -> None:
    assert Ratio("floor", "rate", 0.6, at_least=0.5).met is True
    assert Ratio("floor", "rate", 0.4, at_least=0.5).met is False
    assert Ratio("select", "latency", 2.5, at_most=2.0).met is False
    assert Ratio("floor", "cpu", 0.4).met is None


def test_ratios_are_medians_over_the_rounds_of_what_was_measured_together() -> None:
    samples = Samples()
    for floor, both in ((1000, 500), (100, 80), (1000, 600)):  # in the second round the machine had others to serve
        samples.add("floor", _pass(floor, 10.0))
        samples.add("end-to-end", _pass(both, 40.0))
    found = {row.name: row for row in rows(samples)}
    assert found["floor"].rate == 1000
    assert found["end-to-end"].rates == [500, 80, 600]
    assert [(ratio.by, ratio.value, ratio.met) for ratio in found["end-to-end"].ratios] == [("rate", 0.6, True), ("cpu", 0.25, None)]


def test_what_was_skipped_has_a_row_that_says_why() -> None:
    samples = Samples(skipped={"quix": "not here"})
    assert [(row.name, row.skipped) for row in rows(samples)] == [("quix", "not here")]


def _pass(rate: float, total: float) -> Pass:
    return Pass(int(rate), 1.0, Cost(total / 2, total / 4, total / 4))


def test_people_who_merge_are_told_of_once_however_many_are_taken_at_a_time() -> None:
    by_ones, at_once = Names(3, joining=True), Names(3, joining=True)
    events = [event for _ in range(50) for event in by_ones.take(8)]
    assert events == at_once.take(400)
    assert len({event["id"] for event in events}) == 400
    second = [who for event in events if len(who := event["data"]["who"]) > 1]
    assert second
    assert len(second) < 60
