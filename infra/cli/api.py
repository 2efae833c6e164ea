"""`yekta api`: one API process."""

from infra.bootstrap import run_api
from infra.engines.ports import refuse_used
from infra.settings import load


def api(*, host: str | None = None, port: int | None = None) -> None:
    """Run one API process: doors, queries and the desk.

    Parameters
    ----------
    host
        Where to listen, instead of YEKTA_API__HOST.
    port
        Where to listen, instead of YEKTA_API__PORT.
    """
    settings = load(api=listening(host, port))
    refuse_used(settings.api.port, settings.api.host)
    run_api(settings)


def listening(host: str | None, port: int | None) -> dict[str, object]:
    """The API settings that the command line gives; the others come from the environment."""
    return {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
