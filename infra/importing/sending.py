"""Sends the rows of a file through the door for rows, several batches at a time, and remembers how far the door answered.

Rows are numbered in the order of the file before anything is sent, so that what is cut off and begun again has the same ids.
Reading order: Job, Result, send.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from aggregates.rows.identity import Numbering
from aggregates.rows.layout import Layout, layout
from aggregates.rows.mapping import Mapping as RowMapping
from api import position
from infra.errors import Refusal
from infra.importing.grouping import grouped
from infra.importing.progress import Memory, Progress
from infra.importing.table import Read
from infra.posting import detail, post

BATCH = 200
IN_FLIGHT = 3
LARGEST = 4 << 20
SHOWN = 1_000
"""So many refused rows are told one by one; all of them are counted and kept as dead letters."""

DOOR = "/v1/imports"
OnRows = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be imported, and how."""

    file: str  # as it is told in dead letters
    mapping: RowMapping
    written: Mapping[str, Any]  # the mapping as the person wrote it
    rows: Iterable[Read]


@dataclass(slots=True)
class Result:
    """What became of a file."""

    rows: int = 0
    accepted: int = 0
    refused: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    position: dict[int, int] = field(default_factory=dict)
    skipped: int = 0  # answered for before, by an import that was cut off

    def report(self, file: str, type_: str, read_as: str) -> dict[str, Any]:
        """The same as JSON: of a file of this name, read in this way, whose rows are of this type."""
        counts = {"rows": self.rows, "accepted": self.accepted, "refused": self.refused}
        return {"file": file, "as": type_, "read_as": read_as, **counts, "reasons": self.reasons, "rejected": self.rejected}


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row with its id."""

    read: Read
    id: str


async def send(job: Job, url: str, key: str, memory: Memory, on_rows: OnRows) -> Result:
    """Import a file. Raises Refusal when the door stays shut; what was answered for is remembered."""
    done = memory.read()
    result = Result(done.rows, done.accepted, done.refused, skipped=done.rows)
    rows = itertools.islice(numbered(job.mapping, job.rows), done.rows, None)
    on_rows(done.rows)
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        while window := list(itertools.islice(rows, BATCH * IN_FLIGHT)):
            answers = await asyncio.gather(*(_post(client, key, job, batch) for batch in _batches(window)))
            for answer in answers:
                _count(result, answer)
            result.rows += len(window)
            await asyncio.to_thread(memory.write, Progress(result.rows, result.accepted, result.refused))
            on_rows(len(window))
    memory.forget()
    return result


def numbered(mapping: RowMapping, rows: Iterable[Read]) -> Iterator[Numbered]:
    """The rows with their ids, those of one fact put together; equal ones are counted."""
    numbering = Numbering(mapping)
    layouts: dict[tuple[str, ...], Layout] = {}
    for read in grouped(mapping, rows):
        names = tuple(read.cells)
        if names not in layouts:
            layouts[names] = layout(mapping, names)
        yield Numbered(read, numbering.id(layouts[names], read.cells, read.more))


def _batches(window: list[Numbered]) -> Iterator[list[Numbered]]:
    """Batches that the door takes; long rows go in smaller ones."""
    batch: list[Numbered] = []
    size = 0
    for one in window:
        weight = sum(len(str(cell)) for cells in (one.read.cells, *one.read.more) for cell in cells.values()) * 2
        if batch and (len(batch) == BATCH or size + weight > LARGEST):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += weight
    if batch:
        yield batch


async def _post(client: httpx.AsyncClient, key: str, job: Job, batch: list[Numbered]) -> dict[str, Any]:
    rows = [_row(one) for one in batch]
    content = msgspec.json.encode({"file": job.file, "type": job.mapping.type, "mapping": job.written, "rows": rows})
    answer = await post(client, key, content, path=DOOR)
    if answer.status_code != 200:
        raise Refusal(f"The door refused the rows from {batch[0].read.number} on: {detail(answer)}")
    return dict(answer.json())


def _row(one: Numbered) -> dict[str, Any]:
    row: dict[str, Any] = {"row": one.read.number, "id": one.id, "cells": one.read.cells}
    if one.read.more:
        row["more"] = one.read.more
    return row | {"fault": one.read.fault} if one.read.fault else row


def _count(result: Result, answer: dict[str, Any]) -> None:
    for item in answer["items"]:
        if item["status"] == "accepted":
            result.accepted += 1
            continue
        result.refused += 1
        result.reasons[item["reason"]] = result.reasons.get(item["reason"], 0) + 1
        if len(result.rejected) < SHOWN:
            result.rejected.append({name: item[name] for name in ("row", "column", "reason", "pointer", "detail", "mend", "dead_letter")})
    result.position = position.merge(result.position, position.offsets(answer["position"]))
