"""The desk's lists: service requests by owner and due time, who looked at whom.

Reading order: add.
"""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api import access, cursor, customers, looks, query
from api.desk import besides
from api.desk.rendering import page
from api.ports import Dependencies
from projections.service import table
from projections.service.table import Filter

SHOWN = 30
LISTS = ("mine", "unowned", "late", "all")


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of the lists."""

    @routes.get("/requests")
    async def listed(request: Request) -> Response:
        """Requests, those due first first."""
        asking = access.staff(request, dependencies, access.INSIDE)
        which = query.choice(request, "list", LISTS) or ("mine" if asking.role in access.SERVICE else "all")
        queue = query.text(request, "queue", 256) or None
        lists = {"mine": Filter(owner=asking.name), "unowned": Filter(owner=""), "late": Filter(sla="late"), "all": Filter()}
        now = dependencies.clock()
        async with dependencies.pool.connection() as connection:
            customer = await customers.asked(request, connection, await dependencies.schema())
            wanted = lists[which]._replace(queue=queue, customer=customer)
            if customer is not None:
                await looks.note(request, connection, asking, customer, "requests")
            after = cursor.place(query.text(request, "cursor"))
            rows = await table.page(connection, wanted, now, after, SHOWN + 1, live=True)
        lines = [(besides.line(row.request, now), row.customer, row.request.queue) for row in rows[:SHOWN]]
        kept = ({"queue": queue} if queue else {}) | ({"customer": str(customer)} if customer else {})
        following = None
        if len(rows) > SHOWN:
            last = rows[SHOWN - 1].request
            following = "?" + urlencode({"list": which} | kept | {"cursor": cursor.token(last.due, last.id)})
        ways = [(name, "?" + urlencode({"list": name} | kept)) for name in LISTS]
        return page(
            request, dependencies, "requests.html", lines=lines, which=which, ways_on=ways, queue=queue, of=customer, following=following
        )

    @routes.get("/access-log")
    async def access_log(request: Request) -> Response:
        """Who looked at whom."""
        access.staff(request, dependencies, access.ADMINS)
        async with dependencies.pool.connection() as connection:
            found = await looks.page(request, connection)
        kept = {name: value for name in ("customer", "who") if (value := query.text(request, name, 256))}
        following = "?" + urlencode(kept | {"cursor": found.next}) if found.next else None
        return page(request, dependencies, "access_log.html", looks=found.items, following=following)
