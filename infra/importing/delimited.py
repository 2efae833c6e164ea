"""Reads CSV, whatever separates its cells. Reading order: read, separator."""

import csv
import itertools
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from aggregates.rows.mapping import Mapping
from infra.errors import Refusal
from infra.importing import packed
from infra.importing.table import LOOKED_AT, Table, begins, named, rows

CANDIDATES = ",;\t|،؛^~"
LONGEST_CELL = 1 << 20
TALLEST = 200
"""So many lines a row may have, by line breaks in quoted cells."""


def read(path: Path, encoding: str, mapping: Mapping) -> Table:
    """The table of a text file."""
    csv.field_size_limit(LONGEST_CELL)
    encoding = mapping.file.encoding or encoding
    with packed.text(path, encoding, "") as file:
        head = list(itertools.islice(file, 200))
    told = head[0].strip().strip("\ufeff").lower() if head else ""
    announced = told[4:5] if told.startswith("sep=") else ""  # as Excel writes it
    skip = 1 if announced else 0
    delimiter = mapping.file.delimiter or announced or ("\t" if packed.suffix(path) == ".tsv" else separator(head))
    first = list(itertools.islice(csv.reader(head[skip:], delimiter=delimiter), LOOKED_AT))
    if not first:
        raise Refusal(f"{path} is empty.")
    at = begins(first, mapping)
    names = named(first[at]) if at < len(first) else ()
    how = f"CSV, {encoding.removesuffix('-sig').upper()}, separated by {_said(delimiter)}"
    return Table(how, names, rows(names, _lines(path, encoding, delimiter, skip, at, len(names))))


def separator(head: list[str]) -> str:
    """The character that cuts the first lines into the most cells, in the most lines alike."""
    best, most = ",", (0, 0)
    for candidate in CANDIDATES:
        widths = [len(cells) for cells in itertools.islice(csv.reader(head, delimiter=candidate), LOOKED_AT) if any(cells)]
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=0)
        if usual > 1 and (widths.count(usual), usual) > most:
            best, most = candidate, (widths.count(usual), usual)
    return best


def _lines(path: Path, encoding: str, delimiter: str, skip: int, at: int, width: int) -> Iterator[tuple[int, list[str], str]]:
    with packed.text(path, encoding, "") as file:
        for number, (cells, fault) in enumerate(_records(itertools.islice(file, skip, None), delimiter, width), 1 + skip):
            if number > at + 1 + skip:
                yield number, cells, fault


def _records(lines: Iterator[str], delimiter: str, width: int) -> Iterator[tuple[list[str], str]]:
    """The rows. A quote that nobody closes would swallow the rows behind it: then its line is one by itself, and those are read anew."""
    again: deque[str] = deque()
    taken: list[str] = []

    def fed() -> Iterator[str]:
        while len(taken) < TALLEST and (again or (line := next(lines, None)) is not None):
            taken.append(again.popleft() if again else str(line))
            yield taken[-1]

    while True:
        taken.clear()
        try:
            cells = next(csv.reader(fed(), delimiter=delimiter), None)
        except csv.Error:  # a cell that is longer than any may be
            cells = []
        if cells is None:
            return
        first, *swallowed = taken
        if swallowed and (len(cells) < width or any(cells[width:]) or sum(line.count('"') for line in taken) % 2):
            again.extendleft(reversed(swallowed))
            yield [first.strip()], "open_quote"
        else:
            yield cells, "" if cells or not first.strip() else "open_quote"


def _said(delimiter: str) -> str:
    return {"\t": "tabs", ",": "commas", ";": "semicolons"}.get(delimiter, delimiter)
