"""The desk's areas, and who is shown the way to each: one line an area. Reading order: PLACES, Ways."""

from typing import NamedTuple

from aggregates.access import Role
from api import access
from api.call_list import CALLERS


class Place(NamedTuple):
    """An area: its address, the message that names it, and who may go there."""

    address: str
    name: str
    roles: tuple[Role, ...]
    daily: bool = False  # stands in the bar where there is room; all of them are in the menu


PLACES = (
    Place("/", "nav.desk", access.EVERYONE, daily=True),
    Place("/requests", "nav.requests", access.INSIDE, daily=True),
    Place("/board", "nav.board", access.OPERATORS, daily=True),
    Place("/knowledge", "nav.knowledge", access.INSIDE, daily=True),
    Place("/calls", "nav.call_list", CALLERS),
    Place("/rules", "nav.marketing", ("marketer", "analyst", "supervisor", "admin")),
    Place("/models/churn", "nav.model", ("supervisor", "marketer", "analyst", "admin")),
    Place("/contacts", "nav.contacts", ("marketer", "analyst", "supervisor", "admin")),
    Place("/accounts", "nav.accounts", access.INSIDE),
    Place("/identity", "nav.identity", access.INSIDE),
    Place("/dead-letters", "nav.letters", access.OPERATORS),
    Place("/sources", "nav.sources", access.OPERATORS),
    Place("/access-log", "nav.access_log", access.ADMINS),
)


def ways(role: str) -> list[Place]:
    """The areas that somebody of this role is shown."""
    return [place for place in PLACES if role in place.roles]
