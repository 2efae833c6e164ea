"""Decides at each route who may ask: a write key for its own source, staff by role, a session of the desk for reading.

The roles of every route are written at the route; docs/api.md has them as a table. Reading order: Caller, caller, writer, staff.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import Request

from aggregates.access import Key, Role
from aggregates.source import Source
from api import query, session
from api.key_ring import Grant
from api.ports import Dependencies
from api.problem import Problem, forbidden, unauthorised, unavailable

EVERYONE: tuple[Role, ...] = ("agent", "supervisor", "marketer", "analyst", "partner", "admin")
INSIDE: tuple[Role, ...] = ("agent", "supervisor", "marketer", "analyst", "admin")
CAMPAIGNERS: tuple[Role, ...] = ("marketer", "admin")
OPERATORS: tuple[Role, ...] = ("supervisor", "admin")
SCRIPTWRITERS: tuple[Role, ...] = ("supervisor", "marketer", "admin")
SERVICE: tuple[Role, ...] = ("agent", "supervisor", "admin")
ADMINS: tuple[Role, ...] = ("admin",)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    key: UUID
    source: Source | None
    role: str
    name: str = ""  # what colleagues know him by: the label of his key, else its id


def caller(request: Request, dependencies: Dependencies) -> Caller:
    """Whoever asks. Raises a 401 problem for an unknown key, a 403 problem for one that was ended, a 503 problem while keys are unread."""
    keys_read(dependencies)
    now = dependencies.clock()
    authorization = request.headers.get("authorization")
    if authorization is None:
        return _visitor(request, dependencies, now)
    grant = dependencies.ring.of_header(authorization)
    if grant is None:
        raise unauthorised()
    _check(grant, now)
    return Caller(grant.key, grant.source, grant.role, name_of(dependencies.ring.key(grant.key), grant.key))


def keys_read(dependencies: Dependencies) -> None:
    """Raises a 503 problem while keys are unread: a 401 would make a client drop what it holds, and a page send its agent away."""
    if not dependencies.ring.loaded:
        raise unavailable("The keys have not been read yet.")


def writer(request: Request, dependencies: Dependencies) -> Caller:
    """The write key that asks; staff do not speak for a source."""
    asking = caller(request, dependencies)
    if asking.source is None:
        raise forbidden("Only a write key may send events.", "Create one with `yekta keys create --source NAME`.")
    open_(asking.source, dependencies)
    return asking


def source(dependencies: Dependencies, keys: Iterable[str]) -> Source:
    """The source whose write key is among these texts. Raises problems as `writer` does."""
    found = known(dependencies, keys)
    if found is None:
        raise unauthorised()
    return found


def known(dependencies: Dependencies, keys: Iterable[str]) -> Source | None:
    """As `source`, and None where no key among these texts is known: bare, as an Authorization header has it, or before a colon."""
    keys_read(dependencies)
    for key in keys:
        grant = dependencies.ring.of_header(key) or dependencies.ring.of_secret(key.strip().partition(":")[0])  # some clients want a pair
        if grant is None:
            continue
        _check(grant, dependencies.clock())
        if grant.source is None:
            raise forbidden("Only a write key may send events.", "Create one with `yekta keys create --source NAME`.")
        open_(grant.source, dependencies)
        return grant.source
    return None


def open_(source: Source, dependencies: Dependencies) -> None:
    """Raises a 403 problem when nothing is taken from the source, a 429 problem when it sent too much, a 503 problem without data keys.

    Also where nothing would be sealed: keys are only leased under the right master key, and with another one all hashes would be wrong.
    """
    if not dependencies.secrets.can_seal:
        raise unavailable("No data keys have been leased yet.")
    if source.disabled:
        raise Problem(403, "source_disabled", f"The source {source.name} is disabled.", mend="Ask an admin to enable it.")
    dependencies.limits.admit(source, dependencies.clock())


def staff(request: Request, dependencies: Dependencies, roles: tuple[Role, ...]) -> Caller:
    """The member of staff that asks, when the role is one of these."""
    asking = caller(request, dependencies)
    if asking.role not in roles:
        raise forbidden(f"This needs the role {' or '.join(roles)}.", "Ask an admin for a staff token of that role.")
    query.heeded(request)
    return asking


def name_of(key: Key | None, id_: UUID) -> str:
    """What colleagues know somebody by; who was given no label, by role and the beginning of the key's id."""
    if key is None:
        return str(id_)
    return key.label or f"{key.role} {str(id_)[:8]}".strip()


def _check(grant: Grant, now: datetime) -> None:
    if grant.once:
        raise forbidden("A one-time token opens the desk once and nothing else.", "Open /?token=… in a browser.")
    if not grant.valid(now):
        raise forbidden("This key was revoked or is past its time.", "Ask an admin for a new one.")


def _visitor(request: Request, dependencies: Dependencies, now: datetime) -> Caller:
    """A browser with the desk's cookie; it may only read, so that no other site can make it write."""
    cookie = request.cookies.get(session.COOKIE)
    if cookie is None or request.method not in {"GET", "HEAD"}:
        raise unauthorised()
    key = session.key_of(cookie, dependencies.secrets, dependencies.ring, now)
    if key is None:
        raise Problem(401, "session_over", "The session is over.", mend="Open the desk with a new one-time token.")
    return Caller(key.id, None, key.role, name_of(key, key.id))
