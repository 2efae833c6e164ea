"""How much of a machine's memory PostgreSQL holds pages in, beside Kafka, the workers and whatever else runs there."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

LEAST, MOST = 128, 2048
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def pages() -> int:
    """MB for `shared_buffers` on this machine, or in this container. It is taken as pages come to be needed, and not before."""
    return pages_of([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_limits()])


def pages_of(limits: Iterable[int]) -> int:
    """The same under these limits, in bytes: an eighth of the narrowest. A machine for PostgreSQL alone would give it a quarter."""
    return max(LEAST, min(MOST, min(limits) // 8 // 2**20))


def _limits() -> Iterable[int]:
    """What a container may take, in version 2 and 1 of control groups."""
    for limit in _LIMITS:
        with suppress(OSError, ValueError):  # there is none, or it says "max"
            yield int(limit.read_text())
