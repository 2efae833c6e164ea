"""All that simulated channels tell of one customer: what each sees after each of his orders."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from infra.demo.simulated import calls, crm, resellers, web
from infra.demo.simulated.person import SEED, is_simulated, person
from infra.demo.simulated.telling import Aftermath, Told

CHANNELS = (crm, web, calls, resellers)


def told_of(number: str, ordered: Sequence[datetime], until: datetime, seed: str = SEED) -> Iterator[Told]:
    """What is told of a customer who ordered at these times, as far as it happened before `until`; nothing of most customers."""
    if not is_simulated(number, seed):
        return
    who = person(number, seed)
    for nth, at in enumerate(ordered):
        for channel in CHANNELS:
            yield from (told for told in channel.after(Aftermath.of(who, nth, at, f"{seed}/{channel.SOURCE}")) if told.at < until)
