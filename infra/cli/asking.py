"""Asks the running API on behalf of a command, and prints tables: for commands that do what the API does.

Reading order: api, ask, answered, table.
"""

import sys
from typing import Any

import httpx

from infra.errors import Refusal
from infra.posting import detail


def api(url: str | None, token: str | None, who: str) -> httpx.Client:
    """The API of this home, or at an address. Raises Refusal without a token; `who` says for whom this is."""
    from infra.cli.send import running_api

    if not token:
        raise Refusal(who, "Give a staff token with --token, or as YEKTA_TOKEN.")
    return httpx.Client(base_url=url or running_api(), auth=(token, ""), timeout=60)


def ask(api: httpx.Client, method: str, path: str, wanted: Any = None, query: dict[str, str] | None = None) -> dict[str, Any]:
    """What the API answers. Raises Refusal with what it says when it does not do it."""
    answer = answered(api, method, path, wanted, query)
    if answer.status_code != 200:
        said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        raise Refusal(detail(answer), str(said.get("mend") or ""))
    return dict(answer.json())


def answered(api: httpx.Client, method: str, path: str, wanted: Any = None, query: dict[str, str] | None = None) -> httpx.Response:
    """The answer, whatever it is. Raises Refusal when there is none."""
    try:
        return api.request(method, path, json=wanted, params=query)
    except httpx.TransportError as error:
        raise Refusal(f"The API at {api.base_url} does not answer.") from error


def table(headers: tuple[str, ...], rows: list[list[Any]], said: str) -> None:
    """Print rows, and a sentence about them."""
    from rich.console import Console
    from rich.table import Table

    out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 200)
    if rows:
        table = Table(*headers, box=None)
        for row in rows:
            table.add_row(*("" if cell is None else str(cell) for cell in row))
        out.print(table)
    out.print(said)
