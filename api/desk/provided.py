"""Lets people in through an identity provider: away with a challenge, back with a code, and then a session like any other.

What the browser takes along is signed and short-lived; who comes back without it did not leave from here. Reading order: add.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from aggregates.sealing import raw, text
from aggregates.signing import is_signed, sign
from api import query, session
from api.desk.rendering import HEADERS, page
from api.desk.visitor import way_back
from api.ports import Dependencies, NotLetIn

COOKIE = "yekta_leaving"
LASTS = 600

Refuse = Callable[[Request, str, str, int], Response]


class Leaving(msgspec.Struct, frozen=True):
    """What the browser takes along."""

    state: str
    nonce: str
    verifier: str
    back: str
    until: int


def add(routes: APIRouter, dependencies: Dependencies, refuse: Refuse) -> None:
    """The routes; without a provider they are not there."""
    provider = dependencies.provider
    if provider is None:
        return

    @routes.get("/sign-in/provider")
    async def leave(request: Request) -> Response:
        """To the provider."""
        until = int(dependencies.clock().timestamp()) + LASTS
        back = way_back(query.text(request, "back", 2048) or "/")
        leaving = Leaving(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), back, until)
        challenge = urlsafe_b64encode(sha256(leaving.verifier.encode()).digest()).rstrip(b"=").decode()
        try:
            address = await provider.leave(_redirect(request), leaving.state, leaving.nonce, challenge)
        except NotLetIn:
            return refuse(request, back, "sign_in.failed", 503)
        answer = RedirectResponse(address, 303, HEADERS)
        kept = text(msgspec.json.encode(leaving))
        secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, f"{kept}.{sign(_given(kept), dependencies.secrets)}", max_age=LASTS, httponly=True, samesite="lax", secure=secure
        )
        return answer

    @routes.get("/sign-in/callback")
    async def arrive(request: Request) -> Response:
        """Back from the provider: a session, if he has a role."""
        leaving = _leaving(request, dependencies)
        code, state = query.text(request, "code", 4096), query.text(request, "state", 512) or ""
        if leaving is None or code is None or not hmac.compare_digest(leaving.state, state):
            return refuse(request, "/", "sign_in.failed", 403)
        try:
            person = await provider.arrive(_redirect(request), code, leaving.verifier, leaving.nonce)
        except NotLetIn:
            return refuse(request, leaving.back, "sign_in.failed", 403)
        if person.role is None:
            return refuse(request, leaving.back, "sign_in.nobody", 403)
        until = dependencies.clock() + session.LASTS
        made = await dependencies.keys.create(f"provider {person.subject}", role=person.role, label=person.name, until=until)
        answer = page(request, dependencies, "opening.html", wanted=leaving.back, back=leaving.back, visitor=None)
        session.open_session(request, answer, made.key.id, until, dependencies.secrets)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer


def _redirect(request: Request) -> str:
    return str(request.base_url).rstrip("/") + "/sign-in/callback"


def _leaving(request: Request, dependencies: Dependencies) -> Leaving | None:
    kept, _, signature = request.cookies.get(COOKIE, "").partition(".")
    if not kept or not is_signed(_given(kept), signature, dependencies.secrets):
        return None
    leaving = msgspec.json.decode(raw(kept), type=Leaving)
    return leaving if leaving.until > dependencies.clock().timestamp() else None


def _given(kept: str) -> bytes:
    return b"leaving " + kept.encode()
