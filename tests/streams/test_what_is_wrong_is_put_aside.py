"""Poison, faults and deaths: what stops one record, what stops a partition, what stops nobody, and what ends the process."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition

from streams.claiming import CLOCKS_APART_MS
from streams.lane import ALONE
from tests.streams.crew import Gate, Worker, until
from tests.streams.ground import Ground
from tests.streams.memory import Consumer
from tests.streams.scripted import TABLE, Deadly, Scripted

pytestmark = pytest.mark.engines


@pytest.fixture
async def stage(ground: Ground) -> Ground:
    """A story whose records say what happens; all in partition 0 unless told otherwise."""
    await ground.connection.execute(TABLE.encode())
    return ground


def write(ground: Ground, *script: str, at: int = 0) -> None:
    """Append what is to be done."""
    for line in script:
        ground.memory.append("script", line.encode(), line.encode(), at=at)


async def done(ground: Ground, processor: str = "scripted") -> list[str]:
    """What was written down, and that it was so once."""
    rows = await ground.ask("SELECT said, times FROM streams.done WHERE processor = %s ORDER BY said", processor)
    assert all(times == 1 for _, times in rows)
    return [line for line, _ in rows]


async def halts(ground: Ground, why: str) -> None:
    """Wait until partition 0 stands still, and says this."""
    await until(lambda: ground.has("SELECT strpos(halted, %s) > 0 FROM streams.positions WHERE partition = 0", why))


async def play(ground: Ground, worker: Worker) -> None:
    """Let a worker do all that can be done, in every partition."""
    await worker.own_all()
    for name in worker.runners:
        await ground.passed(name, worker)
    await worker.leave()


@pytest.mark.parametrize("durable", [True, False])
async def test_what_a_processor_cannot_understand_is_buried_and_its_neighbours_go_on(stage: Ground, durable: bool) -> None:
    write(stage, "fine 1", "garbled", "fine 2")
    await play(stage, stage.hire(Scripted(durable=durable)))
    assert await done(stage) == ["fine 1", "fine 2"]
    assert stage.letters == ["garbled script-0-1"]


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("culprit", ["unstorable", "impossible"])
async def test_what_postgresql_refuses_is_found_one_by_one_and_buried_alone(stage: Ground, durable: bool, culprit: str) -> None:
    write(stage, "fine 1", "tell 2", culprit, "fine 3", culprit, "tell 4")
    await play(stage, stage.hire(Scripted(durable=durable)))
    assert await done(stage) == ["fine 1", "fine 3", "tell 2", "tell 4"]
    assert stage.letters == ["not_storable script-0-2", "not_storable script-0-4"]
    assert {record.value for record in stage.memory.all("told")} == {b"tell 2", b"tell 4"}


async def test_a_passing_fault_is_met_with_patience_and_nothing_is_buried(stage: Ground) -> None:
    write(stage, "fine 1", "flaky", "fine 2")
    processor = Scripted()
    await play(stage, stage.hire(processor))
    assert await done(stage) == ["fine 1", "fine 2", "flaky"]
    assert not stage.letters
    assert processor.forgotten >= 2, "caches must not remember what was rolled back"


async def test_a_lost_answer_of_the_log_costs_a_repetition_and_no_more(stage: Ground) -> None:
    write(stage, *(f"tell {number}" for number in range(20)))
    stage.memory.faults = 0.2
    worker = stage.hire(Scripted(), most=3)
    await worker.own_all()
    await stage.passed("scripted", worker)
    # its position passes before all is told: who left now would leave the last of it to the next owner
    await until(lambda: stage.has("SELECT NOT EXISTS (SELECT 1 FROM streams.outbox)"))
    await worker.leave()
    assert len(await done(stage)) == 20
    assert {record.value for record in stage.memory.all("told")} == {f"tell {number}".encode() for number in range(20)}


async def test_what_is_of_a_newer_version_stops_its_partition_and_no_other(stage: Ground) -> None:
    write(stage, "fine 1", "newer", "fine 2")
    write(stage, "fine 3", at=1)
    worker = stage.hire(Scripted(), most=1)
    await worker.own_all()
    await until(lambda: stage.has("SELECT EXISTS (SELECT 1 FROM streams.positions WHERE halted = 'A newer version wrote this.')"))
    await until(lambda: stage.has("SELECT EXISTS (SELECT 1 FROM streams.done WHERE said = 'fine 3')"))
    assert await done(stage) == ["fine 1", "fine 3"]
    assert not stage.letters
    assert not worker.failures
    await worker.leave()


async def test_what_nobody_expected_ends_the_process(stage: Ground) -> None:
    write(stage, "fine 1", "unexpected")
    worker = stage.hire(Scripted(), most=1)
    running = asyncio.create_task(worker.runners["scripted"].run())
    await worker.own_all()
    with pytest.raises(Deadly):
        await running
    assert await done(stage) == ["fine 1"]


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("place", [0, 2])
@pytest.mark.parametrize(("loud", "deaths"), [(True, 5), (False, 22)])
async def test_the_record_that_kills_every_worker_is_found_and_buried(
    stage: Ground, durable: bool, place: int, loud: bool, deaths: int
) -> None:
    """Twice in a batch; then alone, three times when it is known to have been the record, twenty times when it might be anybody's kill."""
    script = [f"fine {number}" for number in range(5)]
    script[place] = "deadly"
    write(stage, *script)
    died = 0
    while not stage.letters:
        worker = await die_of(stage, durable, loud)
        if worker is None:
            break
        died += 1
        assert died <= deaths, "nobody finds the killer"
    assert stage.letters == [f"kills_worker script-0-{place}"]
    assert died == deaths
    assert await done(stage) == [line for line in script if line != "deadly"]


