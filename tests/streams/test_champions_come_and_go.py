"""Champions come and go: what another one says is told, of everybody, and is true where all that was sent is in the views."""

from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.json import decode

from infra import judging
from infra.errors import Refusal
from infra.settings import Settings, load
from tests.streams.people import BEGINNING
from tests.streams.scored import HORIZON, REPLAY, Play, day_of, story

pytestmark = pytest.mark.engines


@pytest.fixture
def settings(dsn: str) -> Settings:
    """By which an operator finds what is learnt here."""
    return load(kafka={"bootstrap_servers": "127.0.0.1:9"}, postgres={"dsn": dsn}, master_key=urlsafe_b64encode(bytes(range(32))).decode())


async def test_a_rollback_stands_until_another_is_better(play: Play, settings: Settings) -> None:
    events = story(5)
    half = len(events) // 2
    play.send(events[:half])
    worker = play.hire(most=50)
    await play.own(worker)
    await play.learnt(worker, day_of(events[half - 1][2]))
    ((oldest,),) = await play.ground.ask("SELECT min(number) FROM churn.snapshots")
    await judging.roll_back(settings, "churn", oldest)
    assert await play.ground.ask("SELECT champion, won FROM churn.definitions JOIN churn.snapshots ON number = champion") == [
        (oldest, None)
    ]
    with pytest.raises(Refusal, match="Snapshot 999 is not loaded"):
        await judging.roll_back(settings, "churn", 999)
    play.send(events[half:], half)
    await play.learnt(worker, day_of(events[-1][2]))
    await worker.die()
    rows = await play.ground.ask("SELECT number, won FROM churn.snapshots WHERE since IS NOT NULL AND number > %s", oldest)
    assert all(won["loss"] < won["loss_before"] for _, won in rows)
    ((champion,),) = await play.ground.ask("SELECT champion FROM churn.definitions")
    assert champion == oldest or champion in {number for number, _ in rows}


async def test_what_another_snapshot_would_have_said_is_told_of_all_that_is_remembered(play: Play, settings: Settings) -> None:
    events = story(5)
    worker = play.hire(most=50)
    await play.own(worker)
    play.send(events)
    await play.learnt(worker, day_of(events[-1][2]))
    await worker.die()
    ((first, last),) = await play.ground.ask("SELECT min(number), max(number) FROM churn.snapshots")
    one, other = [await judging.replay(settings, "churn", number, None) for number in (first, last)]
    ((count, labelled),) = await play.ground.ask("SELECT count(*), count(lost) FROM churn.examples WHERE logit IS NOT NULL")
    assert (one.examples, one.labelled) == (other.examples, other.labelled) == (count, labelled)
    assert one.by["as given"] == other.by["as given"]
    assert one.by[f"snapshot {first}"] != other.by[f"snapshot {last}"]


async def test_what_another_champion_says_at_the_same_moment_is_given_too(play: Play) -> None:
    """A source's own time stands still while its log rests; champions come and go all the same."""
    body = msgspec.json.encode({"horizon": HORIZON, "step": 0.02}).decode()
    await play.ground.ask("UPDATE churn.definitions SET body = %s RETURNING 1", body)
    events = story(4)
    half = len(events) // 2
    worker = play.hire(most=50)
    await play.own(worker)
    for first, part in ((0, events[:half]), (half, events[half:])):
        play.send(part, first)
        await play.learnt(worker, day_of(part[-1][2]))
    numbers = [number for (number,) in await play.ground.ask("SELECT number FROM churn.snapshots ORDER BY number")]
    for champion in (numbers[-1], numbers[0], numbers[-1], numbers[0]):
        play.now += timedelta(minutes=1)
        await play.ground.ask("UPDATE churn.definitions SET champion = %s RETURNING 1", champion)
        await play.given(worker)
    await worker.die()
    last = "SELECT DISTINCT ON (customer_id) customer_id, score, snapshot FROM churn.given ORDER BY customer_id, at DESC, number DESC"
    rows = await play.ground.ask(f"SELECT s.given, g.score, g.snapshot FROM churn.states s JOIN ({last}) g USING (customer_id)")
    assert all(kept == pytest.approx(written, abs=1e-6) for kept, written, _ in rows)
    assert numbers[0] in {snapshot for _, _, snapshot in rows}
    published = [decode(record.value or b"") for record in play.ground.memory.all("scores")]
    assert len(published) == len({event["id"] for event in published})
    assert {numbers[0], numbers[-1]} <= {event["data"]["model"] for event in published}


async def test_nobody_is_taken_for_silent_whose_facts_wait_where_a_worker_died(play: Play) -> None:
    """Another champion scores everybody anew while one partition of the log is months of replayed time ahead."""
    events = [(who, type_, minute - 100 * 1440.0, data) for who, type_, minute, data in story(4)]
    last = events[-1][2]
    play.send(events)
    worker = play.hire(most=50)
    await play.own(worker)
    await play.learnt(worker, day_of(last))
    await play.given(worker)
    await worker.die()
    order: dict[str, Any] = {"lines": [], "total": "5.00", "currency": "USD"}
    for number, who in enumerate(["c0", *dict.fromkeys(event[0] for event in events)]):
        at, minute = (0, 0.0) if number == 0 else (1, last + 1440.0)
        play.ground.send(
            f"later {number}",
            "sales.order_placed",
            minute,
            at=at,
            source=REPLAY,
            who={"customer_number": who},
            order_id=f"l{number}",
            **order,
        )
    worker = play.hire(most=50)
    await worker.own("resolve", [play.ground.memory.base])
    await worker.own("customer", play.ground.memory.numbers)
    await worker.own("learn", [play.ground.memory.base])
    await play.ground.passed("customer", worker)
    ((champion, newest),) = await play.ground.ask("SELECT champion, (SELECT max(number) FROM churn.snapshots) FROM churn.definitions")
    assert champion != newest
    await play.ground.ask("UPDATE churn.definitions SET champion = %s RETURNING 1", newest)
    await play.given(worker)
    await worker.die()
    ((ahead,),) = await play.ground.ask(
        "SELECT count(DISTINCT customer_id) FROM churn.given WHERE at > %s", BEGINNING + timedelta(minutes=last + 1440)
    )
    assert ahead == 1
