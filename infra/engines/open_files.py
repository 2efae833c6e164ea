"""How many files may be open at once: Kafka keeps some for each of its segments, and children inherit what `yekta up` is allowed."""

import resource

from infra.errors import Refusal

LEAST = 1024
_WANTED = 65_536


def allow() -> None:
    """Let this process and its children open as many as the system grants. Raises Refusal when those are too few for the engines."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    granted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if granted < LEAST:
        raise Refusal(
            f"Only {granted} files may be open at once here; the engines need {LEAST:,} or more.",
            "Raise the limit: `ulimit -n 65536`, or LimitNOFILE= of a systemd unit.",
        )
    if soft != resource.RLIM_INFINITY and soft < granted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
