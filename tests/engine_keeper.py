"""Holds one embedded Kafka and one PostgreSQL for a whole test session, however many pytest workers it has.

Every worker keeps a connection to the keeper open. When the last one is gone, killed ones included, the engines stop.
Reading order: visiting (a worker's side), keep (the process `python -m tests.engine_keeper HOME`).
"""

import asyncio
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import uvloop

from infra import run_state
from infra.database import connect
from infra.engines.ports import LOOPBACK
from infra.errors import Refusal
from infra.home import Home, write_private
from infra.running import running
from infra.settings import load

KEPT = "YEKTA_TEST_ENGINES"  # names a home to use instead of a throw-away one, with its data and its `yekta up` if that runs

_START_WITHIN = 120.0
_FIRST_VISITOR_WITHIN = 60.0
_STOP_WITHIN = 60.0


@contextmanager
def visiting(home: Path) -> Iterator[None]:
    """Start the keeper of a session's engines, or find it, and stay connected until the end."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "visitors.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        visit = _knock(home)
        if visit is None and run_state.read(Home(home).run_state).runs():
            yield  # somebody's `yekta up`, which is not ours to stop
            return
        visit = visit or _start(home)
    with visit:
        yield
        visit.shutdown(socket.SHUT_WR)
        visit.settimeout(_STOP_WITHIN)
        visit.recv(1)  # the last visitor is let go when the engines are down


def _knock(home: Path) -> socket.socket | None:
    try:
        return socket.create_connection((LOOPBACK, int((home / "keeper").read_text())))
    except OSError:
        return None


def _start(home: Path) -> socket.socket:
    (home / "keeper").unlink(missing_ok=True)
    with (home / "keeper.log").open("ab") as log:
        keeper = subprocess.Popen([sys.executable, "-m", "tests.engine_keeper", home], stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + _START_WITHIN
    while keeper.poll() is None and time.monotonic() < deadline:
        if (visit := _knock(home)) is not None:
            keeper.returncode = 0  # it ends by itself after its last visitor: nobody waits for it as a child
            return visit
        time.sleep(0.05)
    raise RuntimeError("the engines did not start: " + (home / "keeper.log").read_text()[-2000:])


async def keep(home: Path) -> None:
    """Run the engines from the first visitor to the last."""
    visitors = 0
    came, left = asyncio.Event(), asyncio.Event()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visitors
        visitors += 1
        came.set()
        await reader.read()  # until the visitor's end closes
        visitors -= 1
        if visitors > 0:
            writer.close()
        else:
            left.set()

    async with running(load(home=home), notice=lambda name, what: print(name, what, flush=True)) as here:
        await _hurry(here.endpoints.dsn)
        server = await asyncio.start_server(visit, LOOPBACK, 0)
        write_private(home / "keeper", str(server.sockets[0].getsockname()[1]))
        await asyncio.wait_for(came.wait(), _FIRST_VISITOR_WITHIN)
        await left.wait()
        if KEPT not in os.environ:
            # They would write down, for a minute, where each of a session's topics and tables ends; nobody will read that.
            for name, at_once in (("kafka", signal.SIGKILL), ("postgres", signal.SIGQUIT)):
                child = here.supervisor.children[name]
                child.program = replace(child.program, stop_signal=at_once)
    if KEPT not in os.environ:
        for data in ("kafka", "postgres"):
            shutil.rmtree(home / data)


async def _hurry(dsn: str) -> None:
    """These engines are never killed, and nobody needs their data afterwards: PostgreSQL need not wait for the disk.

    Databases are copied in the kernel, where the file system can do that.
    """
    async with await connect(dsn, autocommit=True) as connection:
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "file_copy_method = clone"):
            await connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        await connection.execute("SELECT pg_reload_conf()")
    async with await connect(dsn, autocommit=True) as connection:
        try:
            await connection.execute("CREATE DATABASE trial TEMPLATE template1 STRATEGY FILE_COPY")
        except psycopg.Error:
            await connection.execute("ALTER SYSTEM RESET file_copy_method")
            await connection.execute("SELECT pg_reload_conf()")


if __name__ == "__main__":
    try:
        uvloop.run(keep(Path(sys.argv[1])))
    except Refusal as refusal:
        sys.exit(str(refusal))