@pytest.mark.parametrize(("loud", "deaths"), [(True, 6), (False, 23)])
async def test_the_killer_is_found_behind_a_batch_that_was_taken_in_and_not_yet_settled(stage: Ground, loud: bool, deaths: int) -> None:
    """That batch goes again first; it is not to blame, and where it ended must be remembered before the killer is tried alone."""
    write(stage, "tell 0", "tell 1", "fine 2", "deadly", "fine 4")
    gate = Gate("scripted.committed")
    first = stage.hire(Scripted(durable=False), most=2, at=gate)
    await first.own("scripted", [0])
    await gate.wait()
    await first.die()
    died = 0
    while not stage.letters and await die_of(stage, durable=False, loud=loud) is not None:
        died += 1
        assert died <= deaths, "nobody finds the killer"
    assert stage.letters == ["kills_worker script-0-3"]
    assert {record.value for record in stage.memory.all("told")} == {b"tell 0", b"tell 1"}
    assert await stage.has("SELECT EXISTS (SELECT 1 FROM streams.done WHERE said = 'fine 4')")


async def test_a_record_that_was_taken_in_is_never_the_one_that_kills(stage: Ground) -> None:
    """It is in PostgreSQL and perhaps in the log: buried, it would be a dead letter and be visible."""
    write(stage, "tell 1")
    for _ in range(30):
        gate = Gate("scripted.committed")
        worker = stage.hire(Scripted(durable=False), at=gate)
        await worker.own("scripted", [0])
        await gate.wait()
        await worker.die()
    await play(stage, stage.hire(Scripted(durable=False)))
    assert not stage.letters
    assert {record.value for record in stage.memory.all("told")} == {b"tell 1"}


async def die_of(stage: Ground, durable: bool, loud: bool) -> Worker | None:
    """A worker that dies of its deadly record, with an exception or without a word; None when it lived to the end."""
    dying = asyncio.Event()

    async def deadly() -> None:
        dying.set()
        if loud:
            raise Deadly
        await asyncio.Event().wait()

    worker = stage.hire(Scripted(durable=durable, deadly=deadly))
    await worker.own("scripted", [0])
    finished = asyncio.create_task(stage.passed("scripted", worker))
    death = asyncio.create_task(dying.wait())
    await asyncio.wait([finished, death], return_when=asyncio.FIRST_COMPLETED)
    finished.cancel()
    death.cancel()
    await asyncio.gather(finished, death, return_exceptions=True)
    if dying.is_set():
        if loud:
            await asyncio.wait([lane.task for lane in worker.runners["scripted"].lanes.values() if lane.task])
        await worker.die()
        return worker
    await worker.leave()
    return None


async def test_an_operator_who_kills_workers_kills_no_record(stage: Ground) -> None:
    """Deaths at one position, of workers that were doing nothing wrong: one record at a time from then on, and every record is done."""
    write(stage, *(f"fine {number}" for number in range(5)))
    for _ in range(8):
        worker = stage.hire(Scripted(), most=5)
        await worker.own("scripted", [0])
        await worker.die()
    last = stage.hire(Scripted())
    await play(stage, last)
    assert len(await done(stage)) == 5
    assert not stage.letters


