"""`yekta wait`: returns when all that was accepted before it was called is folded."""

import asyncio
import sys
from typing import Annotated

from cyclopts import Parameter, validators

from infra import waiting
from infra.cli.progress import bar
from infra.errors import SAYS
from infra.settings import load


def wait(*, timeout: Annotated[float | None, Parameter(validator=validators.Number(gte=0))] = None) -> None:
    """Return when everything that was accepted before this call is in the views; say on stderr when nothing moves, and why.

    Example: `yekta send events.jsonl && yekta wait && yekta status`

    Parameters
    ----------
    timeout
        Give up after this many seconds, with a non-zero exit code; 0 looks once.
    """
    with bar("catching up") as show:
        asyncio.run(waiting.wait(load(), show, within=timeout, say=_say))


def _say(sentence: str) -> None:
    print(f"{SAYS}{sentence}", file=sys.stderr, flush=True)
