"""An installation whose gateways are here, and what a marketer and a customer do with it. Reading order: Ground, hears."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec

from tests.api.conftest import Api, breath
from tests.delivery.mail import Mail
from tests.delivery.receiver import Receiver

LONGEST = 60.0
"""Seconds after which what was waited for does not come."""

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

    async def happens(self, type_: str, phone: str, **data: Any) -> None:
        data = {"who": {"phone": phone, "email": f"{phone}@example.com"}} | data
        event = {"specversion": "1.0", "id": f"{type_}-{phone}", "source": "/tests", "type": type_, "data": data}
        await self.api.send(self.key, event | {"time": datetime.now(UTC).isoformat()})

    async def decided(self, phone: str, rule: str, **expected: Any) -> dict[str, Any]:
        """The decision of a rule about him once it is as expected."""
        async with asyncio.timeout(LONGEST):
            while True:
                found = await self.api.client.get(f"/v1/customers/by/phone/{phone}", auth=(self.token, ""))
                if found.status_code != 200:
                    await breath()
                    continue
                customer = found.json()["customer_id"]
                for item in (await self.api.get(self.token, f"/v1/customers/{customer}/decisions", rule=rule))["items"]:
                    if all(item[name] == value for name, value in expected.items()):
                        return dict(item)
                await breath()

    async def delivery(self, rule: str, lane: str, state: str, type_: str = "contact.sent") -> dict[str, Any]:
        """The delivery of a rule by a way once it stands so."""
        async with asyncio.timeout(LONGEST):
            while True:
                for item in (await self.api.get(self.token, "/v1/deliveries", rule=rule, lane=lane, state=state))["items"]:
                    if item["type"] == type_:
                        return dict(item)
                await breath()

    async def withdraws(self, phone: str, *channels: str) -> None:
        """He takes his consent back, and it is known."""
        await self.happens("consent.withdrawn", phone, purpose="marketing", **({"channels": list(channels)} if channels else {}))
        customer = (await self.api.get(self.token, f"/v1/customers/by/phone/{phone}"))["customer_id"]
        while "consent.withdrawn" not in str(await self.api.get(self.token, f"/v1/customers/{customer}/timeline")):
            await breath()

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
    async with asyncio.timeout(LONGEST):
        while len(heard(receiver, rule)) < times:
            await breath()
    return heard(receiver, rule)
