"""`yekta dead-letters`: what was refused, counted, looked at, corrected and replayed, from the shell.

$ export YEKTA_TOKEN=$(yekta keys create --role admin)
$ yekta dead-letters
$ yekta dead-letters replay --source novin --map novin.yaml --dry-run
"""

import json as json_
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
from cyclopts import App, Parameter, validators

from infra.cli import asking
from infra.cli.asking import ask, table
from infra.errors import Refusal

dead_letters = App(name="dead-letters", help=__doc__)

Token = Annotated[str | None, Parameter(env_var="YEKTA_TOKEN")]
FOR = "Dead letters are for supervisors and admins."
STILL = 1
"""Exit code when at least one letter is still refused."""


@dead_letters.default
def counts(*, token: Token = None, url: str | None = None, json: bool = False) -> None:
    """Show how many letters there are, by source and reason.

    Parameters
    ----------
    token
        A staff token of a supervisor or an admin, or YEKTA_TOKEN.
    url
        Where the API is, instead of the one that runs in this home.
    json
        The answer of the API, for programs.
    """
    with asking.api(url, token, FOR) as api:
        found = ask(api, "GET", "/v1/dead-letters/counts")
    if json:
        print(json_.dumps(found, ensure_ascii=False))
        return
    table(
        ("source", "reason", "open", "replayed", "oldest open"),
        [[one[name] for name in ("source", "reason", "open", "replayed", "oldest_open")] for one in found["items"]],
        f"{found['open']:,} open",
    )


@dead_letters.command(name="list")
def list_(
    *,
    source: str | None = None,
    reason: str | None = None,
    file: str | None = None,
    mapping: str | None = None,
    status: str = "open",
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 50,
    token: Token = None,
    url: str | None = None,
    json: bool = False,
) -> None:
    """List letters, the newest first.

    Parameters
    ----------
    source
        Only those of this source.
    reason
        Only those refused for this reason.
    file
        Only rows of this file.
    mapping
        Only rows that were read by the mapping of this name.
    status
        open, replayed or erased.
    limit
        How many at most.
    token
        A staff token of a supervisor or an admin, or YEKTA_TOKEN.
    url
        Where the API is, instead of the one that runs in this home.
    json
        One JSON object a line.
    """
    query = {"source": source, "reason": reason, "file": file, "mapping": mapping, "status": status, "limit": str(min(limit, 200))}
    with asking.api(url, token, FOR) as api:
        items = list(_pages(api, {name: value for name, value in query.items() if value}, limit))
    if json:
        for one in items:
            print(json_.dumps(one, ensure_ascii=False))
        return
    rows = [[one["id"], one["source"], one["reason"], _where(one), one["detail"], one["recorded"][:19]] for one in items]
    table(("id", "source", "reason", "where", "what", "received"), rows, f"{len(items):,} letters")


@dead_letters.command
def show(letter: str, /, *, token: Token = None, url: str | None = None) -> None:
    """Show one letter, with its bytes as they came.

    Parameters
    ----------
    letter
        Its id.
    token
        A staff token of a supervisor or an admin, or YEKTA_TOKEN.
    url
        Where the API is, instead of the one that runs in this home.
    """
    with asking.api(url, token, FOR) as api:
        print(json_.dumps(ask(api, "GET", f"/v1/dead-letters/{letter}"), ensure_ascii=False, indent=2))


@dead_letters.command
def replay(
    letters: list[str] | None = None,
    /,
    *,
    source: str | None = None,
    reason: str | None = None,
    file: str | None = None,
    mapping: str | None = None,
    patch: Annotated[str | None, Parameter(name="--patch")] = None,
    map_: Annotated[Path | None, Parameter(name="--map")] = None,
    dry_run: bool = False,
    token: Token = None,
    url: str | None = None,
    json: bool = False,
) -> None:
    """Replay letters: those named, or all open ones that the filter finds, as they came or corrected.

    Parameters
    ----------
    letters
        Ids of letters.
    source
        All of this source.
    reason
        All refused for this reason.
    file
        All rows of this file.
    mapping
        All rows that were read by the mapping of this name.
    patch
        A JSON Patch (RFC 6902) for each of them; @FILE reads it from a file.
    map_
        A newer mapping for rows of files.
    dry_run
        Say what would become of them, and send nothing.
    token
        A staff token of a supervisor or an admin, or YEKTA_TOKEN.
    url
        Where the API is, instead of the one that runs in this home.
    json
        One JSON object at the end.
    """
    given = {"source": source, "reason": reason, "file": file, "mapping": mapping, "ids": letters or None}
    chosen = {name: value for name, value in given.items() if value}
    if not chosen:
        raise Refusal("Nothing says which letters.", "Name them, or say --source, --reason, --file or --mapping.")
    wanted: dict[str, Any] = {"filter": chosen, "dry_run": dry_run}
    if patch is not None:
        wanted["patch"] = _patch(patch)
    if map_ is not None:
        wanted["mapping"] = _text(map_)
    items: list[dict[str, Any]] = []
    totals: dict[str, int] = {}
    with asking.api(url, token, FOR) as api:
        for answer in _replays(api, wanted):
            items += answer["items"]
            for status, count in answer["counts"].items():
                totals[status] = totals.get(status, 0) + count
    if json:
        print(json_.dumps({"items": items, "counts": totals, "dry_run": dry_run}, ensure_ascii=False))
    else:
        said = ", ".join(f"{count:,} {status.replace('_', ' ')}" for status, count in sorted(totals.items())) or "no open letter"
        rows = [[one["id"], one["status"], one.get("reason", ""), one.get("pointer", ""), one.get("detail", "")] for one in items[:100]]
        table(("id", "status", "reason", "where", "what"), rows, said)
    if totals.get("refused"):
        sys.exit(STILL)


def _replays(api: httpx.Client, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    while True:
        answer = ask(api, "POST", "/v1/dead-letters/replay", wanted)
        yield answer
        if answer["next"] is None:
            return
        wanted = wanted | {"cursor": answer["next"]}


def _pages(api: httpx.Client, query: dict[str, str], limit: int) -> Iterator[dict[str, Any]]:
    while limit > 0:
        answer = ask(api, "GET", "/v1/dead-letters", query=query)
        yield from answer["items"][:limit]
        limit -= len(answer["items"])
        if answer["next"] is None:
            return
        query = query | {"cursor": answer["next"]}


def _patch(given: str) -> Any:
    text = _text(Path(given[1:])) if given.startswith("@") else given
    try:
        return json_.loads(text)
    except ValueError as error:
        raise Refusal("The patch is not JSON.", 'Write it like [{"op": "replace", "path": "/data/total", "value": "12.50"}].') from error


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{file} cannot be read.") from error


def _where(one: dict[str, Any]) -> str:
    if one["file"]:
        return f"{one['file']}, row {one['row']}" + (f", {one['column']}" if one["column"] else "")
    return str(one["pointer"] or "/")
