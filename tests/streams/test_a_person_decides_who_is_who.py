"""Splits, merges and rules that people decide: they go through the log, bear any death, and leave all as if it had always been so."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

import pytest

from aggregates.identity import DEFAULT_RULES, Kind, Merge, Rules, Split, publishing
from aggregates.sealing import seal
from api import calls
from projections.identity import table as identity
from projections.view.state import encode
from projections.view.table import load
from streams.broadcasting import keys
from tests.streams.crew import Gate, until
from tests.streams.ground import Ground
from tests.streams.people import BEGINNING

pytestmark = pytest.mark.engines

POINTS = ("resolve.written", "resolve.committed", "customer.written", "customer.committed", "customer.chore_written", "customer.published")


def split(ground: Ground, id_: str, go: str, stay: str) -> UUID:
    """A person says that one e-mail address is another's than an account."""
    return ground.decide(id_, Split(by="tests", at=BEGINNING, go=(ground.token("email", go),), stay=(ground.token("account", stay),)))


async def views(ground: Ground, *events: UUID) -> Mapping[UUID, bytes]:
    """The views of whom these events belong to, by the event."""
    owners = {event: await ground.owner(event) for event in events}
    found = await load(ground.connection, "read_1", owners.values())
    return {event: encode(found[owner]) for event, owner in owners.items()}


async def two_people(ground: Ground) -> tuple[UUID, UUID]:
    """Ten events of each; what they are now in the views."""
    for number in range(9):
        ground.send(f"a{number}", "web.page_viewed", number, url="u", page=f"p{number}", who={"email": "a@x.ir"})
        ground.send(f"b{number}", "call.ended", number, call_id=f"c{number}", who={"account": "b"})
    one = ground.send("a", "profile.reported", 20, traits={"name": "سارا"}, who={"email": "a@x.ir", "device": "da"})
    other = ground.send("b", "profile.reported", 21, traits={"name": "علی"}, who={"account": "b", "device": "db"})
    await ground.work()
    return one, other


async def test_a_split_leaves_both_views_as_if_they_had_never_been_one(ground: Ground) -> None:
    one, other = await two_people(ground)
    before = await views(ground, one, other)
    ids = [await ground.owner(one), await ground.owner(other)]
    ground.decide("m", Merge(by="tests", at=BEGINNING, join=(ground.token("email", "a@x.ir"), ground.token("account", "b"))))
    await ground.work()
    assert await ground.owner(one) == await ground.owner(other)
    weak = (ground.token("device", "db"),)
    go = (ground.token("account", "b"), *weak)
    stay = (ground.token("email", "a@x.ir"), ground.token("device", "da"))
    ground.decide("s", Split(by="tests", at=BEGINNING, go=go, stay=stay))
    await ground.work()
    assert await views(ground, one, other) == before
    assert [await ground.owner(one), await ground.owner(other)] == ids
    await ground.check()


@pytest.mark.parametrize("piece", [3, 5000])
async def test_whoever_dies_during_a_split_all_comes_out_the_same(ground: Ground, piece: int) -> None:
    one, other = await two_people(ground)
    before = await views(ground, one, other)
    for number, point in enumerate(POINTS):
        join = (ground.token("email", "a@x.ir"), ground.token("account", "b"), *(ground.token("device", name) for name in ("da", "db")))
        ground.decide(f"m{number}", Merge(by="tests", at=BEGINNING, join=join))
        await ground.work(piece=piece)
        gate = Gate(point)
        doomed = ground.hire(piece=piece, at=gate)
        await doomed.own_all()
        go, stay = (join[1], join[3]), (join[0], join[2])
        ground.decide(f"s{number}", Split(by="tests", at=BEGINNING, go=go, stay=stay))
        if point != "customer.chore_written" or piece == 3:
            await gate.wait()
        await doomed.die()
        await ground.work(piece=piece)
        assert await views(ground, one, other) == before, point
    await ground.check()


