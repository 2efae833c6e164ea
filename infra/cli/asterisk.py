"""`yekta asterisk`: a call center's calls, as they happen and from its files, each once.

$ yekta asterisk connect --host 10.0.0.5 --username yekta --secret …
$ yekta asterisk import --queue-log /var/log/asterisk/queue_log --cdr /var/log/asterisk/cdr-csv/Master.csv
"""

import asyncio
import json as json_
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from infra.errors import Refusal

if TYPE_CHECKING:
    from infra.settings import Settings

asterisk = App(name="asterisk", help=__doc__)

Key = Annotated[str | None, Parameter(env_var="YEKTA_KEY")]


@asterisk.command
def connect(
    *,
    host: str | None = None,
    port: int | None = None,
    username: str | None = None,
    secret: str | None = None,
    name: str | None = None,
    url: str | None = None,
    key: Key = None,
) -> None:
    """Listen to a PBX and tell the log of its calls, until Ctrl-C. `yekta up` does this by itself when YEKTA_ASTERISK__HOST is set.

    Parameters
    ----------
    host
        Where Asterisk's manager listens, or YEKTA_ASTERISK__HOST.
    port
        Its port; 5038.
    username
        A user of manager.conf that may read `call` and `agent` and write `reporting`; or YEKTA_ASTERISK__USERNAME.
    secret
        His secret, or YEKTA_ASTERISK__SECRET.
    name
        By which name the PBX is a source here; or YEKTA_ASTERISK__NAME.
    url
        Where the API is, instead of the one that runs in this home.
    key
        A write key, or YEKTA_KEY; else one is made and kept in this home.
    """
    import uvloop

    from infra import telemetry
    from infra.asterisk.connector import Connector, Pbx
    from infra.asterisk.store import Store
    from infra.cli.send import running_api
    from infra.home import Home
    from infra.settings import load

    settings = load()
    said = settings.asterisk
    if not (host or said.host):
        raise Refusal("Nothing says where Asterisk is.", "Say it with --host, or YEKTA_ASTERISK__HOST.")
    known = secret or (said.secret.get_secret_value() if said.secret else "")
    pbx = Pbx(name or said.name, str(host or said.host), port or said.port, username or said.username, known)
    telemetry.configure("asterisk")
    where = url or running_api()
    own = key or _key(settings, pbx.name, url)
    store = Store(Home(settings.home).folder / "asterisk" / f"{pbx.name}.sqlite")
    try:
        with suppress(KeyboardInterrupt):
            uvloop.run(Connector(pbx, store, where, own).run())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    finally:
        store.close()


@asterisk.command(name="import")
def import_(
    *,
    queue_log: Path | None = None,
    cdr: Path | None = None,
    name: str | None = None,
    url: str | None = None,
    key: Key = None,
    json: bool = False,
) -> None:
    """Bring past calls from queue_log and cdr-csv; what was heard live, or came before, is left out.

    Parameters
    ----------
    queue_log
        /var/log/asterisk/queue_log, also a rotated one.
    cdr
        /var/log/asterisk/cdr-csv/Master.csv; cdr.conf needs `loguniqueid = yes`.
    name
        By which name the PBX is a source here; or YEKTA_ASTERISK__NAME.
    url
        Where the API is, instead of the one that runs in this home.
    key
        A write key, or YEKTA_KEY; else the one that is kept in this home.
    json
        One JSON object, for programs.
    """
    from infra.asterisk import cdr as cdr_files
    from infra.asterisk import queue_log as queue_logs
    from infra.asterisk.reconcile import bring, merged
    from infra.cli.send import running_api
    from infra.settings import load

    if queue_log is None and cdr is None:
        raise Refusal("Nothing says which file.", "Say it with --queue-log or --cdr.")
    settings = load()
    pbx = name or settings.asterisk.name
    facts = merged(queue_logs.read(_lines(queue_log)), cdr_files.read(_lines(cdr), settings.zone))
    where = url or running_api()
    result = asyncio.run(bring(facts, f"/asterisk/{pbx}", where, key or _key(settings, pbx, url)))
    if json:
        said = {"facts": result.facts, "known": result.known, "accepted": result.accepted, "rejected": result.rejected}
        print(json_.dumps(said, ensure_ascii=False))
    else:
        counts = f"{result.accepted:,} accepted, {result.known:,} known before, {len(result.rejected):,} refused"
        print(f"{result.facts:,} facts of calls: {counts}")
        for one in result.rejected[:20]:
            print(f"  {one['call']} {one['what']}: {one['detail']}")
    if result.rejected:
        sys.exit(1)


def _lines(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        return file.read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}.") from error


def _key(settings: "Settings", name: str, url: str | None) -> str:
    from infra.importing.source_keys import key_of

    if url is not None:
        raise Refusal("Another API wants a write key.", "Give it with --key, or as YEKTA_KEY.")
    return asyncio.run(key_of(settings, name))
