"""Makes a touchpoint fit for a log that is kept for ever: what is personal is encrypted, what must be compared is hashed.

`Sealer` is the port; its one adapter for production lives in `infra/sealing.py`. Reading order: Sealer, seal, open_sealed.
"""

from binascii import a2b_base64, b2a_base64
from typing import Any, Protocol, cast

import msgspec

from aggregates.identifier import Identifier, Token
from aggregates.touchpoint import Touchpoint
from aggregates.wire import CustomerEvent, Sealed, SealedTouchpoint, encoder, sealed_decoder


class Sealer(Protocol):
    """Keys and hashes. `seal` and `unseal` are AES-256-GCM under a data key; the hashes are keyed BLAKE2b (docs/encodings.md)."""

    def token(self, identifier: Identifier) -> Token:
        """The token of an identifier."""
        ...

    def digest(self, purpose: str, body: bytes) -> bytes:
        """16 bytes of keyed hash over `body`; another purpose gives another hash."""
        ...

    def seal(self, subject: bytes, plain: bytes, context: bytes) -> tuple[int, bytes]:
        """The number of a data key of `subject` and the nonce and ciphertext; `context` is authenticated, not stored."""
        ...

    def unseal(self, number: int, sealed: bytes, context: bytes) -> bytes:
        """The plain bytes. Raises `KeyDestroyed` when the key was erased, `KeyUnknown` when it was not fetched."""
        ...


class KeyDestroyed(Exception):
    """The data key was destroyed by an erasure: what it sealed is gone for ever."""


class KeyMissing(Exception):
    """A data key has no row, and no erasure destroyed it: the keys were not restored. Whoever needs it stops and says so."""


class KeyUnknown(Exception):
    """The data key is not in memory: fetch it, then try again."""


def record_key(sealer: Sealer, key: str, source: str, subject: str) -> bytes:
    """The Kafka key of a touchpoint: order is promised per source and subject."""
    return sealer.digest("subject", f"{key}\x1f{source}\x1f{subject}".encode())


def seal(touchpoint: Touchpoint, sealer: Sealer) -> tuple[bytes, bytes]:
    """The key and value of the touchpoint's record in `touchpoints`."""
    key = record_key(sealer, touchpoint.key, touchpoint.source, touchpoint.subject)
    event: str = msgspec.to_builtins(touchpoint.event_id)  # its text, in a fifth of the time of str
    number, sealed = 0, b""
    if touchpoint.personal or touchpoint.attributes:
        plain = encoder.encode(Sealed(touchpoint.who, dict(touchpoint.personal), dict(touchpoint.attributes)))
        number, sealed = sealer.seal(key, plain, event.encode())
    record = SealedTouchpoint(  # in its order: matching names would take as long as encoding it
        "1.0",
        touchpoint.id,
        touchpoint.source,
        touchpoint.type,
        touchpoint.occurred,  # time
        event,
        touchpoint.key,
        touchpoint.recorded,
        text(sealer.digest("body", touchpoint.body)),
        number,
        cast("msgspec.Raw", touchpoint.data),  # encoded with the record: as raw JSON it would be copied twice
        text(sealed),
        " ".join([sealer.token(identifier) for identifier in touchpoint.who]),
        touchpoint.version,
        touchpoint.simulated,
        touchpoint.backfill,
        touchpoint.clock,
        "application/json",
    )
    return key, encoder.encode(record)


def open_sealed(event: SealedTouchpoint | CustomerEvent, sealer: Sealer) -> Sealed:
    """The sealed part of a record; nothing sealed gives an empty one."""
    if not event.yektaseal:
        return Sealed((), {})
    return sealed_decoder.decode(sealer.unseal(event.yektaseal, raw(event.yektasealed), event.yektaevent.encode()))


def whole_data(event: SealedTouchpoint | CustomerEvent, sealed: Sealed) -> dict[str, Any]:
    """`data` as the channel sent it: the fields in the clear and the opened ones."""
    clear: dict[str, Any] = msgspec.json.decode(event.data)
    return clear | sealed.personal


_URLSAFE = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_", b"+/")


def text(value: bytes) -> str:
    """Bytes as base64url without padding."""
    return b2a_base64(value, newline=False).translate(_URLSAFE).rstrip(b"=").decode()


def raw(value: str) -> bytes:
    """The bytes of a base64url text without padding."""
    return a2b_base64((value + "=" * (-len(value) % 4)).encode("ascii").translate(_STANDARD))
