"""Writes a learner as bytes and reads it again, the same to the bit; what was cut, changed or made by other arithmetic is not loaded.

A snapshot is a magic word, a keyed BLAKE2b digest of the rest, and MessagePack: whoever has the key can prove that he wrote it.
Reading order: encode, decode; sealed, opened.
"""

import hashlib
import hmac
from typing import Any, TypeVar

import msgspec
import numpy as np

from streams.learning.learner import RECIPES, VERSION, Learner

MAGIC = b"yekta-churn-1\n"
SIZE = 32


class SnapshotRefused(Exception):
    """Why a snapshot is not loaded."""


class Sheet(msgspec.Struct, frozen=True, array_like=True):
    """What lies under the digest."""

    version: int  # of the arithmetic
    numpy: str  # another release may round otherwise, and a score must be the same wherever it is told again
    experts: tuple[str, ...]
    learner: msgspec.Raw


def encode(learner: Learner, key: bytes = b"") -> bytes:
    """The bytes of a learner, signed with the key."""
    body = msgspec.msgpack.Encoder(enc_hook=_plain, order="deterministic")
    sheet = Sheet(VERSION, np.__version__, tuple(recipe.name for recipe in RECIPES), msgspec.Raw(body.encode(learner)))
    written = msgspec.msgpack.encode(sheet)
    return MAGIC + _digest(written, key) + written


def decode(snapshot: bytes, key: bytes = b"") -> Learner:
    """The learner of a snapshot. Raises SnapshotRefused."""
    head, written = snapshot[: len(MAGIC) + SIZE], snapshot[len(MAGIC) + SIZE :]
    if not head.startswith(MAGIC):
        raise SnapshotRefused("It is no snapshot of a churn learner.")
    if not hmac.compare_digest(head[len(MAGIC) :], _digest(written, key)):
        raise SnapshotRefused("It was changed or cut, or was signed with another key.")
    sheet = msgspec.msgpack.decode(written, type=Sheet)
    experts = tuple(recipe.name for recipe in RECIPES)
    if (sheet.version, sheet.numpy, sheet.experts) != (VERSION, np.__version__, experts):
        raise SnapshotRefused(
            f"It is of arithmetic {sheet.version}, numpy {sheet.numpy} and {', '.join(sheet.experts)}; "
            f"here are {VERSION}, {np.__version__} and {', '.join(experts)}."
        )
    return msgspec.msgpack.Decoder(Learner, dec_hook=_array).decode(sheet.learner)


T = TypeVar("T")


def sealed(state: Any, key: bytes) -> bytes:
    """The signed bytes of anything that holds learners."""
    body = msgspec.msgpack.Encoder(enc_hook=_plain, order="deterministic").encode(state)
    written = msgspec.msgpack.encode((VERSION, np.__version__, msgspec.Raw(body)))
    return MAGIC + _digest(written, key) + written


def opened(written: bytes, type_: type[T], key: bytes) -> T:
    """What `sealed` wrote. Raises SnapshotRefused."""
    head, body = written[: len(MAGIC) + SIZE], written[len(MAGIC) + SIZE :]
    if not head.startswith(MAGIC) or not hmac.compare_digest(head[len(MAGIC) :], _digest(body, key)):
        raise SnapshotRefused("It was changed or cut, or was signed with another key.")
    version, numpy, state = msgspec.msgpack.decode(body, type=tuple[int, str, msgspec.Raw])
    if (version, numpy) != (VERSION, np.__version__):
        raise SnapshotRefused(f"It is of arithmetic {version} and numpy {numpy}; here are {VERSION} and {np.__version__}.")
    return msgspec.msgpack.Decoder(type_, dec_hook=_array).decode(state)


def _digest(written: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(written, digest_size=SIZE, key=key[:64]).digest()


def _plain(array: Any) -> Any:
    """An array as its shape and its bytes, little end first."""
    if not isinstance(array, np.ndarray):
        raise NotImplementedError(type(array))
    return [list(array.shape), np.ascontiguousarray(array, dtype="<f8").tobytes()]


def _array(_: type, plain: Any) -> Any:
    shape, numbers = plain
    return np.frombuffer(numbers, dtype="<f8").reshape(shape).astype(np.float64)
