"""A lane remembers so many customers and no more: whoever was not met for longest is read anew, and nobody else."""

from uuid import UUID

from streams.caching import remember
from streams.in_force import InForce
from streams.turn import Held


def test_of_more_than_there_is_room_for_those_go_who_were_not_met_for_longest() -> None:
    kept = {"a": 1, "b": 2, "c": 3}
    assert remember(kept, {"a": 4}, 3) == []
    assert remember(kept, {"d": 5, "c": 6}, 3) == ["b"]
    assert kept == {"a": 4, "d": 5, "c": 6}
    assert remember(kept, dict.fromkeys("efgh", 0), 3) == ["a", "d", "c", "e"]
    assert remember(kept, {}, 3) == []


def test_whoever_is_not_remembered_is_not_taken_for_one_of_whom_rules_heard_all() -> None:
    sara, reza, mina, nobody = (UUID(int=number) for number in range(4))
    held = Held(InForce())
    held.heard |= dict.fromkeys((sara, reza, nobody))
    held.learned = {sara: {}, reza: {}}
    held.believe(2)
    held.learned = {sara: {}, mina: {}}
    held.believe(2)
    assert held.runs.keys() == {sara, mina}
    assert held.heard.keys() == {sara}