async def test_after_deaths_not_the_whole_backlog_goes_one_by_one(stage: Ground) -> None:
    """One record at a time is slow: where kills were nobody's fault, everybody would wait for minutes."""
    write(stage, *(f"fine {number}" for number in range(1000)))
    for _ in range(4):
        worker = stage.hire(Scripted())
        await worker.own("scripted", [0])
        await worker.die()
    last = Scripted()
    await play(stage, stage.hire(last))
    alone = next(number for number, batch in enumerate(last.batches) if len(batch) > 1)
    assert 0 < alone <= ALONE
    assert len(await done(stage)) == 1000


async def test_partitions_that_change_hands_are_not_deaths(stage: Ground) -> None:
    for _ in range(6):
        worker = stage.hire(Scripted())
        stage.memory.faults = 1.0
        write(stage, "fine")
        stage.memory.faults = 0.0
        await worker.own("scripted", [0])
        await worker.leave()
        ((deaths,),) = await stage.ask("SELECT deaths FROM streams.positions WHERE partition = 0")
        assert deaths == 0


async def test_a_topic_that_was_made_anew_halts_and_says_so(stage: Ground) -> None:
    write(stage, "fine 1")
    await play(stage, stage.hire(Scripted()))
    worker = stage.hire(Scripted(), topic_id="another")
    await worker.own("scripted", [0])
    await halts(stage, "Topic script was made anew (id another")
    assert not worker.failures
    await worker.leave()


async def test_a_log_that_is_shorter_than_the_database_halts_and_says_so(stage: Ground) -> None:
    write(stage, "fine 1", "fine 2")
    await play(stage, stage.hire(Scripted()))
    stage.memory.records("script", 0).pop()
    worker = stage.hire(Scripted())
    await worker.own("scripted", [0])
    await halts(stage, "log is shorter than the database. Restore the topic.")
    await worker.leave()


async def test_a_log_is_not_shorter_for_what_its_owner_read_while_it_was_taken_over(stage: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    write(stage, "fine 1", "fine 2", "fine 3")
    await play(stage, stage.hire(Scripted()))
    asked, ends = Consumer.end_offsets, [2]

    async def before_the_owner_read_on(consumer: Consumer, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, ends.pop()) if ends else await asked(consumer, partitions)

    monkeypatch.setattr(Consumer, "end_offsets", before_the_owner_read_on)
    write(stage, "fine 4")
    await play(stage, stage.hire(Scripted()))
    assert not ends
    assert await stage.ask("SELECT halted, shorter FROM streams.positions WHERE partition = 0") == [("", False)]
    assert len(await done(stage)) == 4


async def test_a_log_that_was_shorter_and_grew_by_other_records_still_halts_until_it_is_restored(stage: Ground) -> None:
    """Else what was accepted meanwhile, in the place of what is missing, would never be read."""
    write(stage, "fine 1", "fine 2", "fine 3")
    await play(stage, stage.hire(Scripted()))
    records = stage.memory.records("script", 0)
    before = list(records)
    del records[1:]
    worker = stage.hire(Scripted())
    await worker.own("scripted", [0])
    await halts(stage, "log is shorter than the database. Restore the topic.")
    await worker.leave()
    stage.memory.now += 2 * CLOCKS_APART_MS
    write(stage, "fine 4", "fine 5", "fine 6")
    worker = stage.hire(Scripted())
    await worker.own("scripted", [0])
    await halts(stage, "was shorter than the database and has grown since")
    await worker.leave()
    records[:] = before
    write(stage, "fine 7")
    await play(stage, stage.hire(Scripted()))
    assert await stage.ask("SELECT halted, shorter FROM streams.positions WHERE partition = 0") == [("", False)]
    assert len(await done(stage)) == 4


async def test_records_that_the_log_has_lost_halt_the_partition(stage: Ground) -> None:
    write(stage, "fine 1", "fine 2", "fine 3")
    del stage.memory.records("script", 0)[:1]
    worker = stage.hire(Scripted())
    await worker.own("scripted", [0])
    await halts(stage, "Offset 0 of script-0 is no longer in the log")
    await worker.leave()


async def test_a_partition_that_halted_is_tried_again_by_its_next_owner(stage: Ground) -> None:
    write(stage, "newer")
    worker = stage.hire(Scripted())
    await worker.own("scripted", [0])
    await until(lambda: stage.has("SELECT halted <> '' FROM streams.positions WHERE partition = 0"))
    await worker.leave()
    del stage.memory.records("script", 0)[:]
    write(stage, "fine")
    await play(stage, stage.hire(Scripted()))
    assert await stage.ask("SELECT halted FROM streams.positions WHERE partition = 0") == [("",)]
