"""Marks where a page of a collection ended, as an opaque token: the sort key of its last item."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from uuid import UUID

import msgspec

from api.problem import invalid

_decoder = msgspec.msgpack.Decoder(tuple[datetime, UUID])


def token(at: datetime, id_: UUID) -> str:
    """The cursor after this item."""
    return urlsafe_b64encode(msgspec.msgpack.encode((at, id_))).rstrip(b"=").decode()


def place(text: str | None) -> tuple[datetime, UUID] | None:
    """What a cursor marks. Raises a problem when it is none of ours."""
    if text is None:
        return None
    try:
        return _decoder.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, msgspec.MsgspecError) as error:
        raise invalid("/query/cursor", "This is no cursor that Yekta gave.", "Send `next` exactly as it was answered.") from error
