"""Whoever is told to stop ends, though the engines are gone and nobody is left to kill him: an orphan would wait for ever."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition

from tests.streams.ground import Ground

pytestmark = pytest.mark.engines


async def test_who_asks_a_broker_that_never_answers_is_called_away(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asyncio.Event()

    async def never(_: Sequence[TopicPartition]) -> Any:
        asked.set()
        await asyncio.Event().wait()

    worker = ground.hire()
    for runner in worker.runners.values():
        monkeypatch.setattr(runner.consumer, "end_offsets", never)
    owning = asyncio.create_task(worker.own("resolve", ground.memory.numbers))
    async with asyncio.timeout(30):
        await asked.wait()
        await worker.let_go("resolve")
        await owning
    assert not worker.failures


ENDLESS = """
import asyncio
from pathlib import Path
from infra import working
from streams.app import build

async def endless():
    print("stops", flush=True)
    await asyncio.Event().wait()

async def main():
    loop = asyncio.get_running_loop()
    app = build("localhost:1", [], print, folder=Path())
    host = working.Host(app, override_logging=False, quiet=True, loop=loop, redirect_stdouts=False)
    host.on_stop = endless
    await host.stop()

working.LONGEST = 0.2
asyncio.run(main())
"""


def test_a_worker_whose_parts_do_not_end_ends_without_them() -> None:
    done = subprocess.run((sys.executable, "-c", ENDLESS), capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (70, "stops\n"), done.stderr
