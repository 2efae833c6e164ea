"""A browser's session: a token is exchanged for a signed cookie that scripts and other sites cannot use.

The cookie names the key and when it ends; the signature is the installation's keyed hash. Revoking the key ends the session at once.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from aggregates.access import Key
from aggregates.sealing import Sealer
from aggregates.signing import is_signed, sign
from api.key_ring import KeyRing

if TYPE_CHECKING:  # the command line makes keys, and need not wait for the web framework
    from fastapi import Request, Response

COOKIE = "yekta_session"
LASTS = timedelta(hours=12)


def open_session(request: "Request", response: "Response", key: UUID, until: datetime, sealer: Sealer) -> None:
    """Give the browser a session of a key that was just shown: as staff token, or as one-time token that was redeemed."""
    payload = f"{key}.{int(until.timestamp())}"
    response.set_cookie(
        COOKIE,
        f"{payload}.{sign(payload.encode(), sealer)}",
        expires=until,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def close_session(response: "Response") -> None:
    """Let the browser forget its session."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


def key_of(cookie: str, sealer: Sealer, ring: KeyRing, now: datetime) -> Key | None:
    """The key behind a cookie, while its session lasts."""
    payload, _, signature = cookie.rpartition(".")
    if not is_signed(payload.encode(), signature, sealer):
        return None
    id_, _, seconds = payload.partition(".")
    key = ring.key(UUID(id_))
    if key is None or key.revoked is not None or datetime.fromtimestamp(int(seconds), UTC) <= now:
        return None
    return key
