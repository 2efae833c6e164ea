"""The desk's areas, and who is shown the way to each: one line an area. Reading order: PLACES, ways."""

from typing import NamedTuple

from aggregates.access import Role
from api import access
from api.call_list import CALLERS
from api.declared import READERS


class Place(NamedTuple):
    """An area: its address, the message that names it, and who may go there."""

    address: str
    name: str
    roles: tuple[Role, ...]
    daily: tuple[Role, ...] = ()  # in whose bar it stands where there is room; all of them are in the menu


class Way(NamedTuple):
    """The way to an area, as one of a role is shown it."""

    address: str
    name: str
    daily: bool


PLACES = (
    Place("/", "nav.desk", access.EVERYONE, access.EVERYONE),
    Place("/requests", "nav.requests", access.INSIDE, access.SERVICE),
    Place("/board", "nav.board", access.OPERATORS, access.OPERATORS),
    Place("/knowledge", "nav.knowledge", access.INSIDE, access.SERVICE),
    Place("/calls", "nav.call_list", CALLERS, ("agent",)),
    Place("/rules", "nav.marketing", READERS, ("marketer", "analyst")),
    Place("/models/churn", "nav.model", READERS, ("analyst",)),
    Place("/contacts", "nav.contacts", READERS, ("marketer", "analyst")),
    Place("/accounts", "nav.accounts", access.INSIDE),
    Place("/identity", "nav.identity", access.INSIDE),
    Place("/dead-letters", "nav.letters", access.OPERATORS),
    Place("/sources", "nav.sources", access.OPERATORS),
    Place("/access-log", "nav.access_log", access.ADMINS),
)


def ways(role: str) -> list[Way]:
    """The areas that somebody of this role is shown."""
    return [Way(place.address, place.name, role in place.daily) for place in PLACES if role in place.roles]
