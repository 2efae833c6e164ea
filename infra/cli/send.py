"""`yekta send`: events from a file or a pipe, one JSON object a line or one array, through the HTTP door like everybody's.

$ yekta send events.jsonl --key "$KEY"
$ tail -f events.jsonl | yekta send - --key "$KEY"
"""

import asyncio
import gzip
import json as json_
import sys
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, Annotated, Any, cast

import httpx
import msgspec
from cyclopts import Parameter, validators

from aggregates import cloudevents
from aggregates.refusal import Refusal as Refused
from api import position
from api.body import GZIP
from infra import json_array
from infra.cli import INTERRUPTED, ending
from infra.errors import Refusal, say
from infra.posting import detail, post

BATCH = 100
BATCH_BYTES = 8 << 20
GATHER = 0.2  # seconds that a batch waits for another line
SHOWN = 50
NOT_ALL = 1
"""Exit code when the door refused at least one event."""

LONGEST = (10 << 20) - 2
"""With brackets around it a longer line is more than the door reads of a request: it is not sent."""

OF_WHAT_WAS_SENT = frozenset({400, 413, 415, 422})
"""Answers that may be due to one line among many. Others hold for whatever is sent."""

SAFE = "What was sent before is safe; send the whole again."

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Line:
    """An event and where it stood."""

    number: int
    text: bytes
    size: int


@dataclass(slots=True)
class Tally:
    """What became of the events so far."""

    accepted: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    position: dict[int, int] = field(default_factory=dict)
    read: int = 0  # lines that were on their way at least
    waiting: set[int] = field(default_factory=set)  # the first lines of batches that are

    @property
    def answered(self) -> int:
        """So many lines from the first on are answered."""
        return min(self.waiting, default=self.read + 1) - 1


def send(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    key: Annotated[str, Parameter(env_var="YEKTA_KEY")],
    url: str | None = None,
    in_flight: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 4,
    json: bool = False,
) -> None:
    """Send events, one CloudEvent as JSON a line or one array, in batches of 100 through the HTTP door; say which were refused and why.

    Parameters
    ----------
    file
        A file of JSON lines or of one JSON array, plain or gzip; - reads the lines that are piped in.
    key
        The write key of the source (`yekta keys create --source NAME`), or YEKTA_KEY.
    url
        Where the API is, instead of the one that runs in this home.
    in_flight
        How many batches are on their way at a time; 1 keeps the order of the file.
    json
        One JSON object at the end, for programs.
    """
    began = time.monotonic()
    where = url or running_api()
    tally = Tally()
    try:
        with _opened(file) as (stream, size), _progress(size, shown=not json) as advance:
            ending.run(_send(stream, where, key, in_flight, advance, tally))
    except KeyboardInterrupt:
        _report(tally, time.monotonic() - began, as_json=json)
        further = f"from line {tally.answered + 1:,} on: what was taken already counts once."
        say(f"Stopped when {tally.answered:,} lines were answered. Send the whole again, or {further}")
        sys.exit(INTERRUPTED)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        _report(tally, time.monotonic() - began, as_json=json)
        raise Refusal(f"{file} cannot be read to its end: its gzip is cut off or broken.", SAFE) from error
    except Refusal:
        if tally.answered:
            _report(tally, time.monotonic() - began, as_json=json)
        raise
    _report(tally, time.monotonic() - began, as_json=json)
    if tally.rejected:
        sys.exit(NOT_ALL)


async def _send(stream: IO[bytes], url: str, key: str, in_flight: int, advance: Advance, tally: Tally) -> None:
    room = asyncio.Semaphore(in_flight)

    async def one(client: httpx.AsyncClient, lines: list[Line]) -> None:
        try:
            await _batch(client, key, lines, tally)
            tally.waiting.remove(lines[0].number)
            advance(sum(line.size for line in lines))
        finally:
            room.release()

    try:
        async with httpx.AsyncClient(base_url=url, timeout=30) as client, asyncio.TaskGroup() as group:
            async for lines in _batches(stream):
                await room.acquire()
                tally.read = lines[-1].number
                tally.waiting.add(lines[0].number)
                group.create_task(one(client, lines))
    except ExceptionGroup as failed:  # of batches that failed alike one is told
        raise failed.exceptions[0] from None


