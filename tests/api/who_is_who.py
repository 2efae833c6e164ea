"""What must have happened before the examples of identity can be pasted: conflicts, possible duplicates, an account and a household."""

from typing import Any

from tests.api.conftest import Api, answered
from tests.api.events import event


async def happened(live: Api, key: str, agent: str) -> dict[str, str]:
    """The variables of the examples."""

    def said(id_: str, who: dict[str, Any], **traits: str) -> dict[str, Any]:
        return event(f"who-{id_}", type="profile.reported", data={"traits": traits, "who": who})

    events = [said("device", {"phone": "09121234567", "device": "pasted"}), said("other", {"email": "other@example.ir"})]
    for n in (1, 2):
        events += [
            said(f"c{n}1", {"customer_number": f"ex-{n}1", "email": f"ex{n}1@example.ir"}),
            said(f"c{n}2", {"customer_number": f"ex-{n}2", "email": f"ex{n}2@example.ir"}),
            said(f"d{n}1", {"email": f"ex{n}3@example.ir"}, name=f"سارا نمونه‌{'ای' * n}", birth_date="1990-05-01", city="یزد"),
            said(f"d{n}2", {"email": f"ex{n}4@example.ir"}, name=f"سارا نمونه‌{'ای' * n}", birth_date="1990-05-01", city="یزد"),
        ]
    await live.get(agent, "/v1/customers/by/email/other@example.ir", after=await live.send(key, *events))
    met = [event(f"who-m{n}", data={"url": "u", "who": {"email": [f"ex{n}1@example.ir", f"ex{n}2@example.ir"]}}) for n in (1, 2)]
    other = await live.get(agent, "/v1/customers/by/email/other@example.ir", after=await live.send(key, *met))
    conflicts = (await live.get(agent, "/v1/identity/conflicts"))["items"]
    compared = await answered(lambda: live.get(agent, "/v1/duplicates"), lambda listed: len(listed["items"]) >= 2)
    pairs = compared["items"]
    account = await live.client.post("/v1/accounts", json={"name": "Example Ltd."}, auth=(agent, ""))
    return {
        "ACCOUNT": account.json()["id"],
        "OTHER": other["customer_id"],
        "CONFLICT": conflicts[0]["id"],
        "CONFLICT_2": conflicts[1]["id"],
        "DUPLICATE": pairs[0]["id"],
        "DUPLICATE_2": pairs[1]["id"],
    }
