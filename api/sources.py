"""Sources: what is set of each, what arrives from it now, and its own events as they land, for whoever connects a channel system.

Settings are decisions and hold for all keys of the source at once. Reading order: SourceShown, router, `_shown`, `_decide`.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates import source_settings
from aggregates.access import Key
from aggregates.decision import Overtaken
from aggregates.source import Source
from aggregates.source_settings import Event, NotAllowed, State
from api import access, body, openapi, tailing
from api.access import Caller
from api.answers import json
from api.decoding import decoded
from api.key_ring import secret_of
from api.keys import Name, check_zone
from api.ports import Dependencies
from api.problem import Problem, forbidden, invalid, not_found, unavailable
from api.snippets import snippets
from projections.arrivals import table
from projections.arrivals.table import Refusals, Seen

INBOX = "inbox"
HEARD = 2.0
TRIES = 5
VIOLATIONS = frozenset(
    {"missing_field", "wrong_type", "wrong_value", "wrong_time", "wrong_money", "not_an_identifier", "unknown_type", "unknown_version"}
)
"""The reasons that say that an event broke its type's schema."""


class TypeSeen(msgspec.Struct, frozen=True):
    """A type that came from the source."""

    type: str
    events: int
    first: datetime
    last: datetime


class Rejects(msgspec.Struct, frozen=True):
    """So many of its events were refused for one reason at one place; `/*` stands for any item of a list."""

    reason: str
    pointer: str
    count: int
    open: int  # not replayed
    last: datetime


class KeyOf(msgspec.Struct, frozen=True):
    """A live key of the source; a key under rotation has two secrets that work."""

    id: str
    label: str
    secrets: list[str]  # how each ends


class SourceBrief(msgspec.Struct, frozen=True, kw_only=True):
    """A source, and whether anything comes from it."""

    name: str
    disabled: bool
    rate: float  # events a second, over the last minute
    events: int
    last_event_at: datetime | None
    rejected: int
    rejected_open: int
    keys: int  # live ones


class SourceShown(SourceBrief, frozen=True, kw_only=True):
    """A source with its settings, and what arrives from it."""

    settings: Source
    disabled_because: str
    types: list[TypeSeen]
    rejects: list[Rejects]
    violations: list[Rejects]  # those of the rejects that broke a schema
    live_keys: list[KeyOf]
    snippets: dict[str, str]


class SourceList(msgspec.Struct, frozen=True):
    """All sources, by name."""

    items: list[SourceBrief]
    next: str | None = None


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be set; what is left out stays as it is."""

    zone: str | None = None
    strict: bool | None = None  # refuse types without a contract
    clock: str | None = None
    simulated: bool | None = None
    test: bool | None = None  # another word for simulated: what it sends is marked so wherever it is shown
    types: Annotated[tuple[Name, ...], msgspec.Meta(max_length=100)] | None = None  # types, or `channel.*`; empty: all
    channel: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")] | None = None
    currency: str | None = None
    rate: Annotated[float, msgspec.Meta(ge=0, le=1e9)] | None = None  # events a second; 0: as many as it can
    size: Annotated[int, msgspec.Meta(ge=0, le=10 << 20)] | None = None  # bytes of a request; 0: the door's limit


class Reason(msgspec.Struct, forbid_unknown_fields=True):
    """Why a source is disabled."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


