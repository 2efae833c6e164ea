"""`yekta drop`: watches the folder where partners drop files, and imports them. `yekta up` runs it when YEKTA_DROP__FOLDER is set."""

from contextlib import suppress
from pathlib import Path

from infra.errors import Refusal


def drop(*, folder: Path | None = None, url: str | None = None) -> None:
    """Watch a folder and import what comes, until Ctrl-C.

    `<folder>/<source>/` holds `mapping.yaml` (its `type` says what the rows are) and the files; they go to `done/` or `refused/`, each with
    a report beside it. YEKTA_DROP__MAPPINGS may name another mapping of a source.

    Parameters
    ----------
    folder
        The folder, or YEKTA_DROP__FOLDER.
    url
        Where the API is, instead of the one that runs in this home; the database must be this home's.
    """
    import uvloop

    from infra import telemetry
    from infra.cli.send import running_api
    from infra.home import Home
    from infra.importing.dropped import Watch
    from infra.importing.source_keys import key_of
    from infra.settings import load

    settings = load()
    watched = folder or settings.drop.folder
    if watched is None:
        raise Refusal("Nothing says which folder.", "Say it with --folder, or YEKTA_DROP__FOLDER.")
    telemetry.configure("drop")
    memory = Home(settings.home).folder / "imports"
    watch = Watch(watched.absolute(), url or running_api(), lambda source: key_of(settings, source), memory, settings.drop.mappings)
    with suppress(KeyboardInterrupt):
        uvloop.run(watch.run(settings.drop.every))
