"""Posts events to the HTTP door until it can say something: for the commands that send.

What is sent again has the same ids, so nothing is there twice.
"""

import asyncio

import httpx

from infra.errors import Refusal

TRIES = 12


async def post(client: httpx.AsyncClient, key: str, content: bytes, path: str = "/v1/events") -> httpx.Response:
    """The door's answer, once it has one. Raises Refusal for a key that opens nothing, and when the door stays away."""
    wait = 0.25
    for _ in range(TRIES):
        try:
            answer = await client.post(path, auth=(key, ""), content=content)
        except httpx.TransportError as error:
            reason, pause = type(error).__name__, wait
        else:
            if answer.status_code < 500 and answer.status_code != 429:
                if answer.status_code in {401, 403}:
                    raise Refusal(f"The key does not open the door: {detail(answer)}")
                return answer
            reason, pause = f"it answers {answer.status_code}", float(answer.headers.get("retry-after", wait))
        await asyncio.sleep(pause)
        wait = min(wait * 2, 8)
    raise Refusal(f"The API at {client.base_url} takes nothing: {reason}.", "What was sent before is safe; send again when it is back.")


def detail(answer: httpx.Response) -> str:
    """What a problem says of itself."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"