KEEP = """
INSERT INTO sources.settings (name, version, state) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET version = excluded.version, state = excluded.state"""
NAME = openapi.parameter("name", openapi.TEXT, "The source.", where="path")
CONFIGURE = """curl -u "$ADMIN:" $YEKTA/v1/sources/web/configure -d '{"rate": 500, "types": ["web.*", "sales.*"], "currency": "IRR"}'"""


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of sources. Older ones may have slashes in their names, so those with more after the name stand first."""
    routes = APIRouter(tags=["sources"])

    @routes.get("/v1/sources", openapi_extra=openapi.described('curl -u "$ADMIN:" $YEKTA/v1/sources', SourceList, 503))
    async def list_sources(request: Request) -> Response:
        """Every source that has a key or sent anything, with its rate now."""
        access.staff(request, dependencies, access.OPERATORS)
        return json(SourceList(await briefs(dependencies)))

    tail = openapi.described('curl -N -u "$KEY:" $YEKTA/v1/sources/web/tail', None, 404, 503, parameters=[NAME])
    tail["responses"] |= tailing.ANSWER

    @routes.get("/v1/sources/{name:path}/tail", openapi_extra=tail)
    async def tail_source(request: Request) -> Response:
        """The source's own events as they land, within a second: what was accepted, and what was refused and why."""
        asking = access.caller(request, dependencies)
        name = _own(asking, request.path_params["name"])
        _known(dependencies, name)
        return tailing.stream(request, dependencies, name)

    @routes.get(
        "/v1/sources/{name:path}",
        openapi_extra=openapi.described('curl -u "$KEY:" $YEKTA/v1/sources/web', SourceShown, 404, 503, parameters=[NAME]),
    )
    async def show_source(request: Request) -> Response:
        """What is set of a source and what arrives from it: rate, last event, types, refusals. A write key asks for its own source."""
        asking = access.caller(request, dependencies)
        name = _own(asking, request.path_params["name"])
        key = secret_of(request.headers.get("authorization", "")) if asking.source else None
        return json(await shown(dependencies, name, str(request.base_url).rstrip("/"), key or "$KEY"))

    @routes.post(
        "/v1/sources/{name:path}/configure",
        openapi_extra=openapi.described(
            CONFIGURE, SourceShown, *openapi.BODY, 404, 409, 503, parameters=[NAME], body=openapi.json_body(Settings, {"rate": 500})
        ),
    )
    async def configure_source(request: Request) -> Response:
        """Set how a source is understood and to what it is held. It holds for all its keys, at once and in every process."""
        asking = access.staff(request, dependencies, access.ADMINS)
        wanted = decoded(await body.read(request), Settings)

        def decide(state: State) -> Event | None:
            return source_settings.configure(state, _wanted(state.source, wanted), dependencies.clock(), str(asking.key))

        return await _decided(request, dependencies, decide)

    @routes.post(
        "/v1/sources/{name:path}/disable",
        openapi_extra=openapi.described(
            """curl -u "$ADMIN:" $YEKTA/v1/sources/web/disable -d '{"reason": "It sends nonsense."}'""",
            SourceShown,
            *openapi.BODY,
            404,
            409,
            503,
            parameters=[NAME],
            body=openapi.json_body(Reason, {"reason": "It sends nonsense."}, required=False),
        ),
    )
    async def disable_source(request: Request) -> Response:
        """Take nothing from a source any more: it is answered 403."""
        asking = access.staff(request, dependencies, access.ADMINS)
        content = await body.read(request)
        why = decoded(content, Reason).reason if content.strip() else ""
        return await _decided(
            request, dependencies, lambda state: source_settings.disable(state, dependencies.clock(), str(asking.key), why)
        )

    @routes.post(
        "/v1/sources/{name:path}/enable",
        openapi_extra=openapi.described(
            'curl -u "$ADMIN:" -X POST $YEKTA/v1/sources/web/enable', SourceShown, 404, 409, 422, 503, parameters=[NAME]
        ),
    )
    async def enable_source(request: Request) -> Response:
        """Take from a source again."""
        asking = access.staff(request, dependencies, access.ADMINS)
        return await _decided(request, dependencies, lambda state: source_settings.enable(state, dependencies.clock(), str(asking.key)))

    return routes


async def briefs(dependencies: Dependencies) -> list[SourceBrief]:
    """All sources, by name."""
    async with dependencies.pool.connection() as connection:
        names = (await table.names(connection) | dependencies.ring.source_names()) - {"yekta"}
        seen = await table.seen(connection, names)
        pace = await table.pace(connection, names, dependencies.clock())
        refusals = await table.refusals(connection, names)
    return [SourceBrief(**_brief(dependencies, name, seen, pace, refusals)) for name in sorted(names)]


async def shown(dependencies: Dependencies, name: str, url: str, key: str) -> SourceShown:
    """One source; `key` is what the snippets are written with."""
    _known(dependencies, name)
    async with dependencies.pool.connection() as connection:
        seen = await table.seen(connection, [name])
        pace = await table.pace(connection, [name], dependencies.clock())
        refusals = await table.refusals(connection, [name])
        state = await _state(dependencies, name)
    rejects = [Rejects(one.reason, one.pointer, one.letters, one.open, one.last) for one in refusals[:100]]
    return SourceShown(
        **_brief(dependencies, name, seen, pace, refusals),
        settings=state.source,
        disabled_because=state.reason if state.source.disabled else "",
        types=[TypeSeen(one.type, one.events, one.first, one.last) for one in seen],
        rejects=rejects,
        violations=[one for one in rejects if one.reason in VIOLATIONS],
        live_keys=[KeyOf(str(held.id), held.label, [one.hint for one in held.secrets]) for held in live_keys(dependencies, name)],
        snippets=snippets(url, key, dependencies.topics.inbox, dependencies.kafka),
    )


