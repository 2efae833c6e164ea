"""`yekta worker`: one worker process."""

import socket

from infra.bootstrap import run_worker
from infra.settings import load


def worker(*, name: str | None = None) -> None:
    """Run one worker process: the stream processors. Any number of them share the partitions.

    Parameters
    ----------
    name
        Its name in the consumer group; this machine's if none is given. Workers that run at the same time must not share one.
    """
    run_worker(load(), name or socket.gethostname())
