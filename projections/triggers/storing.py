"""Writes the state of a rule and a customer as bytes, the same for the same state, and reads it back. Reading order: encode, Storing."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from projections.triggers.evidence import Evidence, Stamp
from projections.triggers.fold import Fold, Rise, Stopped
from projections.triggers.marks import Mark
from projections.triggers.state import Given, State
from projections.triggers.trigger import Trigger

_encoder = msgspec.msgpack.Encoder(order="deterministic", uuid_format="bytes")


def encode(state: State) -> bytes:
    """The bytes of a state."""
    return _encoder.encode(state)


class _Fold(Struct, frozen=True, array_like=True):
    """A fold whose states are still bytes: which type they have, the rule says."""

    condition: Raw
    checks: tuple[Raw, ...]
    stops: tuple[Stopped | None, ...]
    waiting: tuple[Rise, ...]
    until: datetime | None
    last: Stamp | None
    passed: datetime | None


class _State(Struct, frozen=True, array_like=True):
    base: _Fold
    kept: tuple[Evidence, ...]
    head: _Fold
    fired: tuple[Given, ...]


_decoder = msgspec.msgpack.Decoder(_State)
_fold_decoder = msgspec.msgpack.Decoder(_Fold)


class Storing:
    """Reads the states of one rule."""

    def __init__(self, trigger: Trigger) -> None:
        self._condition: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(trigger.condition.state)
        self._checks: list[msgspec.msgpack.Decoder[Any]] = [msgspec.msgpack.Decoder(check.state) for check in trigger.checks]

    def decode(self, encoded: bytes) -> State:
        """The state of bytes that `encode` wrote for this rule."""
        read = _decoder.decode(encoded)
        return State(self._fold(read.base), read.kept, self._fold(read.head), read.fired)

    def fold_of(self, mark: Mark) -> Fold:
        """The fold that a mark keeps."""
        return self._fold(_fold_decoder.decode(mark.fold))

    def _fold(self, fold: _Fold) -> Fold:
        checks = tuple([decoder.decode(state) for decoder, state in zip(self._checks, fold.checks, strict=True)])
        return Fold(self._condition.decode(fold.condition), checks, fold.stops, fold.waiting, fold.until, fold.last, fold.passed)
