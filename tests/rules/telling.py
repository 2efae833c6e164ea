"""How tests of rules speak: an evaluation in memory, of rules and policies as plain values, and what it says."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from aggregates.contact_policy import reading as policies
from aggregates.contact_policy.policy import DEFAULT, Policy
from aggregates.rules import reading
from infra.evaluation.rules.events import Events
from infra.evaluation.rules.run import Evaluation
from infra.evaluation.rules.told import plain

DAY_ONE = datetime(2026, 3, 1, tzinfo=UTC)


def evaluation(rules: Any, events: Sequence[dict[str, Any]], policy: Any = None, salt: str = "") -> Evaluation:
    """Run rules over events in the order of arrival."""
    in_force: Policy = DEFAULT
    if policy is not None:
        read_policy = policies.read(policy if isinstance(policy, str) else json.dumps(policy))
        assert read_policy.policy, read_policy.problems
        in_force = read_policy.policy
    read = reading.read(rules if isinstance(rules, str) else json.dumps(rules), in_force.zone)
    assert not read.problems, [problem.text() for problem in read.problems]
    run = Evaluation(read.rules, in_force, salt)
    told = Events()
    for arrived in told.read([json.dumps(event).encode() for event in events]):
        run.take(arrived)
    assert not told.problems, told.problems
    run.finish()
    return run


def evaluated(rules: Any, events: Sequence[dict[str, Any]], policy: Any = None, salt: str = "") -> dict[str, Any]:
    """What `yekta evaluate rules --json` says."""
    answer: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(plain(evaluation(rules, events, policy, salt))))
    return answer


def at(days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
    """A moment of the test's month."""
    return DAY_ONE + timedelta(days=days, hours=hours, minutes=minutes)


_number = 0


def event(type_: str, when: datetime, id_: str = "", **data: Any) -> dict[str, Any]:
    """An event of the one customer of the test; ids grow with the order in which they are told."""
    global _number  # noqa: PLW0603 - a test only needs them to differ and to grow
    _number += 1
    attributes = {name: data.pop(name) for name in ("recorded", "backfill", "simulated", "who", "source") if name in data}
    told = {
        "specversion": "1.0",
        "id": id_ or f"e{_number:06}",
        "source": attributes.get("source", "/test"),
        "type": type_,
        "time": when.isoformat(),
        "data": {"who": attributes.get("who", {"customer_number": "c-1"}), **data},
    }
    if "recorded" in attributes:
        told["yektarecordedtime"] = attributes["recorded"].isoformat()
    if attributes.get("backfill"):
        told["yektabackfill"] = True
    if attributes.get("simulated"):
        told["yektasimulated"] = True
    return told


def moment(text: str) -> datetime:
    """A time of an answer."""
    return datetime.fromisoformat(text).astimezone(UTC)


def stand(answer: dict[str, Any]) -> list[tuple[str, datetime]]:
    """The signals that stand: cause and time, in order of time."""
    return sorted(
        ((signal["cause"]["id"], moment(signal["occurred_at"])) for signal in answer["signals"] if not signal["withdrawn"]),
        key=lambda each: (each[1], each[0]),
    )


def results(answer: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """The outcomes: rule, result, and the channel or the reason."""
    return [(one["rule"], one["outcome"], one["channel"] or one["reason"]) for one in answer["outcomes"]]
