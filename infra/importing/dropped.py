"""Imports what partners drop into a folder: `<folder>/<source>/` holds, one after the other, their files, and beside them a mapping.

Which mapping may also be a setting of the source: a path elsewhere, or the name of a published one. A folder of which nothing says what its
files are is nobody's here, and what is in it is not touched.

A file is taken when it has not changed between two looks. Afterwards it stands in `done/` with a report beside it, or in `refused/` when
nothing could be made of it; while the door is shut it stays where it is. Reading order: Watch.look, _import, _mapping.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from collections.abc import Mapping as Values
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from aggregates.rows import mapping as mappings
from aggregates.rows.mapping import Mapping
from infra.errors import Refusal
from infra.importing.opening import Opened, fitting, opened
from infra.importing.progress import Memory
from infra.importing.sending import Job, Result, send
from infra.posting import detail

MAPPINGS = ("mapping.yaml", "mapping.yml", "mapping.json")
UNFINISHED = frozenset({".part", ".tmp", ".filepart", ".crdownload"})
DONE, REFUSED = "done", "refused"
OK, NOT_FOUND = 200, 404

log = structlog.get_logger(__name__)

KeyOf = Callable[[str], Awaitable[str]]
Settled = Values[str, str]  # source → the path or the name of its mapping
NOTHING: Settled = {}


class Watch:
    """One look at the folder at a time."""

    def __init__(self, folder: Path, url: str, key_of: KeyOf, memory: Path, settled: Settled = NOTHING) -> None:
        self._folder, self._url, self._key_of, self._memory, self._settled = folder, url, key_of, memory, settled
        self._seen: dict[Path, tuple[int, int]] = {}
        self._absent = False
        self._unmapped: set[Path] = set()

    async def run(self, every: float) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(every)

    async def look(self) -> int:
        """Import what stands ready; how many files were dealt with."""
        dealt = 0
        ready = [file for file in await asyncio.to_thread(self._files) if self._rests(file)]
        for file in ready:
            try:
                await self._import(file)
            except Refusal as shut:  # the door: the file stays, and is tried at the next look
                log.warning("drop_waits", file=file.name, why=str(shut))
                continue
            self._seen.pop(file, None)
            dealt += 1
        return dealt

    def _files(self) -> list[Path]:
        """What partners left, by source and name."""
        absent, self._absent = self._absent, not self._folder.is_dir()
        if self._absent:
            if not absent:  # once: it may be of a disk that comes later, or mistyped
                log.warning("drop_folder_absent", folder=str(self._folder))
            return []
        sources = [one for one in sorted(self._folder.iterdir()) if one.is_dir() and not one.name.startswith(".")]
        return [file for source in sources for file in sorted(source.iterdir()) if _is_theirs(file) and self._is_mapped(source)]

    def _is_mapped(self, source: Path) -> bool:
        """Whether anything says what a source's files are. If nothing does it is said once: any folder may lie beside those of partners."""
        mapped = bool(self._settled.get(source.name)) or any((source / name).is_file() for name in MAPPINGS)
        if mapped:
            self._unmapped.discard(source)
        elif source not in self._unmapped:
            self._unmapped.add(source)
            log.warning("drop_unmapped", folder=str(source), wanted=MAPPINGS[0])
        return mapped

    def _rests(self, file: Path) -> bool:
        """Whether it is whole: nobody wrote to it since the last look."""
        try:
            told = file.stat()
        except FileNotFoundError:
            return False
        now = (told.st_size, told.st_mtime_ns)
        before, self._seen[file] = self._seen.get(file), now
        return before == now

    async def _import(self, file: Path) -> None:
        source = file.parent.name
        text = await self._mapping(file.parent)
        try:
            mapping, written = _read(text)
            table = await asyncio.to_thread(opened, file, mapping)
            fitting(table, mapping)
        except Refusal as refusal:
            _put_away(file, REFUSED, {"file": file.name, "refused": str(refusal)})
            log.warning("drop_refused", source=source, file=file.name, why=str(refusal))
            return
        result = await self._send(file, source, table, mapping, written)
        _put_away(file, DONE, result.report(file.name, mapping.type, table.table.how))
        log.info("drop_imported", source=source, file=file.name, rows=result.rows, accepted=result.accepted, refused=result.refused)

    async def _mapping(self, folder: Path) -> str | Refusal:
        """The text of a source's mapping, or why there is none. Raises Refusal while the door is shut."""
        named = self._settled.get(folder.name, "")
        files = [Path(named)] if named else [folder / name for name in MAPPINGS]
        there = next((file for file in files if file.is_file()), None)
        if there is not None:
            return await asyncio.to_thread(there.read_text, "utf-8-sig", "replace")
        if named and Path(named).name == named and not Path(named).suffix:
            return await published(self._url, await self._key_of(folder.name), named)
        return Refusal(f"There is no file {files[0]}, by which those of {folder.name} are read.")

    async def _send(self, file: Path, source: str, table: Opened, mapping: Mapping, written: dict[str, Any]) -> Result:
        key = await self._key_of(source)
        memory = Memory(self._memory, self._url, key, table.sha256, json.dumps(written, sort_keys=True), mapping.type)
        return await send(Job(file.name, mapping, written, table.table.rows), self._url, key, memory, lambda _: None)


def _is_theirs(file: Path) -> bool:
    return file.is_file() and not file.name.startswith((".", "~")) and file.name not in MAPPINGS and file.suffix.lower() not in UNFINISHED


async def published(url: str, key: str, name: str) -> str | Refusal:
    """The text of a published mapping, or why there is none. Raises Refusal while the API does not answer."""
    try:
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            answer = await client.get(f"/v1/mappings/{quote(name, safe='')}", auth=(key, ""))
    except httpx.TransportError as error:
        raise Refusal(f"The API at {url} does not answer.") from error
    if answer.status_code == NOT_FOUND:
        return Refusal(f"There is neither a file nor a published mapping of the name {name}.")
    if answer.status_code != OK:
        raise Refusal(f"The mapping {name} cannot be had: {detail(answer)}")
    return str(answer.json()["text"])


def _read(text: str | Refusal) -> tuple[Mapping, dict[str, Any]]:
    """The mapping that a text is. Raises Refusal."""
    if isinstance(text, Refusal):
        raise text
    reading = mappings.read(text)
    if reading.mapping is None:
        raise Refusal(f"The mapping cannot be used: {reading.problems[0].text()}")
    return reading.mapping, mappings.plain(text)


def _put_away(file: Path, where: str, report: dict[str, Any]) -> None:
    """Move a file beside its report; one of the same name that came before stays."""
    folder = file.parent / where
    folder.mkdir(exist_ok=True)
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    wanted = folder / file.name
    if wanted.exists():
        wanted = folder / f"{file.stem}.{stamp}{file.suffix}"
    told = {"at": datetime.now(UTC).isoformat(), **report}
    wanted.with_name(f"{wanted.name}.report.json").write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", "utf-8")
    file.rename(wanted)
