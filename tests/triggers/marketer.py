"""Somebody who writes rules and segments over HTTP, and waits for what they say."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.api.conftest import Api, answered

COUNT = "when: {count: custom.bought, where: {page: price}, at_least: 2, within: 30d}\ndo: {notify: team:x}\n"


def bought(person: str, at: datetime | None = None, type_: str = "custom.bought", **data: Any) -> dict[str, Any]:
    """An event of the shop."""
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/shop",
        "type": type_,
        "time": (at or datetime.now(UTC)).isoformat(),
        "data": {"who": {"customer_number": person}, "page": "price", **data},
    }


class Marketer:
    """Somebody with a token, in one world."""

    def __init__(self, api: Api, token: str, key: str) -> None:
        self.api, self.token, self.key = api, token, key

    @classmethod
    async def of(cls, live: Api) -> "Marketer":
        """One of this world, once its worker is there."""
        made = cls(live, await live.token("marketer"), await live.write_key("shop"))
        await live.get(made.token, "/v1/signals", after=await live.send(made.key, bought("nobody", type_="first.seen")))
        return made

    async def post(self, path: str, text: str = "", status: int = 200, **headers: str) -> Any:
        answer = await self.api.client.post(path, content=text, auth=(self.token, ""), headers=headers, timeout=60)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def publish(self, kind: str, name: str, text: str) -> None:
        await self.post(f"/v1/{kind}", f"{'rule' if kind == 'triggers' else 'segment'}: {name}\n{text}", 201)
        stands = await self.post(f"/v1/{kind}/{name}/publish")
        assert (stands["state"], stands["in_force"]) == ("published", True)

    async def signals(self, rule: str, **query: Any) -> list[dict[str, Any]]:
        answer = await self.api.get(self.token, "/v1/signals", rule=rule, limit="200", **query)
        return list(answer["items"])

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        await answered(condition)
