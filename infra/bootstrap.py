"""The one place where settings, adapters and rooms are put together into a process."""

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
    from infra import telemetry
    from infra.working import work

    telemetry.configure(name)
    work(settings, name)
