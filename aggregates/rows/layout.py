"""Settles for one file which column fills which field: as the mapping says, else as the header is understood.

Reading order: Layout, layout.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aggregates.contracts import CONTRACTS
from aggregates.rows import headers
from aggregates.rows.headers import key
from aggregates.rows.mapping import Column
from aggregates.rows.mapping import Mapping as RowMapping


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a file, as far as something is known of them."""

    columns: Mapping[str, Column]  # by header; those that fill nothing are not in it
    unknown: tuple[str, ...]  # headers that nobody knows
    ignored: tuple[str, ...]  # headers that say nothing of the fact
    missing: tuple[str, ...]  # headers that the mapping names and the file does not have

    def of(self, place: str) -> str:
        """The header of the column that fills a place; empty: there is none."""
        return next((header for header, column in self.columns.items() if column.place == place), "")


def layout(mapping: RowMapping, names: Iterable[str]) -> Layout:
    """The layout of a file with these headers. Spellings of one header (ي and ی, spaces, case) are one header."""
    said = {key(header): column for header, column in mapping.columns.items()}
    present = [name for name in names if name.strip()]
    columns: dict[str, Column] = {}
    unknown, ignored = [], []
    taken = {column.place for column in said.values()} | set(mapping.fixed)
    for name in present:
        column = said.get(key(name))
        if column is None and (meant := headers.meant(mapping.type, name)) is not None:
            free = meant.place not in taken or meant.place.startswith("who.")
            column = Column(meant.place, meant.unit) if free else None
        if column is None:
            unknown.append(name)
        elif not column.place:
            ignored.append(name)
        else:
            columns[name] = column
            taken.add(column.place)
    there = {key(name) for name in present}
    wanted = [*mapping.columns, *mapping.id]
    return Layout(columns, tuple(unknown), tuple(ignored), tuple(dict.fromkeys(name for name in wanted if key(name) not in there)))


def ref(type_: str) -> str:
    """The field by whose value a fact of this type is found: order_id, sale_id …"""
    contract = CONTRACTS.get(type_)
    return (contract.ref or "") if contract else ""
