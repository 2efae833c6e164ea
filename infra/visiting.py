"""The one-time token with which whoever starts an installation opens its desk, as Jupyter does it."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

from aggregates.access import Role
from infra.access import KeyStore
from infra.endpoints import endpoints
from infra.settings import Settings

ROLE: Role = "admin"
WITHIN = timedelta(days=1)


async def address(settings: Settings, url: str, by: str) -> str:
    """The address of the desk with a new token: good once, within a day."""
    now = datetime.now(UTC)
    with closing(KeyStore(endpoints(settings).dsn, lambda: now)) as store:
        minted = await store.create(by, role=ROLE, label="one time", until=now + WITHIN, once=True)
    return f"{url}/?token={minted.secret}"


def line(address_: str) -> str:
    """How a person is told, in rich's markup."""
    return f"Open the desk (once, within a day):  [bold]{address_}[/]"
