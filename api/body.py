"""Reads a request's body whole, however it is packed, and never more of it than is allowed.

Clients mislabel gzip, so the bytes decide; a small bomb is stopped when what comes out of it passes the limit, not after.
"""

import zlib

from fastapi import Request

from api.problem import Problem

REQUEST_BYTES = 10 << 20
"""The largest request that is read: 10 MiB, packed and unpacked."""

GZIP = b"\x1f\x8b"


async def read(request: Request, most: int = 0) -> bytes:
    """The body, unpacked. Raises a 413 problem when it is larger than allowed, a 415 problem when it cannot be unpacked.

    `most` is a smaller limit than that of all requests; 0: there is none.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > REQUEST_BYTES:
        raise too_large()
    parts = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > REQUEST_BYTES:
            raise too_large()
        parts.append(part)
    body = parts[0] if len(parts) == 1 else b"".join(parts)
    content = unpacked(body) if body.startswith(GZIP) else body
    check(len(content), most)
    return content


def check(size: int, most: int) -> None:
    """Raises a 413 problem when a source's own limit is passed."""
    if most and size > most:
        raise too_large(most)


def unpacked(body: bytes) -> bytes:
    """The content of one or more gzip members (RFC 1952)."""
    parts = []
    room = REQUEST_BYTES + 1
    while body:
        member = zlib.decompressobj(wbits=31)
        try:
            part = member.decompress(body, room)
        except zlib.error as error:
            raise unreadable("The body begins as gzip and does not go on as gzip.") from error
        room -= len(part)
        if room <= 0:
            raise too_large()
        if not member.eof:
            raise unreadable("The gzip body is cut off.")
        parts.append(part)
        body = member.unused_data.lstrip(b"\x00")
    return b"".join(parts)


def too_large(most: int = REQUEST_BYTES) -> Problem:
    """The request passes the limit."""
    return Problem(413, "too_large", f"The request has more than {most:,} bytes.", mend="Send fewer events at a time.")


def unreadable(detail: str) -> Problem:
    """Nothing can be made of the bytes."""
    return Problem(415, "unreadable", detail, mend="Send JSON, plain or gzip.")
