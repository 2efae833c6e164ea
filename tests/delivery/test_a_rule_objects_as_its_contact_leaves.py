"""What a rule has against its own contact as it leaves, also of whoever it keeps nothing of: he became one with another after it."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from aggregates.contact_policy.candidate import Candidate
from infra import database
from projections.contacts.want import Want
from streams.objecting import objection_now
from tests.conftest import World

pytestmark = pytest.mark.engines

NOW = datetime(2026, 5, 2, 8, tzinfo=UTC)
TEXT = """
rule: {name}
when: {{count: shop.left, at_least: 1, within: 1h}}
do: {{contact: spring, purpose: marketing, prefer: [sms]}}
"""


@pytest.mark.parametrize(("state", "objection"), [("published", ""), ("paused", "paused"), ("retired", "retired"), ("", "")])
async def test_a_rule_that_is_over_objects_though_it_keeps_nothing_of_the_customer(shared_world: World, state: str, objection: str) -> None:
    customer, name = uuid4(), f"objects-{state or 'unknown'}"
    candidate = Candidate(uuid4(), name, 1, customer, "marketing", ("sms",), 0.0, NOW, NOW, 0)
    want = Want(candidate, "spring", {"source": "/tests", "id": "1"}, NOW, late=False, blob=b"")
    async with await database.connect(shared_world.dsn) as connection:
        if state:
            await connection.execute(
                "INSERT INTO streams.in_force (partition, kind, name, version, number, state, text, zone, since)"
                " VALUES (1, 'rule', %s, 1, 1, %s, %s, 'UTC', %s)",
                (name, state, TEXT.format(name=name), NOW),
            )
        assert await objection_now(connection, customer, want, NOW) == objection
        await connection.rollback()
