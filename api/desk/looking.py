"""Reads what a customer's page shows, with the same functions and the same masks as the API.

Reading order: look, told; `live` goes on from where `look` began.
"""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request

from api import access, customers, masks, position, query
from api.desk.customer import customer
from api.desk.entries import Day, days, entry
from api.desk.locale import Locale
from api.desk.rendering import locale_of
from api.ports import Connection, Dependencies
from api.problem import invalid, not_found
from projections.positions import table as positions
from projections.timeline import page as paging
from projections.view import reading
from projections.view import table as views

KINDS = frozenset({"name", "phone", "email", "customer_number", "national_id", "user_id", "account", "social", "reference"})

AT_FIRST = 20
"""How many events a page begins with: an agent looks at the latest, and the page must be there at once. Older ones come by fifties."""


async def look(request: Request, dependencies: Dependencies, asked: UUID, role: str) -> dict[str, Any]:
    """Everything the template of a customer's page wants. Raises a 404 problem when nobody is known by this id."""
    locale = locale_of(request, dependencies)
    channel, cursor = query.text(request, "channel", 64) or None, query.text(request, "cursor")
    limit = AT_FIRST if cursor is None and "limit" not in request.query_params else query.limit(request)
    by, until = query.text(request, "by"), query.time(request, "until")
    async with dependencies.pool.connection() as connection:
        schema = await dependencies.schema()
        ends = await positions.positions(connection, "customer")  # before the rows: what comes meanwhile is streamed, not missed
        owner = await customers.present(connection, schema, asked)
        merged_from = asked if owner != asked else None
        shown = await told(dependencies, connection, schema, owner, role, locale, merged_from)
        if shown is None:
            raise not_found(customers.UNKNOWN)
        try:
            rows, following = await paging.page(connection, schema, owner, cursor, limit, channel=channel, until=until)
        except paging.BadCursor as error:
            raise invalid("/query/cursor", "This is no cursor that Yekta gave.") from error
        items = await customers.items(dependencies, connection, list(rows), role)
    matched = {"by": by} if by in KINDS else {}
    filtered = matched | ({"channel": channel} if channel else {})
    listening = {"from": position.token(ends), **filtered} | ({"merged_from": str(merged_from)} if merged_from else {})
    further = filtered | ({"cursor": following} if following else {})
    return {
        "customer": shown,
        "by": matched.get("by"),
        "filters": [(name, "?" + urlencode(matched | ({"channel": name} if name else {}))) for name in (None, *shown.channels)],
        "newest_of": "?" + urlencode(filtered),
        "days": _days(items, locale),
        "channel": channel,
        "older": f"/customers/{owner}?{urlencode(further)}#timeline-title" if following else None,
        "whole": channel is None,
        "newest": cursor is None and until is None,
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
) -> Any:
    """What the regions show of a customer; None when he has no view any more."""
    looked = await views.look(connection, schema, owner, dependencies.clock())
    if looked is None:
        return None
    view = reading.read(owner, looked.state, looked.windows, looked.at, moving=looked.moving)
    return customer(masks.view(view, role), merged_from, locale)


def _days(items: list[customers.Item], locale: Locale) -> list[Day]:
    return days((entry(item, locale) for item in items), locale)
