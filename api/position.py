"""Where the log was, as an opaque token: a POST answers one, and `after=<position>` waits for it.

The same shape marks a reader's place in a stream of changes. What was posted alone is named too, for it can be waited for by itself.
What is inside is nobody's business outside.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from uuid import UUID

import msgspec

from api.problem import invalid

Offsets = dict[int, int]

_decoder = msgspec.msgpack.Decoder(Offsets | tuple[Offsets, UUID])
_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")


def token(offsets: Mapping[int, int], alone: UUID | None = None) -> str:
    """The token of the next offset of each partition; `alone` is the one event that it stands for."""
    at = dict(sorted(offsets.items()))
    return urlsafe_b64encode(_encoder.encode(at if alone is None else (at, alone))).rstrip(b"=").decode()


def offsets(text: str, pointer: str = "/query/after") -> Offsets:
    """The offsets of a token. Raises a problem when it is none of ours."""
    return read(text, pointer)[0]


def read(text: str, pointer: str = "/query/after") -> tuple[Offsets, UUID | None]:
    """The offsets of a token and the one event that it stands for. Raises a problem when it is none of ours."""
    try:
        held = _decoder.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, msgspec.MsgspecError) as error:
        raise invalid(pointer, "This is no position that Yekta gave.", "Send the value exactly as it was answered.") from error
    found, alone = held if isinstance(held, tuple) else (held, None)
    if any(not 0 <= partition < 1 << 15 or not 0 <= offset < 1 << 62 for partition, offset in found.items()):
        raise invalid(pointer, "This is no position that Yekta gave.", "Send the value exactly as it was answered.")
    return found, alone


def merge(one: dict[int, int], other: Mapping[int, int]) -> dict[int, int]:
    """The position at which both are reached."""
    return one | {partition: max(offset, one.get(partition, 0)) for partition, offset in other.items()}