def live_keys(dependencies: Dependencies, name: str) -> list[Key]:
    """The keys of the source that open something."""
    return [key for key in dependencies.ring.every_key() if key.revoked is None and key.source is not None and key.source.name == name]


def _brief(dependencies: Dependencies, name: str, seen: list[Seen], pace: dict[str, float], refusals: list[Refusals]) -> dict[str, Any]:
    own = [one for one in seen if one.source == name]
    refused = [one for one in refusals if one.source == name]
    set_ = dependencies.ring.source(name)
    return {
        "name": name,
        "disabled": set_ is not None and set_.disabled,
        "rate": round(pace.get(name, 0.0), 3),
        "events": sum(one.events for one in own),
        "last_event_at": max((one.last for one in own), default=None),
        "rejected": sum(one.letters for one in refused),
        "rejected_open": sum(one.open for one in refused),
        "keys": len(live_keys(dependencies, name)),
    }


def _own(asking: Caller, name: str) -> str:
    """A write key asks for its own source, operators for any."""
    if asking.source is not None:
        if asking.source.name != name:
            raise not_found("A write key asks for its own source.")
    elif asking.role not in access.OPERATORS:
        raise forbidden(f"This needs the role {' or '.join(access.OPERATORS)}.", "Ask an admin for a staff token of that role.")
    return name


def _known(dependencies: Dependencies, name: str) -> None:
    if name != INBOX and name not in dependencies.ring.source_names():
        raise not_found("No source has this name: make a key for it first.")


async def _state(dependencies: Dependencies, name: str) -> State:
    """What was decided so far, over what the source's newest key says."""
    made = [key.source for key in dependencies.ring.every_key() if key.source is not None and key.source.name == name]
    first = made[-1] if made else Source(name, dependencies.zone)
    return source_settings.replay(
        first, [source_settings.read(one) for one in await dependencies.decisions.load(source_settings.id_of(name))]
    )


async def _decided(request: Request, dependencies: Dependencies, decide: Callable[[State], Event | None]) -> Response:
    name = request.path_params["name"]
    await record(dependencies, name, decide)
    return json(await shown(dependencies, name, str(request.base_url).rstrip("/"), "$KEY"))


async def record(dependencies: Dependencies, name: str, decide: Callable[[State], Event | None]) -> None:
    """Decide about a source, and have every door know. Raises a problem when it cannot be so."""
    if name not in dependencies.ring.source_names():
        raise not_found("No source has this name: make a key for it first.")
    for _ in range(TRIES):
        state = await _state(dependencies, name)
        try:
            event = decide(state)
        except NotAllowed as error:
            raise Problem(422, "not_allowed", str(error)) from error
        if event is None:
            return
        after = source_settings.evolve(state, event)
        also = (KEEP, (name, after.version, msgspec.json.encode(after).decode()))
        try:
            await dependencies.decisions.record([source_settings.decision(state, event)], [also, ("NOTIFY yekta_access", ())])
        except Overtaken:
            continue
        await set_so(lambda: dependencies.ring.source(name) == after.source)  # noqa: B023 - heard before the next try
        return
    raise unavailable("Too many set this source at the same time.")


async def set_so(heard: Callable[[], bool]) -> None:
    """Whoever decided may send the next moment: this process knows it when it answers, unless it cannot hear just now."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HEARD):
            while not heard():  # noqa: ASYNC110 - the ring tells nobody
                await asyncio.sleep(0.005)


def _wanted(now: Source, wanted: Settings) -> Source:
    return wanted_of(now, {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not None})


def wanted_of(now: Source, given: dict[str, Any]) -> Source:
    """The source with these settings in place of its own. Raises a 422 problem for what is none."""
    if "test" in given:
        given["simulated"] = given.pop("test")
    if given.get("clock", "") not in {"", "event"}:
        raise invalid("/clock", 'It must be "" or "event".')
    check_zone(given.get("zone", "UTC"))
    if "currency" in given:
        given["currency"] = given["currency"].upper()
    return replace(now, **given)
