"""`yekta import`: the rows of a partner's file, through the door for rows, each once however often the file is sent.

$ yekta import azar.xlsx --as reseller.sale_reported --map novin.yaml --dry-run
$ yekta import azar.xlsx --as reseller.sale_reported --map novin.yaml --source novin
"""

import asyncio
import json as json_
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, validators

from infra.errors import Refusal

if TYPE_CHECKING:
    from aggregates.rows.mapping import Mapping
    from infra.importing.opening import Opened
    from infra.importing.sending import OnRows

NOT_ALL = 1
"""Exit code when at least one row was refused."""

SHOWN = 30
SOURCE = "files"


def import_(
    file: Path,
    /,
    *,
    as_: Annotated[str, Parameter(name="--as")] = "",
    map_: Annotated[Path | None, Parameter(name="--map")] = None,
    source: str = SOURCE,
    key: Annotated[str | None, Parameter(env_var="YEKTA_KEY")] = None,
    url: str | None = None,
    dry_run: bool = False,
    rows: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 5,
    lang: Annotated[str, Parameter(name="--lang")] = "en",
    json: bool = False,
) -> None:
    """Import a file: CSV, a workbook (xlsx, xls, ods), JSON lines or Parquet. Sending it again, or grown, adds nothing twice.

    Headers are recognised in Persian and English; days may be Jalali, digits Persian, the file UTF-8 or Windows-1256. A refused row is a
    dead letter with file, row and column; the others land. What is imported is history: nobody is approached because of it.

    Parameters
    ----------
    file
        The file.
    as_
        What each row is, like reseller.sale_reported; a mapping may say it.
    map_
        A mapping, YAML or JSON: which column fills which field; or the name of a published one. Its schema: /v1/mappings/schema.
    source
        Whose rows they are: the name of the source. Its write key is made and kept in this home, unless --key gives one.
    key
        A write key, or YEKTA_KEY; then the key says whose rows they are.
    url
        Where the API is, instead of the one that runs in this home.
    dry_run
        Show the first rows as they would land, and everything that would be refused; send nothing. Needs nothing to run.
    rows
        How many rows a dry run shows.
    lang
        The language in which mistakes in a mapping are told: en or fa.
    json
        One JSON object at the end, for programs.
    """
    from infra.importing.opening import fitting, opened

    text = "{}" if map_ is None else _text(map_, source, key, url)
    mapping, written = _mapping(map_, text, as_, lang)
    table = opened(file, mapping)
    fitting(table, mapping)
    if dry_run:
        _preview(file, table, mapping, source, rows, as_json=json)
    else:
        _import(file, table, mapping, written, source, key, url, as_json=json)


def _text(named: Path, source: str, key: str | None, url: str | None) -> str:
    """What a mapping says: a file, or else the one that was published under this name."""
    try:
        return named.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(f"{named} is not UTF-8.", "Save the mapping as UTF-8.") from error
    except OSError as error:
        if named.suffix or len(named.parts) > 1:
            raise Refusal(f"{named} cannot be read: {error.strerror}.") from error
    from infra.importing.dropped import published

    where, own = _door(source, key, url)
    found = asyncio.run(published(where, own, str(named)))
    if isinstance(found, Refusal):
        raise found
    return found


def _mapping(file: Path | None, text: str, type_: str, lang: str) -> "tuple[Mapping, dict[str, Any]]":
    from aggregates.rows import mapping as mappings

    reading = mappings.read(text, type_)
    if reading.mapping is None:
        if file is None:
            raise Refusal("Nothing says what the rows are.", "Say it with --as, like --as reseller.sale_reported.")
        for problem in reading.problems:
            print(f"{file}: {problem.text('fa' if lang == 'fa' else 'en')}", file=sys.stderr)
        raise Refusal(f"{file} is no mapping that can be used.")
    return reading.mapping, mappings.plain(text)


def _preview(file: Path, table: "Opened", mapping: "Mapping", source: str, first: int, *, as_json: bool) -> None:
    from aggregates.rows.layout import layout
    from aggregates.source import Source
    from infra.importing.preview import preview
    from infra.settings import load

    shown = preview(mapping, table.table.rows, Source(source, load().zone), file.name, first)
    found = layout(mapping, table.table.headers)
    columns = {header: column.place for header, column in found.columns.items()}
    summary = {
        "file": file.name,
        "as": mapping.type,
        "read_as": table.table.how,
        "columns": columns,
        "unknown": list(found.unknown),
        "rows": shown.rows,
        "accepted": shown.accepted,
        "refused": shown.refused,
        "same_id": shown.repeated,
        "reasons": shown.reasons,
        "first": shown.first,
        "rejected": shown.rejected,
    }
    if as_json:
        print(json_.dumps(summary, ensure_ascii=False))
    else:
        _show_preview(summary, mapping)
    if shown.refused:
        sys.exit(NOT_ALL)


