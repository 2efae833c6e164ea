"""The one place where settings, adapters and rooms are put together into a process.

While they are imported nobody looks for cycles: what is imported stays, and going through it again and again was a tenth of a start.
"""

import gc
import os

from infra.settings import Settings


def run_api(settings: Settings) -> None:
    """Serve the API until SIGTERM."""
    gc.disable()
    import uvloop

    from infra import telemetry
    from infra.serving import serve

    gc.enable()
    telemetry.configure("api")
    uvloop.run(serve(settings))


def run_worker(settings: Settings, name: str) -> None:
    """Work until SIGTERM."""
    # Small matrices gain nothing from a second thread, and wait for it; it is asked when numpy is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()
    from infra import telemetry
    from infra.working import work

    gc.enable()
    telemetry.configure(name)
    work(settings, name)
