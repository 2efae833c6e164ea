"""Reads what a customer's page shows, with the same functions and the same masks as the API.

Reading order: look, told, met; `live` goes on from where `look` began.
"""

from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from fastapi import Request

from aggregates.normal.persian import plain
from api import access, customers, looks, masks, position, query
from api.access import Caller
from api.answers import path_id
from api.desk import besides
from api.desk.besides import Beside
from api.desk.call import call_of
from api.desk.customer import Customer, customer
from api.desk.entries import Day, days, entry
from api.desk.forms import due
from api.desk.locale import Locale
from api.desk.rendering import locale_of
from api.ports import Connection, Dependencies
from api.problem import invalid, not_found
from projections.alike import Alike
from projections.calls import table as seats
from projections.knowledge import table as knowledge
from projections.positions import table as positions
from projections.timeline import page as paging
from projections.timeline.since import Edition, written
from projections.view import table as views

KINDS = frozenset({"name", "phone", "email", "customer_number", "national_id", "user_id", "account", "social", "reference"})

OUTCOMES = ("solved", "promised", "request", "follow_up", "no_answer", "wrong_number")
CATEGORIES = ("question", "complaint", "delivery", "billing", "product", "other")

AT_FIRST = 16
"""How many events a page begins with: an agent looks at the latest, and the page must be there at once. Older ones come by fifties."""


class Told(NamedTuple):
    """What the regions of a page show."""

    customer: Customer
    beside: Beside
    edition: Edition | None  # of the view that is shown; None as of another time


async def met(request: Request, dependencies: Dependencies, connection: Connection, asking: Caller, what: str) -> tuple[UUID, str]:
    """Whom a page of `what` is about, as he is now, and his name; that he was looked at is written down. Raises 404 and 410 problems."""
    schema = await dependencies.schema()
    customer = await customers.present(connection, schema, path_id(request))
    await looks.note(request, connection, asking, customer, what)
    found = await customers.look(dependencies, schema, customer)
    return customer, found.view(customer).name.display if found else ""


async def look(request: Request, dependencies: Dependencies, asked: UUID, asking: Caller) -> dict[str, Any]:
    """Everything the template of a customer's page wants. Raises a 404 problem when nobody is known by this id."""
    role = asking.role
    locale = locale_of(request, dependencies)
    channel, cursor = query.text(request, "channel", 64) or None, query.text(request, "cursor")
    limit = AT_FIRST if cursor is None and "limit" not in request.query_params else query.limit(request)
    by, until = query.text(request, "by"), query.time(request, "until")
    async with dependencies.pool.connection() as connection:
        schema = await dependencies.schema()
        ends = await positions.positions(connection, "customer")  # before the rows: what comes meanwhile is streamed, not missed
        async with dependencies.by_key.connection() as keyed:
            owner = await customers.present(keyed, schema, asked)
        merged_from = asked if owner != asked else None
        await looks.note(request, connection, asking, owner, "page")
        as_of = _as_of(request, dependencies)
        found = await told(dependencies, connection, schema, owner, role, locale, merged_from, as_of)
        if found is None:
            raise not_found(customers.UNKNOWN)
        shown, beside, edition = found
        call, number = await call_of(request, dependencies, connection)
        extension = await seats.extension_of(connection, asking.name)
        scripts = await knowledge.scripts(connection, reason=call.queue) if call is not None and call.queue else []
        until = until or as_of
        try:
            rows, following = await paging.page(connection, schema, owner, cursor, limit, channel=channel, until=until)
        except paging.BadCursor as error:
            raise invalid("/query/cursor", "This is no cursor that Yekta gave.") from error
        items = await customers.items(dependencies, connection, list(rows), role)
    matched = ({"by": by} if by in KINDS else {}) | ({} if as_of is None else {"as_of": as_of.isoformat()})  # another day stays another day
    filtered = matched | ({"channel": channel} if channel else {})
    listening = {"from": position.token(ends), **filtered} | ({"merged_from": str(merged_from)} if merged_from else {})
    if edition is not None and not beside.failed:  # what failed is read again as soon as the page listens
        listening["shown"] = written(edition)
    if extension:
        listening["extension"] = extension
    if call is not None:
        listening["call"] = call.call_id
    further = filtered | ({"cursor": following} if following else {})
    return {
        "customer": shown,
        "beside": beside,
        "id": owner,
        "call": call,
        "number": number,
        "call_scripts": [standing.script for standing in scripts],
        "extension": extension,
        "as_of": as_of,
        "days_ago": 0 if as_of is None else max(0, (dependencies.clock() - as_of).days),
        "draft": str(uuid4()),
        "outcomes": OUTCOMES,
        "categories": CATEGORIES,
        "may_split": role in access.SERVICE and as_of is None,
        "call_query": urlencode({"call": call.call_id}) if call else "",
        "may_act": role in access.SERVICE and as_of is None,
        "by": matched.get("by"),
        "filters": [(name, "?" + urlencode(matched | ({"channel": name} if name else {}))) for name in (None, *shown.channels)],
        "newest_of": "?" + urlencode(filtered),
        "days": _days(items, locale),
        "channel": channel,
        "older": f"/customers/{owner}?{urlencode(further)}#timeline-title" if following else None,
        "whole": channel is None,
        "newest": cursor is None and until == as_of,
        "suffix": "",
        "stream": f"/customers/{owner}/live?{urlencode(listening)}" if role in access.INSIDE and cursor is None and until is None else "",
    }


async def told(
    dependencies: Dependencies,
    connection: Connection,
    schema: str,
    owner: UUID,
    role: str,
    locale: Locale,
    merged_from: UUID | None,
    as_of: datetime | None = None,
    alike: Alike | None = None,
) -> Told | None:
    """What the regions show of a customer, now or as of a time; None when he has no view (any more, or yet)."""
    if as_of is not None:
        view = await customers.view_at(dependencies, connection, schema, owner, as_of, as_of)
        if view is None or not view.events:  # a history that came later: what had happened by then, though nobody had told us yet
            view = await customers.view_at(dependencies, connection, schema, owner, as_of, None) or view
        if view is None:
            return None
        beside = await besides.as_of(dependencies, connection, owner, role, as_of, locale)
        return Told(customer(masks.view(view, role), merged_from, locale), beside, None)
    async with dependencies.by_key.connection() as keyed:
        looked = await views.look(keyed, schema, owner, dependencies.clock())
        if looked is None:
            return None
        view = looked.view(owner)
        beside = await besides.read(dependencies, connection, keyed, schema, view, role, locale, alike or Alike())
    edition = Edition(looked.log_partition, looked.log_offset, looked.state.events, looked.moving)
    return Told(customer(masks.view(view, role), merged_from, locale), beside, edition)


def _as_of(request: Request, dependencies: Dependencies) -> datetime | None:
    """As of when: a time, the end of a day in either calendar, or so many days ago, as the slider says it without a script."""
    days = query.text(request, "days", 6) or ""
    if days.isascii() and days.isdecimal() and int(days) > 0:
        return dependencies.clock() - timedelta(days=int(days))
    zone, said = ZoneInfo(dependencies.zone), query.text(request, "as_of", 64) or ""
    if len(plain(said)) <= len("1998-03-10") and (when := due(said, zone)) is not None:
        return min(datetime.combine(when.date(), time(23, 59, 59), zone), dependencies.clock())
    return query.time(request, "as_of")


def _days(items: list[customers.Item], locale: Locale) -> list[Day]:
    return days((entry(item, locale) for item in items), locale)
