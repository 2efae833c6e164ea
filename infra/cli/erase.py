"""`yekta erase`: forgets a customer for good. What would go is shown first; nothing brings him back."""

import json as json_
import sys
import time
from typing import Annotated, Any

import httpx
from cyclopts import Parameter

from api.problem import receipt_at
from infra.cli.asking import answered, ask, table
from infra.cli.asking import api as api_
from infra.errors import Refusal

FOR = "Only an admin may erase a customer."
LOOK = 0.5


def erase(
    customer: str,
    /,
    *,
    why: str,
    dry_run: bool = False,
    yes: bool = False,
    token: Annotated[str | None, Parameter(env_var="YEKTA_TOKEN")] = None,
    url: str | None = None,
    json: bool = False,
) -> None:
    """Forget a customer for good: events, views, requests, scores, and the keys of what the log has of him.

    Shows what would go and asks; then waits until all of it is gone and prints the receipt.

    Example: `yekta erase 6f1c1d3e-7a35-5d0e-9a53-7d1f3c6b2a10 --why "case 2026-114" --dry-run`

    Parameters
    ----------
    customer
        His id.
    why
        Why he is erased. It stays on the receipt: name a case, not a person.
    dry_run
        Only show what would go.
    yes
        Do not ask.
    token
        A staff token of an admin, or YEKTA_TOKEN.
    url
        Where the API is, instead of the one that runs in this home.
    json
        The receipt as the API has it, for programs; needs --yes or --dry-run.
    """
    if json and not (yes or dry_run):
        raise Refusal("A program cannot be asked.", "Give --yes with --json, or --dry-run.")
    path = f"/v1/customers/{customer}/erase"
    with api_(url, token, FOR) as api:
        found = ask(api, "POST", path, {"why": why, "dry_run": True})
        if found["state"] == "preview" and not dry_run:
            if not yes:
                _show(found, "would go")
                _confirm()
            found = ask(api, "POST", path, {"why": why})
        while found["state"] == "erasing" and not dry_run:  # also where somebody asked before, and did not wait
            time.sleep(LOOK)
            answer = answered(api, "GET", receipt_at(found["id"]))
            if answer.status_code == httpx.codes.OK:  # it is in the log: with the workers or PostgreSQL away it is done later
                found = answer.json()
    if json:
        print(json_.dumps(found, ensure_ascii=False))
        return
    if found["state"] == "preview":
        _show(found, "would go; nothing was done")
    elif found["state"] == "erasing":
        _show(found, f"going since {found['at']}, and not all is gone yet; receipt {found['id']}")
    else:
        _show(found, f"gone since {found['done_at']}; receipt {found['id']}")


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise Refusal("Nobody can be asked here, and nothing brings him back.", "Give --yes.")
    print("Nothing brings him back. Write erase to go on: ", end="", flush=True)
    if sys.stdin.readline().strip() != "erase":
        raise Refusal("Nothing was erased.")


def _show(found: dict[str, Any], said: str) -> None:
    rows: list[list[Any]] = [[name, f"{found[name]:,}"] for name in ("events", "identifiers", "keys")]
    rows += [[name, f"{count:,}"] for name, count in sorted(found["rows"].items())]
    table(("what", "how many"), rows, f"{found['customer_id']}: {said}")
