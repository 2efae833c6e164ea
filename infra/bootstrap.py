"""The one place where settings, adapters and rooms are put together into a process."""

from infra.settings import Settings


def run_api(settings: Settings) -> None:
    """Serve the API until SIGTERM."""
    import uvloop

    from infra.serving import serve

    uvloop.run(serve(settings))


def run_worker(settings: Settings, name: str) -> None:
    """Work until SIGTERM."""
    from infra.working import work

    work(settings, name)
