"""The call that a page of the desk is about, as its address names it. Reading order: call_of."""

from fastapi import Request

from api import calls, query
from api.ports import Connection, Dependencies
from projections.calls import table
from projections.calls.table import Call


def call_id(request: Request) -> str:
    """The id in the address; empty: it is about none."""
    return query.text(request, "call", 256) or ""


async def call_of(request: Request, dependencies: Dependencies, connection: Connection) -> tuple[Call | None, str | None]:
    """The call, and its number."""
    id_ = call_id(request)
    call = await table.load(connection, id_, dependencies.clock()) if id_ else None
    if call is None:
        return None, None
    return call, await calls.number_of(dependencies, connection, call)
