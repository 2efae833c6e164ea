"""A browser's session: a one-time token is exchanged for a signed cookie that scripts and other sites cannot use.

The cookie names the key and when it ends; the signature is the installation's keyed hash. Revoking the key ends the session at once.
"""

import hmac
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import Request, Response

from aggregates.access import Key
from aggregates.sealing import Sealer, text
from api.key_ring import KeyRing

COOKIE = "yekta_session"
LASTS = timedelta(hours=12)


def open_session(request: Request, response: Response, key: Key, sealer: Sealer) -> None:
    """Give the browser the session of a token that was just redeemed."""
    if key.session_until is None:
        raise ValueError("the token was not redeemed")
    payload = f"{key.id}.{int(key.session_until.timestamp())}"
    response.set_cookie(
        COOKIE,
        f"{payload}.{_signature(payload, sealer)}",
        expires=key.session_until,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def key_of(cookie: str, sealer: Sealer, ring: KeyRing, now: datetime) -> Key | None:
    """The key behind a cookie, while its session lasts."""
    payload, _, signature = cookie.rpartition(".")
    if not hmac.compare_digest(_signature(payload, sealer).encode(), signature.encode()):
        return None
    key = ring.key(UUID(payload.partition(".")[0]))
    if key is None or key.revoked is not None or key.session_until is None or key.session_until <= now:
        return None
    return key


def _signature(payload: str, sealer: Sealer) -> str:
    return text(sealer.digest("session", payload.encode()))
