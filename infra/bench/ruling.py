"""What rules cost: the folding hop over the same log with none, ten and a hundred of them in force. Reading order: rules, in_force.

The rules are of mixed forms. Each type that the workload has is named by five of the hundred, as are types that it does not have.
"""

from datetime import UTC, datetime

import msgspec

from infra import database
from infra.bench.ground import World

LIMITS = {10: 0.9, 100: 0.6}
"""By how many rules there are: the share of the throughput without any that is to be left."""

COUNTS = (0, *LIMITS)
TYPES = ("web.page_viewed", "call.ended", "sales.order_placed", "web.identified")
BEFORE = datetime(2024, 1, 1, tzinfo=UTC)
"""When they were published: before all events, so that each may give a signal."""

Rule = dict[str, object]


def rules(count: int) -> list[Rule]:
    """So many rules, one in three of which would approach somebody; what the workload has and what it does not take turns."""
    types = [*TYPES, *(f"bench.seldom_{number}" for number in range(36))]
    groups = [types[at : at + 4] for at in range(0, len(types) - 3, 4)]
    forms = [form for group in groups for form in _of(group)]
    real, other = forms[: 3 * len(TYPES)], forms[3 * len(TYPES) :]
    share = max(round(count * len(real) / 100), min(count, 4))
    chosen = [*real[:share], *other[: count - share]]
    return [rule | _does(number) | {"rule": f"rule-{number}"} for number, rule in enumerate(chosen)]


def _of(group: list[str]) -> list[Rule]:
    """Three rules a type, so that five name each: one by itself, two with its neighbour."""
    found: list[Rule] = []
    for number, type_ in enumerate(group):
        following = group[(number + 1) % len(group)]
        often: Rule = {"at_least": 8, "within": "1h"} if number % 2 else {"at_least": 30, "in": "jalali_month"}
        found += [
            {"when": {"count": type_, **often}, "cooldown": "7d"},
            {"when": {"after": type_, "absent": following, "for": "14d"}}
            if number % 2
            else {"when": {"sequence": [type_, following, type_, following], "within": "30m"}},
            {
                "when": {"count": type_, "at_least": 4, "within": "10m"},
                "wait": "15m",
                "unless": {"event": following, "since": "first_match"},
            },
        ]
    return found


def _does(number: int) -> Rule:
    if number % 3:
        return {"do": {"notify": "team:bench"}}
    return {"do": {"contact": f"campaign-{number}", "purpose": "marketing", "prefer": ["sms", "email"]}}


async def in_force(world: World, count: int) -> None:
    """Have so many rules in force in every partition of the world."""
    texts = [(str(rule["rule"]), msgspec.json.encode(rule).decode()) for rule in rules(count)]
    async with await database.connect(world.endpoints.dsn) as connection, connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO streams.in_force (partition, kind, name, version, number, state, text, zone, since)"
            " VALUES (%s, 'rule', %s, 1, 1, 'published', %s, 'Asia/Tehran', %s)",
            [(partition, name, text, BEFORE) for partition in range(world.partitions) for name, text in texts],
        )
        await connection.commit()
