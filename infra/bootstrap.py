"""The one place where settings, adapters and rooms are put together into a process."""

import os

from infra.settings import Settings


def run_api(settings: Settings) -> None:
    """Serve the API until SIGTERM."""
    import uvloop

    from infra import telemetry
    from infra.serving import serve

    telemetry.configure("api")
    uvloop.run(serve(settings))


def run_worker(settings: Settings, name: str) -> None:
    """Work until SIGTERM."""
    # Small matrices gain nothing from a second thread, and wait for it; it is asked when numpy is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from infra import telemetry
    from infra.working import work

    telemetry.configure(name)
    work(settings, name)
