"""What churn means takes over only when it has gone through the log of the past; what customers cost is a decision too."""

from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest

from aggregates.churn import Definition
from api.desk import besides
from api.desk.locale import Locale
from infra.master_key import master_key
from projections.alike import Alike
from projections.churn import models, reading, table
from projections.churn.kept import Kept, hear
from projections.value import table as values
from projections.value.spending import Spending
from projections.value.staying import Staying
from projections.value.worth import Models
from streams.learning import champion
from streams.learning.learner import fresh
from tests.api.conftest import Api
from tests.churn.told import fact

pytestmark = pytest.mark.engines


async def test_a_version_is_adopted_when_it_has_gone_through_the_past(api: Api) -> None:
    admin = await api.token()
    made = await api.client.post("/v1/models/churn/definitions", json={"horizon": 31}, auth=(admin, ""))
    assert "hints" not in made.json()
    adopt = f"/v1/models/churn/definitions/{made.json()['version']}/adopt"
    early = await api.client.post(adopt, auth=(admin, ""))
    assert (early.status_code, early.json()["type"]) == (409, "/problems/not_possible")
    status = {one["version"]: one["status"] for one in (await api.client.get("/v1/models/churn", auth=(admin, ""))).json()["models"]}
    assert status[made.json()["version"]] == "past"
    async with api.made.pool.connection() as connection:
        await connection.execute("UPDATE churn.definitions SET past = false")  # as the learner does when all partitions have told theirs
    assert (await api.client.post(adopt, auth=(admin, ""))).json()["stands"] == "in_force"


async def test_a_purchase_that_is_nearly_a_type_with_a_contract_is_published_with_a_hint(api: Api) -> None:
    purchases = ["sales.order_placed", "sales.order_placd", "casino.chips_bought"]
    only = {"category": ["phones"]}
    wanted = {"purchases": purchases, "only": only}
    made = await api.client.post("/v1/models/hinted/definitions", json=wanted, auth=(await api.token(), ""))
    assert made.json()["definition"]["only"] == only
    wrong = await api.client.post("/v1/models/hinted/definitions", json={"only": {"category": []}}, auth=(await api.token(), ""))
    assert wrong.status_code == 422
    assert (made.status_code, made.json()["definition"]["purchases"]) == (201, purchases)
    assert [(one["pointer"], one["code"], one["suggestion"]) for one in made.json()["hints"]] == [
        ("/purchases/1", "unusual_word", "sales.order_placed")
    ]


async def test_a_snapshot_that_was_changed_tells_nobody_a_score(api: Api) -> None:
    admin, customer, learner = await api.token(), uuid4(), fresh(90)
    learners, sums, checksum = champion.seal(learner, learner, master_key(api.world.settings).signing)
    bought = hear(Definition(), champion.ignorant(90), Kept(), [fact(0.0, total="5")]).kept

    async def status() -> tuple[str | None, str | None, str | None]:
        (shown, *_) = (await api.client.get("/v1/models/churn", auth=(admin, ""))).json()["models"]
        async with api.made.pool.connection() as connection, connection.transaction():
            told = await reading.told(connection, customer, api.made.clock(), api.made.unsound)
        return shown["status"], shown["refused"], told and told.status

    async with api.made.pool.connection() as connection, connection.transaction():
        (one, *_) = await table.in_force(connection)
        await table.save(connection, 0, {(str(customer), one.id): msgspec.structs.replace(bought, replayed=False)})
        cursor = await connection.execute(
            "INSERT INTO churn.snapshots (definition, learnt, checksum, made_with, learners, sums, race)"
            " VALUES (%s, 60, %s, %s, %s, %s, '{}') RETURNING number",
            (one.id, checksum, champion.made_with(), learners, sums),
        )
        (number,) = await cursor.fetchone() or (None,)
        await connection.execute(
            "UPDATE churn.definitions SET champion = %s, learnt = 60, stands = 'in_force', past = false WHERE id = %s", (number, one.id)
        )
        await connection.execute("UPDATE churn.states SET score = 0.5")
        learning = (await table.in_force(connection))[0]
        assert await models.population(connection, learning._replace(learnt=0)) == [0] * 10
        assert await models.population(connection, learning) == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert await status() == ("scored", None, "scored")
    for change, why in (
        ("made_with = 'numpy 0.1'", "It was made with numpy 0.1; here is"),
        ("sums = sums || '\\x00'", "It was changed or cut"),
    ):
        async with api.made.pool.connection() as connection, connection.transaction():
            await connection.execute(f"UPDATE churn.snapshots SET {change} WHERE number = %s", (number,))
        shown, refused, told = await status()
        assert (shown, told) == ("refused", "refused")
        assert refused is not None
        assert refused.startswith(why)


