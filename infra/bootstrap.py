"""The one place where settings, adapters and rooms are put together into a process."""

from infra.settings import Settings


def run_api(settings: Settings) -> None:
    """Serve the API until SIGTERM."""
    import uvicorn
    from fastapi import FastAPI

    app = FastAPI(title="Yekta")

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    uvicorn.run(app, host=settings.api.host, port=settings.api.port, log_level="warning")


def run_worker(settings: Settings, name: str) -> None:
    """Work until SIGTERM."""
    from infra.working import work

    work(settings, name)
