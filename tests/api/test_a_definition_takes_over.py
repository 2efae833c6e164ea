"""What churn means takes over only when it has gone through the log of the past; what customers cost is a decision too."""

import pytest

from tests.api.conftest import Api

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
    made = await api.client.post("/v1/models/hinted/definitions", json={"purchases": purchases}, auth=(await api.token(), ""))
    assert (made.status_code, made.json()["definition"]["purchases"]) == (201, purchases)
    assert [(one["pointer"], one["code"], one["suggestion"]) for one in made.json()["hints"]] == [
        ("/purchases/1", "unusual_word", "sales.order_placed")
    ]


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