def _show_preview(summary: dict[str, Any], mapping: "Mapping") -> None:
    from rich.console import Console
    from rich.table import Table

    out = Console(soft_wrap=True, highlight=False)
    out.print(f"{summary['file']}: {summary['read_as']}, {summary['rows']:,} rows, as {summary['as']}. Nothing was sent.", markup=False)
    columns = Table("column", "fills", box=None)
    for header, place in summary["columns"].items():
        columns.add_row(header, place)
    for header in summary["unknown"]:
        columns.add_row(header, "kept under its own name" if mapping.unknown == "keep" else "left out")
    out.print(columns)
    if "time" not in summary["columns"].values():
        out.print("No column says when it happened: each row will count as of its import.")
    for one in summary["first"]:
        out.print(f"row {one['row']}:", end=" ")
        out.print(json_.dumps(one["event"], ensure_ascii=False) if one["event"] else "refused, see below", markup=False)
    out.print(f"{summary['accepted']:,} would be accepted, {summary['refused']:,} refused")
    if summary["same_id"]:
        out.print(f"{summary['same_id']:,} rows have the id of one before: equal ones count once, others will be refused as contradictions")
    _show_rejected(summary["rejected"], summary["refused"])


def _import(
    file: Path,
    table: "Opened",
    mapping: "Mapping",
    written: dict[str, Any],
    source: str,
    key: str | None,
    url: str | None,
    *,
    as_json: bool,
) -> None:
    from api import position
    from infra.home import Home
    from infra.importing.progress import Memory
    from infra.importing.sending import Job, send
    from infra.settings import load

    began = time.monotonic()
    where, own = _door(source, key, url)
    folder = Home(load().home).folder / "imports"
    memory = Memory(folder, where, own, table.sha256, json_.dumps(written, sort_keys=True), mapping.type)
    with _progress(shown=not as_json) as on_rows:
        result = asyncio.run(send(Job(file.name, mapping, written, table.table.rows), where, own, memory, on_rows))
    summary = {
        **result.report(file.name, mapping.type, table.table.how),
        "went_on_at": result.skipped,
        "position": position.token(result.position),
        "seconds": round(time.monotonic() - began, 3),
    }
    if as_json:
        print(json_.dumps(summary, ensure_ascii=False))
    else:
        went_on = f" (went on after row {result.skipped:,}, where it was cut off)" if result.skipped else ""
        print(f"{result.rows:,} rows: {result.accepted:,} accepted, {result.refused:,} refused, in {summary['seconds']:.1f} s{went_on}")
        _show_rejected(result.rejected, result.refused)
    if result.refused:
        sys.exit(NOT_ALL)


def _door(source: str, key: str | None, url: str | None) -> tuple[str, str]:
    """Where the door is, and the key that opens it."""
    from infra.cli.send import running_api
    from infra.importing.source_keys import key_of
    from infra.settings import load

    where = url or running_api()
    if key is not None:
        return where, key
    if url is not None:
        raise Refusal("Another API wants a write key.", "Give it with --key, or as YEKTA_KEY.")
    return where, asyncio.run(key_of(load(), source))


def _show_rejected(rejected: list[dict[str, Any]], count: int) -> None:
    if not rejected:
        return
    from rich.console import Console
    from rich.table import Table

    letters = "dead_letter" in rejected[0]
    table = Table("row", "column", "reason", "what", "mend", *(("dead letter",) if letters else ()), box=None)
    for one in rejected[:SHOWN]:
        table.add_row(str(one["row"]), one["column"] or one["pointer"], one["reason"], one["detail"], one["mend"], one.get("dead_letter"))
    if count > SHOWN:
        table.caption = f"and {count - SHOWN:,} more" + (": see `yekta dead-letters list`" if letters else "")
    Console(soft_wrap=True).print(table)


@contextmanager
def _progress(*, shown: bool) -> "Iterator[OnRows]":
    """How many rows, on a terminal's stderr; nothing when nobody looks."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    said = Console(stderr=True)
    if not shown or not said.is_terminal:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,} rows"), TimeElapsedColumn())
    with Progress(*columns, console=said, transient=True) as bar:
        task = bar.add_task("Importing", total=None)
        yield lambda rows: bar.advance(task, rows)