async def test_the_word_of_a_person_met_again_changes_nothing(ground: Ground) -> None:
    one, other = await two_people(ground)
    decided = split(ground, "s", "a@x.ir", "b")
    await ground.work()  # another partition would not wait for it
    wrong = ground.send("w", who={"email": "a@x.ir", "account": "b"})
    await ground.work()
    assert await ground.owner(one) != await ground.owner(other)
    assert await ground.owner(wrong) == await ground.owner(other)
    for place in range(3):
        ground.again(decided, at=place)
    await ground.work()
    assert await ground.owner(one) != await ground.owner(other)
    assert await ground.ask("SELECT count(*) FROM identity.conflicts") == [(0,)]
    assert await ground.ask("SELECT sum(times)::int FROM identity.fired WHERE rule = 'kept_apart'") == [(1,)]
    await ground.check()


def publish(ground: Ground, rules: Rules) -> UUID:
    """A rule set reaches every partition."""
    told = publishing.touchpoint(rules, BEGINNING)
    ground.sent[told.event_id] = lambda _: seal(told, ground.keys)
    for key in keys(ground.memory.partitions):
        ground.memory.append("touchpoints", key.encode(), seal(told, ground.keys)[1])
    return told.event_id


async def test_rules_hold_from_their_place_in_the_log_and_not_before(ground: Ground) -> None:
    blocked = replace(DEFAULT_RULES, blocked=frozenset({ground.token("email", "shop@x.ir")}), version=2)
    before = ground.send("1", who={"email": "shop@x.ir", "account": "a"}, at=0)
    publish(ground, blocked)
    after = ground.send("2", who={"email": "shop@x.ir", "account": "b"}, at=0)
    alone = ground.send("3", who={"email": "shop@x.ir"}, at=0)
    publish(ground, replace(DEFAULT_RULES, version=1))
    late = ground.send("4", who={"email": "shop@x.ir", "account": "c"}, at=0)
    await ground.work()
    owners = [await ground.owner(event) for event in (before, after, alone, late)]
    assert len(set(owners)) == 4
    assert owners[2] == UUID(int=0)
    assert await ground.ask("SELECT DISTINCT version FROM identity.rules_in_force") == [(2,)]
    assert await ground.ask("SELECT sum(times)::int FROM identity.fired WHERE rule = 'blocked:email'") == [(3,)]
    await ground.check()


async def test_values_that_match_a_pattern_prove_nothing(ground: Ground) -> None:
    kinds = dict(DEFAULT_RULES.kinds) | {"email": Kind(4, 5, patterns=(r"info@.*",))}
    publish(ground, Rules(kinds, version=1))
    await ground.work()
    one = ground.send("1", who={"email": ["info@x.ir", "a@x.ir"], "account": "a"})
    other = ground.send("2", who={"email": "info@x.ir", "account": "b"})
    await ground.work()
    assert await ground.owner(one) != await ground.owner(other)
    await ground.check()


async def test_a_device_unseen_for_long_is_somebody_elses(ground: Ground) -> None:
    kinds = dict(DEFAULT_RULES.kinds) | {"device": Kind(11, 30, weak=True, days=2)}
    publish(ground, Rules(kinds, version=1))
    await ground.work()
    old = ground.send("1", minute=0, who={"device": "d", "account": "a"})
    again = ground.send("2", minute=60, who={"device": "d"})
    await ground.work()
    new = ground.send("3", minute=8 * 24 * 60, who={"device": "d"})
    await ground.work()
    first, then = await ground.owner(old), await ground.owner(new)
    assert await ground.owner(again) == first != then
    device, account = ground.token("device", "d"), ground.token("account", "a")
    assert await calls.customers_of(ground.connection, [device]) == [then]
    assert await identity.owners(ground.connection, [device, account]) == {device: then, account: first}
    await ground.check()


async def test_what_was_decided_counts_once_whoever_overtakes(ground: Ground) -> None:
    one, other = await two_people(ground)
    gate = Gate("resolve.committed")
    slow = ground.hire(at=gate)
    await slow.own_all()
    split(ground, "s", "a@x.ir", "b")
    await gate.wait()
    await ground.work()
    gate.opened.set()
    await until(lambda: ground.has("SELECT count(*) = 1 FROM identity.decisions"))
    await slow.die()
    assert await ground.owner(one) != await ground.owner(other)
    await ground.check()
