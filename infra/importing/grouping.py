"""Puts the rows of one fact together, where a mapping says by which columns they are known: an invoice of several lines is one sale.

The rows need not stand one after the other, so the whole file is held; only files whose mapping asks for it are. Reading order: grouped.
"""

from collections.abc import Iterable, Iterator

from aggregates.rows.identity import number
from aggregates.rows.mapping import Mapping
from infra.importing.table import Read


def grouped(mapping: Mapping, rows: Iterable[Read]) -> Iterator[Read]:
    """The rows, those of one fact as one, in the order of their first; what is in no group stands by itself."""
    if not mapping.group:
        yield from rows
        return
    together: dict[str | int, list[Read]] = {}
    for read in rows:
        known = "" if read.fault else number(mapping.group, read.cells)
        together.setdefault(known or read.number, []).append(read)
    for first, *others in together.values():
        if others:
            names = dict.fromkeys(name for read in (first, *others) for name in read.cells)
            yield Read(first.number, dict.fromkeys(names) | first.cells, "", tuple(read.cells for read in others))
        else:
            yield first