async def test_whom_the_model_called_churn_does_not_score_the_desk_shows_as_another_one_does(api: Api) -> None:
    admin, customer, learner = await api.token(), uuid4(), fresh(90)
    learners, sums, checksum = champion.seal(learner, learner, master_key(api.world.settings).signing)
    made = await api.client.post("/v1/models/fibre/definitions", json={"kind": "contractual"}, auth=(admin, ""))
    assert made.status_code == 201
    async with api.made.pool.connection() as connection, connection.transaction():
        known = {one.definition.name: one for one in await table.in_force(connection)}
        definition = known["fibre"].definition
        kept = hear(definition, champion.ignorant(90), Kept(), [fact(0.0, "subscription.started", subscription_id="s-1")]).kept
        await table.save(connection, 0, {(str(customer), one.id): kept for one in known.values()})
        cursor = await connection.execute(
            "INSERT INTO churn.snapshots (definition, learnt, checksum, made_with, learners, sums, race)"
            " VALUES (%s, 60, %s, %s, %s, %s, '{}') RETURNING number",
            (known["fibre"].id, checksum, champion.made_with(), learners, sums),
        )
        await connection.execute(
            "UPDATE churn.definitions SET champion = %s, learnt = 60, past = false WHERE id = %s",
            (*(await cursor.fetchone() or ()), known["fibre"].id),
        )
        await connection.execute("UPDATE churn.definitions SET stands = 'in_force' WHERE id = %s", (known["fibre"].id,))
        said = await reading.spoken(connection, customer, api.made.clock(), api.made.unsound)
        told = await reading.told(connection, customer, api.made.clock(), api.made.unsound)
        leaving = await besides._leaving(
            api.made, connection, customer, api.made.clock(), Locale("en", ZoneInfo("Asia/Tehran"), api.made.clock()), Alike()
        )
        assert await reading.spoken(connection, uuid4(), api.made.clock(), api.made.unsound) is None
    assert told is not None
    assert told.score is None
    assert said is not None
    assert (said.definition.name, said.status, leaving.status, leaving.model) == ("fibre", "scored", "scored", "fibre")


async def test_of_scores_that_were_given_at_one_time_those_of_the_last_champion_are_told(api: Api) -> None:
    at = api.made.clock()
    async with api.made.pool.connection() as connection, connection.transaction():
        (one, *_) = await table.in_force(connection)
        for snapshot, weight in ((1, 0.25), (2, 0.5)):
            parts = msgspec.msgpack.encode({"prior": weight})
            await table.save(connection, 0, {}, [table.Given(uuid4(), one.id, at, 0.5, snapshot, False, parts) for _ in range(9)])
        assert await models.given_reasons(connection, one, most=9) == {"prior": 0.5}


async def test_costs_have_versions(api: Api) -> None:
    admin = await api.token()
    first = (await api.client.put("/v1/models/value/costs", json={"margin": 0.4}, auth=(admin, ""))).json()
    second = (await api.client.put("/v1/models/value/costs", json={"margin": 0.5}, auth=(admin, ""))).json()
    assert second["version"] == first["version"] + 1
    assert (await api.client.get("/v1/models/value", auth=(admin, ""))).json()["costs"] == second
    mistyped = await api.client.put("/v1/models/value/costs", json={"currency": "IRR", "servicing": {"call.endd": "5"}}, auth=(admin, ""))
    assert (mistyped.status_code, mistyped.json()["pointer"]) == (422, "/servicing/call.endd")
    assert "call.ended" in mistyped.json()["mend"]
    assert (await api.client.put("/v1/models/value/costs", json={"marginn": 0.4}, auth=(admin, ""))).status_code == 422


async def test_the_models_of_value_are_told_by_name(api: Api) -> None:
    found = Models(0, None, {"USD": Spending(6.25, 3.74, 15.44)}, 60, 7, {"": Staying(0.7, 400.0)}, 90)
    async with api.made.pool.connection() as connection, connection.transaction():
        await values.keep(connection, found, replayed=False, at=api.made.clock(), counted=1)
    told = (await api.client.get("/v1/models/value", auth=(await api.token(), ""))).json()
    assert told["wall"] == told["wall"] | {
        "buying": None,
        "spending": {"USD": {"p": 6.25, "q": 3.74, "v": 15.44}},
        "staying": {"": {"s": 0.7, "beta": 400.0}},
        "decided": 90,
    }
    assert told["event"] is None
