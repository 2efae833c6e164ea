"""One processor in a process of its own, set up as a worker sets it up: `python -m infra.bench.hop resolve`.

`customer-without-churn` is `customer` without the part of that name.
"""

import asyncio
import sys

import uvloop

from infra.collector import spare_the_collector
from infra.endpoints import endpoints
from infra.parts import Parts
from infra.settings import Settings, load
from streams.customer import Customer


async def run(settings: Settings, name: str) -> None:
    """Run until killed. An error ends the process: what it was to show would be wrong."""
    parts = Parts(settings, endpoints(settings), "bench")
    await parts.open()
    name, _, without = name.partition("-without-")
    processor = next(made for made in (make() for make in parts.processors()) if made.name == name)
    if without:
        processor = Customer(parts.keys, parts=[part for part in parts.parts() if part.name != without])
    async with asyncio.TaskGroup() as together:
        together.create_task(parts.runner(processor).run())
        if processor.name == "customer":  # a worker that folds also asks whether timers are due
            together.create_task((await parts.releasing()).run())


if __name__ == "__main__":
    spare_the_collector()
    uvloop.run(run(load(), sys.argv[1]))
