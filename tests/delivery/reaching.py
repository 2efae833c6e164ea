"""An installation whose gateways are here, and what a marketer and a customer do with it. Reading order: Ground, hears."""

from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from tests.api.conftest import Api, answered, until
from tests.delivery.mail import Mail
from tests.delivery.receiver import Receiver

Items = list[dict[str, Any]]

ONE_A_WEEK = "policy: contact\ncaps:\n  - {channels: all, max: 1, within: 7d}\n"
RULES = """
- rule: {name}
  when: {{count: {type}, at_least: 1, within: 1h}}
  do: {{contact: {contact}, purpose: marketing, prefer: [{channel}]}}
  cooldown: 1h
  holdout: {holdout}%
"""


class Ground:
    """An installation whose gateways are here."""

    def __init__(self, api: Api, token: str, key: str, gateway: Receiver, mail: Mail, hooks: Receiver) -> None:
        self.api, self.token, self.key, self.gateway, self.mail, self.hooks = api, token, key, gateway, mail, hooks

    async def rule(self, name: str, type_: str, channel: str, holdout: int = 0) -> None:
        text = RULES.format(name=name, type=type_, contact="spring", channel=channel, holdout=holdout)
        answer = await self.api.client.post("/v1/triggers", content=text, auth=(self.token, ""))
        assert answer.status_code in (200, 201), answer.text
        answer = await self.api.client.post(f"/v1/triggers/{name}/publish", auth=(self.token, ""), timeout=60)
        assert answer.status_code == 200, answer.text

    async def happens(self, type_: str, phone: str, **data: Any) -> str:
        """Something that he did; the position to wait for."""
        data = {"who": {"phone": phone, "email": f"{phone}@example.com"}} | data
        event = {"specversion": "1.0", "id": f"{type_}-{phone}", "source": "/tests", "type": type_, "data": data}
        return await self.api.send(self.key, event | {"time": datetime.now(UTC).isoformat()})

    async def decided(self, phone: str, rule: str, **expected: Any) -> dict[str, Any]:
        """The decision of a rule about him once it is as expected."""

        async def known() -> httpx.Response:
            return await self.api.client.get(f"/v1/customers/by/phone/{phone}", auth=(self.token, ""))

        async def decided() -> Items:
            listed = (await self.api.get(self.token, f"/v1/customers/{customer}/decisions", rule=rule))["items"]
            return [item for item in listed if expected.items() <= item.items()]

        customer = (await answered(known, lambda found: found.is_success)).json()["customer_id"]
        return (await answered(decided))[0]

    async def delivery(self, rule: str, lane: str, state: str, type_: str = "contact.sent") -> dict[str, Any]:
        """The delivery of a rule by a way once it stands so."""

        async def found() -> Items:
            listed = (await self.api.get(self.token, "/v1/deliveries", rule=rule, lane=lane, state=state))["items"]
            return [item for item in listed if item["type"] == type_]

        return (await answered(found))[0]

    async def agrees(self, phone: str, *channels: str) -> str:
        """He may be approached by these; the position to wait for."""
        return await self.happens("consent.given", phone, purpose="marketing", channels=list(channels))

    async def visible(self, position: str) -> None:
        """Wait until what was accepted is in the views."""
        await self.api.get(self.token, "/v1/customers", q="nobody", after=position)

    async def withdraws(self, phone: str, *channels: str) -> None:
        """He takes his consent back, and it is known."""
        some: dict[str, Any] = {"channels": list(channels)} if channels else {}
        await self.visible(await self.happens("consent.withdrawn", phone, purpose="marketing", **some))

    async def pause(self, scope: str) -> None:
        assert (await self.api.client.post("/v1/pauses", json={"scope": scope}, auth=(self.token, ""))).is_success

    async def resume(self, scope: str) -> None:
        assert (await self.api.client.delete("/v1/pauses", params={"scope": scope}, auth=(self.token, ""))).is_success

    async def listens(self, receiver: Receiver) -> str:
        """Somebody hears of contacts from now on; his lane."""
        registered = {"url": receiver.url, "types": ["contact.*"]}
        answer = await self.api.client.post("/v1/webhooks", json=registered, auth=(self.token, ""))
        return f"webhook:{answer.json()['id']}"

    async def leaves(self, lane: str) -> None:
        await self.api.client.delete(f"/v1/webhooks/{lane.partition(':')[2]}", auth=(self.token, ""))


def heard(receiver: Receiver, rule: str) -> list[tuple[str, str | None]]:
    """What somebody was told of the contacts of a rule."""
    told = [msgspec.json.decode(post.body) for post in receiver.posts]
    return [(one["type"], one["data"]["reason"]) for one in told if one["data"]["rule"] == rule]


async def hears(receiver: Receiver, rule: str, times: int) -> list[tuple[str, str | None]]:
    """What somebody was told of the contacts of a rule, once it is so much: he hears of other rules' contacts too."""
    await until(lambda: len(heard(receiver, rule)) >= times, 60)
    return heard(receiver, rule)
