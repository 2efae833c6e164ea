"""Where the log was, as an opaque token: a POST answers one, and `after=<position>` waits for it.

The same shape marks a reader's place in a stream of changes. What is inside is nobody's business outside.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

import msgspec

from api.problem import invalid

_decoder = msgspec.msgpack.Decoder(dict[int, int])


def token(offsets: Mapping[int, int]) -> str:
    """The token of the next offset of each partition."""
    return urlsafe_b64encode(msgspec.msgpack.encode(dict(sorted(offsets.items())))).rstrip(b"=").decode()


def offsets(text: str, pointer: str = "/query/after") -> dict[int, int]:
    """The offsets of a token. Raises a problem when it is none of ours."""
    try:
        found = _decoder.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, msgspec.MsgspecError) as error:
        raise invalid(pointer, "This is no position that Yekta gave.", "Send the value exactly as it was answered.") from error
    if any(not 0 <= partition < 1 << 15 or not 0 <= offset < 1 << 62 for partition, offset in found.items()):
        raise invalid(pointer, "This is no position that Yekta gave.", "Send the value exactly as it was answered.")
    return found


def merge(one: dict[int, int], other: Mapping[int, int]) -> dict[int, int]:
    """The position at which both are reached."""
    return one | {partition: max(offset, one.get(partition, 0)) for partition, offset in other.items()}
