"""The `yekta` command: one module a command, imported only when it is the one that was asked for.

A command `x` is the function, or the cyclopts App, named `x` in `infra/cli/x.py`, and one line in COMMANDS.
Reading order: `__main__`; up, demo, api, worker, prepare and drop (what runs); keys; send, import_ and asterisk (what comes in); wait,
status, verify, rebuild, replay, learn, dead_letters, erase, bench; evaluate (evaluate_rules, evaluate_churn, evaluate_identity).
Commands share asking, progress and ending.
"""

from __future__ import annotations

import keyword
import logging
import os
import sys
from typing import TYPE_CHECKING

from infra.errors import REFUSED, Refusal, refusal_of, say, unreachable

if TYPE_CHECKING:
    from cyclopts import App

INTERRUPTED = 130  # the exit code of who was stopped by Ctrl-C

COMMANDS = {
    "up": "Start everything here: the engines, the API and the workers. Ctrl-C stops all.",
    "demo": "Start everything, load real orders and simulated channels, and say what to try.",
    "api": "Run one API process: doors, queries and the desk.",
    "prepare": "Create the topics and run the migrations on the engines that the settings name, and end.",
    "keys": "Make, list, rotate and revoke the keys by which systems send and people read.",
    "send": "Send events, JSON lines, through the HTTP door.",
    "import": "Import a file of rows: CSV, a workbook, JSON lines or Parquet.",
    "drop": "Watch the folder where partners drop files, and import them.",
    "dead-letters": "What was refused: count, look, correct, replay.",
    "erase": "Forget a customer for good, and print the receipt.",
    "asterisk": "A call center on Asterisk: its calls as they happen, and from its files.",
    "worker": "Run one worker process: the stream processors.",
    "status": "Show engines, lag, rates and the age of what people see.",
    "wait": "Return when everything that was accepted before is in the views.",
    "evaluate": "Run exactly the live code over files, with no engines.",
    "learn": "Show what churn models learnt, and by which snapshot scores are given; go back to another one.",
    "replay": "Say what another model would have said, without side effects.",
    "verify": "Fold the log again apart from the live tables and compare.",
    "bench": "Measure Yekta on this machine against the barest program that does the same.",
    "rebuild": "Fold the log into new read models beside live traffic, then switch.",
}


def build() -> App:
    """The command line, with nothing of it imported yet; what reads it is imported here, where Ctrl-C leaves no stack trace."""
    from cyclopts import App

    app = App(name="yekta", help="One log, one view of each customer, signals in real time.", version=_version)
    for name, purpose in COMMANDS.items():
        attribute = name.replace("-", "_") + ("_" if keyword.iskeyword(name) else "")
        app.command(f"infra.cli.{attribute}:{attribute}", name=name, help=purpose)
    return app


def main() -> None:
    """Run the command; what cannot be done is said in one sentence on stderr, and the exit code is not zero."""
    for library in ("aiokafka", "psycopg.pool"):  # where nobody keeps a log, what they tell is in the sentence
        logging.getLogger(library).addHandler(logging.NullHandler())
    try:
        build()()
    except Refusal as refusal:
        _refuse(refusal)
    except KeyboardInterrupt:  # while the command is still being imported; cyclopts does the same once it runs
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # `yekta … | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        known = refusal_of(error) if isinstance(error, OSError) else unreachable(error) or _older(error)
        if known is None:
            raise
        _refuse(known)


def _older(error: Exception) -> Refusal | None:
    """What was read is not there: whether the database is not migrated yet, as while an older `yekta up` still runs."""
    psycopg = sys.modules.get("psycopg")
    if psycopg is None or not isinstance(error, psycopg.ProgrammingError):
        return None
    import asyncio

    from infra import database
    from infra.endpoints import endpoints
    from infra.settings import load

    try:
        return asyncio.run(database.behind(endpoints(load()).dsn))
    except (Refusal, psycopg.Error):
        return None


def _refuse(refusal: Refusal) -> None:
    say(refusal)
    sys.exit(REFUSED)


def _version() -> str:
    from importlib.metadata import version

    return version("yekta")
