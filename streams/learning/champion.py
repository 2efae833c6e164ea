"""Writes snapshots of a definition's learners as rows and loads them again: checked, signed, and of the same arithmetic, or not at all.

Reading order: Snapshot, made_with, seal, load.
"""

import hashlib
import hmac
import platform
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np

from projections.churn import table
from projections.churn.weights import Model
from streams.learning import snapshot
from streams.learning.learner import VERSION, Learner, fresh
from streams.learning.linear import model_of
from streams.learning.snapshot import SnapshotRefused
from streams.record import Connection

_model = msgspec.msgpack.Decoder(Model)


@dataclass(frozen=True, slots=True)
class Champion:
    """What scores are given by."""

    number: int  # 0: nothing was learnt yet
    model: Model
    learnt: int  # labels


def made_with() -> str:
    """What the arithmetic depends on: another release may round otherwise."""
    return f"learner {VERSION}, numpy {np.__version__}, python {'.'.join(platform.python_version_tuple()[:2])}"


def seal(learner: Learner, silence: Learner, key: bytes) -> tuple[bytes, bytes, bytes]:
    """Learners, sums, and the keyed BLAKE2b digest of both."""
    learners = msgspec.msgpack.encode((snapshot.encode(learner, key), snapshot.encode(silence, key)))
    sums = msgspec.msgpack.encode(model_of(learner, silence))
    return learners, sums, _digest(learners, sums, key)


def opened(learners: bytes, sums: bytes, checksum: bytes, made: str, key: bytes) -> tuple[Learner, Learner]:
    """The learners of a snapshot. Raises SnapshotRefused."""
    _check(learners, sums, checksum, made, key)
    one, other = msgspec.msgpack.decode(learners, type=tuple[bytes, bytes])
    return snapshot.decode(one, key), snapshot.decode(other, key)


async def load(connection: Connection, number: int | None, horizon: int, key: bytes) -> Champion:
    """The champion with this number; None: one that has learnt nothing. Raises SnapshotRefused."""
    if number is None:
        return Champion(0, ignorant(horizon), 0)
    row = await table.sums(connection, number)
    if row is None:
        raise SnapshotRefused(f"There is no snapshot {number}.")
    learners, sums, checksum, made, learnt = row
    _check(learners, sums, checksum, made, key)
    return Champion(number, _model.decode(sums), learnt)


def unsound(key: bytes, learners: bytes, sums: bytes, checksum: bytes, made: str) -> str:
    """Why a snapshot is not loaded; empty where it is."""
    try:
        _check(learners, sums, checksum, made, key)
    except SnapshotRefused as refused:
        return str(refused)
    return ""


@lru_cache
def ignorant(horizon: int) -> Model:
    """What is said before any label is known."""
    nobody = fresh(horizon)
    return model_of(nobody, nobody)


def _check(learners: bytes, sums: bytes, checksum: bytes, made: str, key: bytes) -> None:
    if not hmac.compare_digest(checksum, _digest(learners, sums, key)):
        raise SnapshotRefused("It was changed or cut, or was signed with another key.")
    if made != made_with():
        raise SnapshotRefused(f"It was made with {made}; here is {made_with()}.")


def _digest(learners: bytes, sums: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(len(learners).to_bytes(8, "little") + learners + sums, digest_size=32, key=key[:64]).digest()
