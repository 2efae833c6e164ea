"""Lets people in: a staff token, or a one-time token in an address, becomes a session; and out again.

Only pages of the desk itself may sign in, sign out or change the language. Reading order: enter, of_token, from_here, way_back.
"""

from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Request

from aggregates.access import NotAllowed, Role
from api import access, session
from api.access import Caller
from api.ports import Dependencies, KeyNotFound
from api.problem import forbidden, unauthorised


def visitor(request: Request, dependencies: Dependencies) -> Caller | None:
    """Whose session the browser has, if it has one that lasts."""
    cookie = request.cookies.get(session.COOKIE)
    if cookie is None:
        return None
    key = session.key_of(cookie, dependencies.secrets, dependencies.ring, dependencies.clock())
    return None if key is None or not key.role else Caller(key.id, None, key.role, access.name_of(key, key.id))


def acting(request: Request, dependencies: Dependencies, roles: tuple[Role, ...]) -> Caller:
    """Who sent a form of the desk. Raises a 401 problem without a session, a 403 problem for another role or another site's form, a 503
    problem while keys are unread."""
    access.keys_read(dependencies)
    from_here(request)
    asking = visitor(request, dependencies)
    if asking is None:
        raise unauthorised()
    if asking.role not in roles:
        raise forbidden(f"This needs the role {' or '.join(roles)}.")
    return asking


async def enter(token: str, dependencies: Dependencies) -> tuple[UUID, datetime] | None:
    """The key that a token is of and until when its session lasts; None when it opens nothing. A one-time token is spent by this.

    Raises a 503 problem while keys are unread.
    """
    access.keys_read(dependencies)
    now = dependencies.clock()
    grant = dependencies.ring.of_secret(token)
    if grant is None or not grant.role or not grant.valid(now):
        return None
    if not grant.once:
        until = now + session.LASTS
        return grant.key, min(until, grant.until) if grant.until is not None else until
    try:
        key = await dependencies.keys.redeem(token)
    except (NotAllowed, KeyNotFound):
        return None
    return None if key.session_until is None else (key.id, key.session_until)


def from_here(request: Request) -> None:
    """A form that changes something must be the desk's own. Raises a 403 problem when another site sent it."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None:
        site = "none" if origin is None or urlsplit(origin).netloc == request.headers.get("host") else "cross-site"
    if site not in {"same-origin", "none"}:
        raise forbidden("Another site sent this form.")


def way_back(text: str) -> str:
    """An address of the desk to go to, never one of another site."""
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable():
        return "/"
    return text
