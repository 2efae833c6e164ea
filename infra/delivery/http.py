"""One POST to somewhere outside: guarded addresses, short patience, no redirects, and no more of the answer than is needed.

Reading order: Answer, Http.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore

from aggregates.webhook import AddressRefused
from infra.delivery.addresses import Allowed, Guarded, on_the_wire

CONNECT, WHOLE = 5.0, 15.0
"""Seconds until a connection, and until the answer."""

ANSWER = 4096
LONGEST_WAIT = 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, or why there is none."""

    status: int | None
    error: str = ""
    retry_after: float | None = None  # seconds
    body: bytes = b""

    @property
    def succeeded(self) -> bool:
        """2xx."""
        return self.status is not None and 200 <= self.status < 300


class Http:
    """Sends to the outside; connections are kept for each host."""

    def __init__(self, allowed: Allowed) -> None:
        self.allowed = allowed
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=None,
            max_keepalive_connections=50,
            keepalive_expiry=30,
            network_backend=Guarded(allowed),
        )

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Answer:
        """The answer of one try. Nothing is raised: whatever goes wrong is an answer without a status."""
        given = {"user-agent": "Yekta", **headers}
        timeout = {"connect": CONNECT, "pool": CONNECT, "read": WHOLE, "write": WHOLE}
        try:
            async with (
                asyncio.timeout(WHOLE),
                self._pool.stream(
                    method, on_the_wire(url), headers=list(given.items()), content=body, extensions={"timeout": timeout}
                ) as response,
            ):
                told = await _beginning(response)
                if _says_more(response):  # whoever is posted to next over this connection would be answered with it
                    await response.extensions["network_stream"].aclose()
        except AddressRefused as error:
            return Answer(None, str(error))
        except TimeoutError:
            return Answer(None, f"no answer within {WHOLE:g} s")
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
            return Answer(None, f"{type(error).__name__}: {error}"[:300].rstrip(": "))
        said = "" if 200 <= response.status < 300 else f"answered {response.status}"
        return Answer(response.status, said, _retry_after(response.headers, now), told)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


async def _beginning(response: httpcore.Response) -> bytes:
    told = b""
    async for part in response.aiter_stream():
        told += part
        if len(told) >= ANSWER:
            break
    return told[:ANSWER]


def _says_more(response: httpcore.Response) -> bool:
    """Whether a receiver that answers 204, which has no body, announces one all the same, and sends it: what comes then is read as the
    beginning of the next answer."""
    named = {name.lower(): value for name, value in response.headers}
    return response.status == 204 and (named.get(b"content-length", b"0").strip() != b"0" or b"transfer-encoding" in named)


def _retry_after(headers: list[tuple[bytes, bytes]], now: datetime) -> float | None:
    """In seconds or as a date (RFC 9110); at most a day."""
    for name, value in headers:
        if name.lower() == b"retry-after":
            text = value.decode("latin-1").strip()
            if text.isdecimal():
                return min(float(text[:9]), LONGEST_WAIT)
            try:
                at = parsedate_to_datetime(text)
            except ValueError:
                return None
            return min(max((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds(), 0.0), LONGEST_WAIT)
    return None
