"""What a marketer does in a running installation before it is measured: publishes a rule, registers a webhook.

Reading order: publish, ask, delete.
"""

from typing import Any

import msgspec

from infra.bench.client import Connection, post, request
from infra.bench.serving import Api
from infra.errors import Refusal

JSON = "application/json"


async def publish(api: Api, rule: dict[str, Any]) -> None:
    """Have the rule in force in every partition."""
    await ask(api, "/v1/triggers", rule)
    answer = await ask(api, f"/v1/triggers/{rule['rule']}/publish")
    if not answer.get("in_force"):
        raise Refusal(f"A rule was published and is not in force: {answer}.")


async def ask(api: Api, path: str, body: object = None) -> dict[str, Any]:
    """What the API answers to this POST."""
    found: dict[str, Any] = msgspec.json.decode(
        await _asked(api, path, post(path, b"" if body is None else msgspec.json.encode(body), JSON, api.staff_token))
    )
    return found


async def delete(api: Api, path: str) -> None:
    """Have it gone."""
    await _asked(api, path, request("DELETE", path, key=api.staff_token))


async def _asked(api: Api, path: str, asked: bytes) -> bytes:
    line = await Connection.open(api.port)
    answer = await line.ask(asked)
    line.close()
    if not 200 <= answer.status < 300:
        raise Refusal(f"{path} answered {answer.status}: {answer.body[:300].decode(errors='replace')}")
    return answer.body
