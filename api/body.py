"""Reads a request's body whole, however it is packed, and never more of it than is allowed.

Clients mislabel what they pack, so the bytes decide (but of Brotli, which has no mark); a small bomb is stopped when what comes out of it
passes the limit, not after. Reading order: read, received, unpacked.
"""

import zlib

from fastapi import Request

from api.problem import Problem

REQUEST_BYTES = 10 << 20
"""The largest request that is read: 10 MiB, packed and unpacked."""

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
BEFORE_JSON = b"\xef\xbb\xbf \t\r\n"
NESTED = 3
"""So many times packed a body may be: a client packs what its HTTP library packs once more."""


async def read(request: Request, most: int = 0) -> bytes:
    """The body, unpacked. Raises a 413 problem when it is larger than allowed, a 415 problem when it cannot be unpacked.

    `most` is a smaller limit than that of all requests; 0: there is none.
    """
    content = unpacked(await received(request), request.headers.get("content-encoding", ""))
    check(len(content), most)
    return content


async def received(request: Request) -> bytes:
    """The body as it came. Raises a 413 problem when it is larger than any may be."""
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
    return parts[0] if len(parts) == 1 else b"".join(parts)


def check(size: int, most: int) -> None:
    """Raises a 413 problem when a source's own limit is passed."""
    if most and size > most:
        raise too_large(most)


def unpacked(body: bytes, label: str = "") -> bytes:
    """The content of a body, whatever `label` (the Content-Encoding) says of it. Raises problems as `read` does."""
    for _ in range(NESTED):
        if body.startswith(GZIP):
            body = _gunzipped(body)
        elif _is_zlib(body):
            body = _inflated(body, zlib.MAX_WBITS, "zlib")
        elif body.startswith(ZSTD):
            body = _streamed(body, "zstd")
        else:
            break
    match label.rpartition(",")[2].strip().lower():
        case "deflate" if body and not _is_json(body):  # as RFC 1951 has it, without the frame that RFC 9110 wants around it
            return _inflated(body, -zlib.MAX_WBITS, "deflate")
        case "br" if body and not _is_json(body):  # the one packing that no first bytes tell
            return unpacked(_streamed(body, "brotli"))
        case "zstd" | "compress" as packing if body and not _is_json(body):
            raise unreadable(f"The body is packed as {packing}, which is not understood here.")
        case _:
            return body


def _is_json(body: bytes) -> bool:
    """Whether it was labelled as packed and is not: what is packed is hardly ever UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return body.lstrip(BEFORE_JSON)[:1] in {b"{", b"["}


def _is_zlib(body: bytes) -> bool:
    """Whether it begins as RFC 1950 has it, with the usual window; no JSON does."""
    return len(body) > 2 and body[0] == 0x78 and not int.from_bytes(body[:2]) % 31


def _gunzipped(body: bytes) -> bytes:
    """The content of one or more gzip members (RFC 1952)."""
    parts = []
    room = REQUEST_BYTES + 1
    while body:
        part, body = _member(body, zlib.MAX_WBITS | 16, "gzip", room)
        room -= len(part)
        if room <= 0:
            raise too_large()
        parts.append(part)
        body = body.lstrip(b"\x00")
    return b"".join(parts)


def _inflated(body: bytes, window: int, name: str) -> bytes:
    part, _ = _member(body, window, name, REQUEST_BYTES + 1)
    if len(part) > REQUEST_BYTES:
        raise too_large()
    return part


def _streamed(body: bytes, codec: str) -> bytes:
    """What is packed as `codec`, read no further than may be."""
    import pyarrow  # seldom needed, and no small thing: who sends it makes it load

    try:
        with pyarrow.CompressedInputStream(pyarrow.BufferReader(body), codec) as stream:
            part: bytes = stream.read(REQUEST_BYTES + 1)
    except OSError as error:
        raise unreadable(f"The body is labelled or begins as {codec} and cannot be unpacked as that.") from error
    if len(part) > REQUEST_BYTES:
        raise too_large()
    return part


def _member(body: bytes, window: int, name: str, room: int) -> tuple[bytes, bytes]:
    """What is packed at the beginning of a body, as far as there is room for it, and what stands behind."""
    member = zlib.decompressobj(wbits=window)
    try:
        part = member.decompress(body, room)
    except zlib.error as error:
        raise unreadable(f"The body begins as {name} and does not go on as {name}.") from error
    if len(part) < room and not member.eof:
        raise unreadable(f"The {name} body is cut off.")
    return part, member.unused_data


def too_large(most: int = REQUEST_BYTES) -> Problem:
    """The request passes the limit."""
    return Problem(413, "too_large", f"The request has more than {most:,} bytes.", mend="Send fewer events at a time.")


def unreadable(detail: str) -> Problem:
    """Nothing can be made of the bytes."""
    return Problem(415, "unreadable", detail, mend="Send JSON, plain, or packed as gzip, deflate, br or zstd.")
