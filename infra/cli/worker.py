"""`yekta worker`: one worker process."""

from infra.bootstrap import run_worker
from infra.settings import load


def worker(*, name: str = "worker-1") -> None:
    """Run one worker process: the stream processors. Any number of them share the partitions.

    Parameters
    ----------
    name
        Its own name: two workers that run at the same time must not share one.
    """
    run_worker(load(), name)