async def _batches(stream: IO[bytes]) -> AsyncIterator[list[Line]]:
    """Lines in batches, as many as come without a pause. One that is not JSON goes alone, so that it costs its neighbours nothing and is
    kept as a dead letter."""
    gathered: list[Line] = []
    size = 0
    number = 1
    lines = _Lines(stream)
    coming = lines.next(number)
    while True:
        if gathered:
            await asyncio.wait([coming], timeout=GATHER)
            if not coming.done():
                yield gathered
                gathered, size = [], 0
        if not (line := await coming).size:
            break
        coming = lines.next(number := number + 1)
        long = line.size > LONGEST
        if not long and not line.text.strip():
            continue
        alone = long or not _is_json(line.text)
        if gathered and (alone or size + line.size > BATCH_BYTES):
            yield gathered
            gathered, size = [], 0
        if alone:
            yield [line]
            continue
        gathered.append(line)
        size += line.size
        if len(gathered) == BATCH:
            yield gathered
            gathered, size = [], 0
    if gathered:
        yield gathered


class _Lines:
    """Reads in a thread that ends with the process: who waits for a pipe cannot be called away, and Ctrl-C would wait for him."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._loop = stream, asyncio.get_running_loop()
        self._wanted: SimpleQueue[tuple[int, asyncio.Future[Line]]] = SimpleQueue()
        Thread(target=self._read, daemon=True).start()

    def next(self, number: int) -> asyncio.Future[Line]:
        """The next line."""
        line: asyncio.Future[Line] = self._loop.create_future()
        self._wanted.put((number, line))
        return line

    def _read(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            while True:
                number, line = self._wanted.get()
                try:
                    found: Line | Exception = _next(self._stream, number)
                except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
                    found = error
                self._loop.call_soon_threadsafe(_answer, line, found)


def _answer(line: asyncio.Future[Line], found: Line | Exception) -> None:
    if line.done():
        return
    if isinstance(found, Exception):
        line.set_exception(found)
    else:
        line.set_result(found)


def _next(stream: IO[bytes], number: int) -> Line:
    """The next line, without the mark that editors of Windows put in front; at the end one of no size. Of one that is too long only the
    beginning is kept."""
    part = text = stream.readline(LONGEST + 1)
    size = len(part)
    while len(part) > LONGEST and not part.endswith(b"\n"):
        part = stream.readline(LONGEST + 1)
        size += len(part)
    return Line(number, text.removeprefix(cloudevents.BOM), size)


async def _batch(client: httpx.AsyncClient, key: str, lines: list[Line], tally: Tally) -> None:
    """Send some lines. When the door takes none of them, each half is sent again, until the line that is to blame is alone."""
    alone = len(lines) == 1
    if alone and lines[0].size > LONGEST:
        tally.rejected.append(_rejected(lines[0], asdict(cloudevents.too_large(lines[0].size))))
        return
    bare = alone and not _is_json(lines[0].text)
    answer = await post(client, key, lines[0].text if bare else b"[" + b",".join(line.text for line in lines) + b"]")
    if answer.status_code == 200:
        said = answer.json()
        items = said.get("items", [said])
        for line, item in zip(lines * len(items) if bare else lines, items, strict=True):
            if item["status"] == "accepted":
                tally.accepted += 1
            else:
                tally.rejected.append(_rejected(line, item))
        tally.position = position.merge(tally.position, position.offsets(said["position"]))
    elif answer.status_code not in OF_WHAT_WAS_SENT:
        raise Refusal(f"The door refused the batch that begins at line {lines[0].number}: {detail(answer)}")
    elif alone:
        tally.rejected.append(_rejected(lines[0], _problem(answer)))
    else:
        half = len(lines) // 2
        await _batch(client, key, lines[:half], tally)
        await _batch(client, key, lines[half:], tally)


def _is_json(text: bytes) -> bool:
    """Whether it is one item of a batch."""
    items = cloudevents.items(b"[" + text + b"]")
    return not isinstance(items, Refused) and len(items) == 1


def _problem(answer: httpx.Response) -> dict[str, Any]:
    """What a refusal says; of one that does not come from Yekta but from what stands before it, what is known."""
    try:
        said = answer.json()
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {"reason": f"status_{answer.status_code}", "detail": detail(answer)}


def _rejected(line: Line, item: dict[str, Any]) -> dict[str, Any]:
    reason = item.get("reason") or str(item.get("type", "")).rpartition("/")[2]
    return {"line": line.number, "reason": reason} | {name: item.get(name) for name in ("pointer", "detail", "mend", "dead_letter")}


def running_api() -> str:
    """The address of the API that runs in this home."""
    from infra import run_state
    from infra.home import Home
    from infra.settings import load

    settings = load()
    state = run_state.read(Home(settings.home).run_state)
    if state.api_url is None or not state.runs():
        raise Refusal(f"No API runs in {settings.home}.", "Start it with `yekta up`, or name one with --url.")
    return state.api_url


@contextmanager
def _opened(file: str) -> Iterator[tuple[IO[bytes], int | None]]:
    """What is to be sent, and how much it is where that is known."""
    if file == "-":
        piped = open(sys.stdin.fileno(), "rb", closefd=False)  # noqa: SIM115 - sys.stdin itself is locked while somebody reads
        yield _unpacked(piped) or piped, None
        return
    path = Path(file)
    try:
        size = path.stat().st_size
        stream = path.open("rb")
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}.") from error
    with stream:
        found = _unpacked(stream) or stream
        apart = _of_array(found)
        yield apart or found, size if found is stream and not apart else None


def _of_array(stream: Any) -> IO[bytes] | None:
    """The items of a file that is one JSON array, each a line; None: it is none."""
    if not stream.seekable() or not json_array.begins(stream):
        return None
    try:
        return BytesIO(b"\n".join([msgspec.json.format(bytes(item), indent=-1) for item in json_array.items(stream)]))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        stream.seek(0)
        return None


def _unpacked(stream: Any) -> IO[bytes] | None:
    """What is in gzip, which is known by its first bytes, whatever the name; None: it is not packed."""
    return cast("IO[bytes]", gzip.GzipFile(fileobj=stream)) if stream.peek(2)[:2] == GZIP else None


@contextmanager
def _progress(size: int | None, *, shown: bool) -> Iterator[Advance]:
    """A bar on a terminal's stderr; nothing when nobody looks."""
    from rich.console import Console
    from rich.progress import Progress

    said = Console(stderr=True)
    with Progress(console=said, transient=True) if shown and said.is_terminal else nullcontext() as bar:
        if bar is None:
            yield lambda _: None
        else:
            task = bar.add_task("Sending", total=size)
            yield lambda size: bar.advance(task, size)


def _report(tally: Tally, seconds: float, *, as_json: bool) -> None:
    tally.rejected.sort(key=lambda rejected: rejected["line"])
    if as_json:
        summary = {"accepted": tally.accepted, "rejected": tally.rejected, "seconds": round(seconds, 3)}
        print(json_.dumps(summary | {"position": position.token(tally.position)}, ensure_ascii=False))
        return
    print(f"{tally.accepted:,} accepted, {len(tally.rejected):,} refused, in {seconds:.1f} s")
    if not tally.rejected:
        return
    from rich.console import Console
    from rich.table import Column, Table

    table = Table("line", "reason", "where", "what", "mend", Column("dead letter", min_width=36, no_wrap=True), box=None)
    for rejected in tally.rejected[:SHOWN]:
        table.add_row(*(str(rejected[name] or "") for name in ("line", "reason", "pointer", "detail", "mend", "dead_letter")))
    if len(tally.rejected) > SHOWN:
        table.caption = f"and {len(tally.rejected) - SHOWN:,} more: see --json"
    Console(soft_wrap=True, width=None if sys.stdout.isatty() else 200).print(table)
