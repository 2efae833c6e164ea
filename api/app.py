"""Puts the doors, the queries and the operators' pages together into one ASGI application.

Everything it needs comes in as `Dependencies`; it starts and stops nothing. Reading order: create, then the module of each router.
"""

from fastapi import FastAPI

from api import (
    accounts,
    answering,
    asked_first,
    call_list,
    calls,
    contact_policy,
    contacts,
    customers,
    dead_letters,
    decisions,
    deliveries,
    docs,
    duplicate_weights,
    duplicates,
    erasures,
    events,
    identity,
    identity_conflicts,
    identity_rules,
    imports,
    keys,
    knowledge,
    looks,
    mappings,
    models,
    openapi,
    operations,
    rehearsing,
    schemas,
    score,
    segments,
    service_requests,
    signal_stream,
    signals,
    sources,
    stream,
    triggers,
    web,
    webhooks,
)
from api.desk import pages as desk
from api.hanging_up import Patient
from api.heads import heads
from api.metrics import Measured
from api.ports import Dependencies
from api.shelving import Shelved

VERSION = "1"


ROOMS = (
    events,
    imports,
    sources,
    mappings,
    web,
    asked_first,
    customers,
    score,
    models,
    identity,
    identity_rules,
    identity_conflicts,
    duplicate_weights,
    duplicates,
    erasures,
    accounts,
    stream,
    dead_letters,
    keys,
    deliveries,
    webhooks,
    contact_policy,
    contacts,
    call_list,
    decisions,
    service_requests,
    calls,
    looks,
    knowledge,
    rehearsing,
    triggers,
    signals,
    segments,
    signal_stream,
    schemas,
    operations,
    docs,
    desk,
)


def create(dependencies: Dependencies) -> FastAPI:
    """The application over these dependencies."""
    routes = [route for room in ROOMS for route in room.router(dependencies).routes]
    app = FastAPI(
        title="Yekta", version=VERSION, docs_url=None, redoc_url=None, redirect_slashes=False, routes=[Shelved([*routes, *heads(routes)])]
    )
    app.state.dependencies = dependencies
    answering.install(app)
    desk.told_on_pages(app, dependencies)
    app.add_middleware(Measured)
    app.add_middleware(Patient)
    app.openapi = lambda: openapi.document(app, routes)  # type: ignore[method-assign]
    return app
