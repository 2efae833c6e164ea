"""The desk's pages of accounts and households: a list, and one with its people in their roles and all that they come to together.

The same functions as the API's do the work. Reading order: add.
"""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api import access, accounts, cursor, looks, query
from api.answers import path_id
from api.desk.rendering import locale_of, page
from api.desk.tables import ORDER
from api.ports import Dependencies
from projections.accounts import table

SHOWN, LONGEST = 50, 100
KINDS = ("account", "household")


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of accounts."""

    @routes.get("/accounts")
    async def listed(request: Request) -> Response:
        """Accounts of companies or households, the newest first, then households that only share an address."""
        access.staff(request, dependencies, access.INSIDE)
        kind = query.choice(request, "kind", KINDS) or "account"
        words, unreadable = query.words(request, "words", LONGEST)
        after = cursor.place(query.text(request, "cursor"))
        async with dependencies.pool.connection() as connection:
            found = await table.page(connection, SHOWN + 1, kind=kind, words=None if unreadable else words or None, after=after)
            lines = [accounts.shown(one) for one in found[:SHOWN]]
            if kind == "household" and len(found) <= SHOWN and not words:
                lines += [accounts.by_address(*one) for one in await table.at_one_address(connection, SHOWN)]
        further = {"kind": kind} | ({"words": words} if words else {})
        following = None
        if len(found) > SHOWN:
            following = "?" + urlencode(further | {"cursor": cursor.token(found[SHOWN - 1].at, found[SHOWN - 1].id)})
        shown = {"lines": lines, "kind": kind, "kinds": KINDS, "words": words, "unreadable": unreadable, "longest": LONGEST}
        status = 422 if unreadable else 200
        return page(request, dependencies, "accounts.html", status, query=None, following=None if unreadable else following, **shown)

    @routes.get("/accounts/{id}")
    async def one(request: Request) -> Response:
        """One, its people, what stands above and below it, and all of it together."""
        asking, id_ = access.staff(request, dependencies, access.INSIDE), path_id(request)
        async with dependencies.pool.connection() as connection:
            shown = await accounts.view(dependencies, connection, id_, asking.role)
            for member in shown.members:
                await looks.note(request, connection, asking, member.customer_id, f"account {shown.account.name}")
        locale = locale_of(request, dependencies)
        channels = sorted(shown.together.channels.items(), key=lambda one: (ORDER.index(one[0]) if one[0] in ORDER else len(ORDER), one[0]))
        worths = [locale.money(total, currency) for currency, total in shown.together.worth.items()]
        named = {account.id: account.name for account in (shown.account, *shown.above, *shown.below)}
        return page(request, dependencies, "account.html", shown=shown, channels=channels, worths=worths, named=named)
