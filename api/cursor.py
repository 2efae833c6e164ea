"""Marks where a page of a collection ended, as an opaque token: the sort key of its last item."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from api.problem import invalid

_decoder = msgspec.msgpack.Decoder(tuple[datetime, UUID])

Key = TypeVar("Key")


def token(at: datetime, id_: UUID) -> str:
    """The cursor after this item."""
    return written((at, id_))


def written(key: tuple[Any, ...]) -> str:
    """The cursor after the item that has this sort key."""
    return urlsafe_b64encode(msgspec.msgpack.encode(key)).rstrip(b"=").decode()


def place(text: str | None) -> tuple[datetime, UUID] | None:
    """What a cursor marks. Raises a problem when it is none of ours."""
    return read(text, _decoder)


def read(text: str | None, decoder: msgspec.msgpack.Decoder[Key]) -> Key | None:
    """The same of a list that is sorted otherwise."""
    if text is None:
        return None
    try:
        return decoder.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, msgspec.MsgspecError) as error:
        raise invalid("/query/cursor", "This is no cursor that Yekta gave.", "Send `next` exactly as it was answered.") from error
