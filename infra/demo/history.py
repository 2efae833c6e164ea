"""Brings the demo's history into a home, once: gets it ready, sends it, waits until it is in the views, and counts it.

Reading order: bring, Brought.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from infra import waiting
from infra.demo import cdnow, fetching, progress, sources
from infra.demo.cdnow import Order, Totals
from infra.demo.feed import VERSION, Sent, feed
from infra.demo.simulated.person import CAST
from infra.endpoints import endpoints
from infra.errors import Refusal
from infra.home import Home
from infra.settings import Settings
from infra.topic_ids import topic_ids
from infra.topics import topic_names

OnStep = Callable[[str, int, int | None], None]
"""What is being done, how much of it is done, and of how much where that is known."""

Say = Callable[[str], None]
"""Hears why it takes so long, where nothing moves, workers die again and again or an engine is away."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What was sent, and found to be there."""

    real: Totals
    simulated: int  # events


async def bring(
    settings: Settings, url: str, keys: dict[str, str], customers: int, on_step: OnStep, say: Say = lambda _: None
) -> Brought | None:
    """Load the history of the first so many customers and of those of the story; None when this home has it already."""
    touchpoints = topic_names(settings.kafka.prefix).touchpoints
    ids = await topic_ids(endpoints(settings).kafka_client_kwargs, [touchpoints])
    wanted = progress.Progress(ids[touchpoints], customers, VERSION)
    file = Home(settings.home).folder / "demo.json"
    kept = progress.read(file)
    if kept is not None and kept.covers(wanted):
        return None
    from infra.demo import counts, loading, marketing

    on_step("Setting up what marketing wants", 0, None)
    await marketing.set_up(url, keys[sources.MARKETER_NAME])
    on_step("Preparing the data", 0, None)
    orders, events = await asyncio.to_thread(_prepared, _cache(settings), customers)
    begin = kept.goes_on(wanted) if kept is not None else wanted
    done = await loading.load(url, keys, events, file, begin, lambda sent: on_step("Sending through the door", sent, len(events)))
    await waiting.wait(settings, lambda at: on_step("Catching up", at.done, at.total), say=say)
    totals = cdnow.totals(orders)
    await counts.check(settings, totals)
    progress.write(file, progress.checked(done))
    return Brought(totals, sum(one.source != cdnow.SOURCE for one in events))


def _prepared(cache: Path, customers: int) -> tuple[list[Order], list[Sent]]:
    every = cdnow.read(fetching.cdnow(cache))
    if cdnow.totals(every) != cdnow.KNOWN:
        raise Refusal(f"The data is not CDNOW's: it has {cdnow.said(cdnow.totals(every))}.")
    orders = cdnow.of_some(every, customers, CAST)
    return orders, feed(orders)


def _cache(settings: Settings) -> Path:
    """One for all homes of a user."""
    return (settings.cache or platformdirs.user_cache_path("yekta")) / "demo"
