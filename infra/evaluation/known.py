"""Reads records and what is known of them, as other programs write such files: other names for the id, pairs or groups, labelled or not.

Nothing is guessed that could be wrong in silence: what is not understood is refused. Reading order: read_records, read_truth.
"""

import codecs
import csv
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import combinations
from pathlib import Path

from aggregates.matching.table import Records
from infra.errors import Refusal

Truth = frozenset[tuple[str, str]]
Pairs = Iterable[tuple[str, str]]

IDS = ("id", "recordid", "uniqueid", "recid", "rowid", "uid", "rid", "identifier", "key", "شناسه", "ردیف")
"""Headers of the column that names a record, letters and digits only, the likeliest first."""

PAIRS = (("ida", "idb"), ("id1", "id2"), ("idl", "idr"), ("left", "right"), ("leftid", "rightid"), ("ltableid", "rtableid"))
"""Headers of the columns that name two records of one."""

GROUPS = frozenset(["cluster", "clusterid", "group", "groupid", "entity", "entityid", "labeltrue", "masterid", "personid", "گروه"])
"""Headers of the column that is the same for all records of one."""

LABELS = frozenset(["match", "ismatch", "label", "gold", "same", "duplicate", "isduplicate", "truth"])
NO = frozenset(("0", "0.0", "false", "no", "n", "f"))
"""What a labelled pair that is not one says."""


def read_records(path: Path) -> Records:
    """The records of a CSV file by id. Raises Refusal."""
    records: dict[str, dict[str, str]] = {}
    lines = _lines(path)
    header = [name.strip() for name in next(lines, [])]
    place = _place_of_id(header)
    if place is None:
        raise Refusal(f"{path} has no column id.", "Its first line must name the columns, and one of them must be id.")
    for line in lines:
        if len(line) <= place:
            continue
        identity = line[place].strip()
        if identity in records:
            raise Refusal(f"{path} has two records with the id {identity}.", "Every record needs an id of its own.")
        records[identity] = {name: value for n, (name, value) in enumerate(zip(header, line, strict=False)) if n != place}
    return records


def read_truth(path: Path, first: Collection[str], second: Collection[str] | None) -> Truth:
    """The true pairs, each once, among records that are there; between two tables either column may be the first's. Raises Refusal."""
    lines = _lines(path)
    truth = set()
    for a, b in _pairs(next(lines, []), lines, lambda identity: identity in first or (second is not None and identity in second)):
        if second is None:
            if a in first and b in first and a != b:
                truth.add(ordered(a, b))
        elif a in first and b in second:
            truth.add((a, b))
        elif b in first and a in second:
            truth.add((b, a))
    if not truth:
        raise Refusal(
            f"{path} has no pair of records that are there.",
            "It must have two columns, id_a and id_b, with the ids of the records; or id and cluster, the same for all records of one.",
        )
    return frozenset(truth)


def ordered(a: str, b: str) -> tuple[str, str]:
    """Two ids of one table: which is named first does not matter."""
    return (a, b) if a <= b else (b, a)


def _place_of_id(header: list[str]) -> int | None:
    bare = [_bare(name) for name in header]
    return next((bare.index(name) for name in IDS if name in bare), None)


def _pairs(header: list[str], lines: Iterable[list[str]], there: Callable[[str], bool]) -> Pairs:
    """The pairs of a file, by its header; of a file without one, the first two columns."""
    bare = [_bare(name) for name in header]
    group = next((n for n, name in enumerate(bare) if name in GROUPS), None)
    place = _place_of_id(header)
    if group is not None and place is not None:
        return _within(group, place, lines)
    named = next(((bare.index(a), bare.index(b)) for a, b in PAIRS if a in bare and b in bare), None)
    label = next((n for n, name in enumerate(bare) if name in LABELS), None)
    if named is None and len(header) > 1 and there(header[0].strip()) and there(header[1].strip()):
        return _apart((0, 1), None, _again(header, lines))
    return _apart(named or (0, 1), label, lines)


def _apart(places: tuple[int, int], label: int | None, lines: Iterable[list[str]]) -> Pairs:
    """The two ids of each line, unless its label says that they are not one."""
    for line in lines:
        if len(line) > max(places) and not (label is not None and len(line) > label and line[label].strip().lower() in NO):
            yield line[places[0]].strip(), line[places[1]].strip()


def _within(group: int, place: int, lines: Iterable[list[str]]) -> Pairs:
    """Every two records of each group."""
    members: defaultdict[str, list[str]] = defaultdict(list)
    for line in lines:
        if len(line) > max(group, place) and line[group].strip():
            members[line[group].strip()].append(line[place].strip())
    for found in members.values():
        yield from combinations(found, 2)


def _bare(header: str) -> str:
    return re.sub(r"[\W_]+", "", header).lower()


def _again(first: list[str], rest: Iterable[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rest


def _lines(path: Path) -> Iterator[list[str]]:
    """The lines of a CSV file, its separator found out. Raises Refusal."""
    try:
        with path.open("rb") as file:
            wide = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        with path.open(encoding="utf-16" if wide else "utf-8-sig", newline="") as text:
            head = text.readline()
            text.seek(0)
            yield from csv.reader(text, delimiter=max(",;\t|", key=head.count))
    except UnicodeDecodeError:
        raise Refusal(f"{path} is not UTF-8.", "Save it as UTF-8.") from None
    except csv.Error as fault:
        raise Refusal(f"{path} is no CSV: {fault}.") from None
    except FileNotFoundError:
        raise Refusal(f"There is no file {path}.") from None
