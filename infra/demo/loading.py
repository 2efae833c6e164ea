"""Sends the demo's events through the HTTP door, in their order, several batches at a time, and remembers how far it came.

A window of the feed is sent at once, split so that what concerns one customer is in one batch of its source; the next follows when all of
it is accepted. So no source overtakes itself, and all of them tell the same weeks. Reading order: load, posts, known.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import msgspec

from infra.demo.feed import Sent
from infra.demo.progress import Progress, write
from infra.errors import Refusal
from infra.posting import post

WINDOW = 3_000
BATCH = 400
KNOWN_WITHIN = 10.0
"""Seconds in which a door has heard of a new key."""

OnSent = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Post:
    """A batch of one source."""

    source: str
    events: int
    body: bytes


async def load(url: str, keys: Mapping[str, str], events: Sequence[Sent], file: Path, progress: Progress, on_sent: OnSent) -> Progress:
    """Send what was not sent before. Raises Refusal when the door takes no more, or refuses an event."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        for source in dict.fromkeys(one.source for one in events):
            await known(partial(client.post, "/v1/events", auth=(keys[source], ""), content=b"[]"))  # changes nothing
        on_sent(progress.sent)
        while progress.sent < len(events):
            window = events[progress.sent : progress.sent + WINDOW]
            await asyncio.gather(*(_post(client, keys[one.source], one) for one in posts(window)))
            progress = msgspec.structs.replace(progress, sent=progress.sent + len(window))
            write(file, progress)
            on_sent(progress.sent)
    return progress


def posts(window: Sequence[Sent]) -> Iterator[Post]:
    """The window as batches of about `BATCH` events; all of one customer and source are in the same, in their order."""
    by_source: dict[str, list[Sent]] = defaultdict(list)
    for one in window:
        by_source[one.source].append(one)
    for source, events in by_source.items():
        lanes = -(-len(events) // BATCH)
        batches: dict[int, list[bytes]] = defaultdict(list)
        for one in events:
            batches[int(one.customer) % lanes].append(one.body)
        for bodies in batches.values():
            yield Post(source, len(bodies), b"[" + b",".join(bodies) + b"]")


async def _post(client: httpx.AsyncClient, key: str, batch: Post) -> None:
    answer = await post(client, key, batch.body)
    if answer.status_code != 200:
        raise Refusal(f"The door refused a batch of {batch.source}: it answered {answer.status_code}.")
    refused = [item for item in answer.json()["items"] if item["status"] != "accepted"]
    if refused:
        raise Refusal(
            f"The door refused {len(refused)} of {batch.events} events of {batch.source}: {refused[0]['id']} {refused[0]['detail']}"
        )


async def known(ask: Callable[[], Awaitable[httpx.Response]]) -> None:
    """Ask until the API has heard of the key that is asked with. Raises Refusal when it does not."""
    try:
        async with asyncio.timeout(KNOWN_WITHIN):
            while (await ask()).status_code == 401:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise Refusal("The API does not learn of new keys.", "Is it on another database than this home's?") from None
