"""Answers what is no HTTP in the shape of every other refusal: uvicorn closes such a connection before any application hears of it."""

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.problem import MEDIA_TYPE, Problem

_BODY = msgspec.json.encode(
    Problem(400, "not_http", "What came cannot be read as an HTTP/1.1 request.", mend="See /docs for the methods of an address.").body
)
_ANSWER = b"\r\n".join(
    (
        b"HTTP/1.1 400 Bad Request",
        b"Content-Type: " + MEDIA_TYPE.encode(),
        b"Content-Length: %d" % len(_BODY),
        b"Connection: close",
        b"",
        _BODY,
    )
)


class Http(HttpToolsProtocol):
    """uvicorn's own, which says in plain text that a request is invalid."""

    def send_400_response(self, msg: str) -> None:
        """The answer to bytes that no parser understands, after which nothing can be read."""
        del msg
        self.transport.write(_ANSWER)
        self.transport.close()
