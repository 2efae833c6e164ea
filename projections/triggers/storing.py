"""Writes the state of a rule and a customer as bytes, the same for the same state, and reads it back. Reading order: Storing, encode.

What a condition knows of the kept facts is not written beside them, where it is facts itself: it is most of a state, and follows from them.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from projections.triggers.evidence import Evidence, Stamp
from projections.triggers.fold import Fold, Rise, Stopped
from projections.triggers.marks import Mark
from projections.triggers.state import Given, State
from projections.triggers.trigger import Trigger

NIL = msgspec.msgpack.encode(None)

_encoder = msgspec.msgpack.Encoder(order="deterministic", uuid_format="bytes")


def encode(state: State) -> bytes:
    """The bytes of a state whose rule is not at hand: all that is in it."""
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
    """Writes and reads the states of one rule."""

    def __init__(self, trigger: Trigger) -> None:
        self._machine = trigger.condition
        self._condition: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(trigger.condition.state)
        self._checks: list[msgspec.msgpack.Decoder[Any]] = [msgspec.msgpack.Decoder(check.state) for check in trigger.checks]

    def encode(self, state: State) -> bytes:
        """The bytes of a state."""
        head = state.head
        if self._machine.factual and state.kept and head.last == state.kept[-1].stamp:
            head = Fold(None, head.checks, head.stops, head.waiting, head.until, head.last, head.passed)
            state = State(state.base, state.kept, head, state.fired)
        return encode(state)

    def decode(self, encoded: bytes) -> State:
        """The state of bytes that either `encode` wrote for this rule."""
        read = _decoder.decode(encoded)
        base = self._fold(read.base)
        if not self._machine.factual or bytes(read.head.condition) != NIL:
            return State(base, read.kept, self._fold(read.head), read.fired)
        condition = base.condition
        for fact in read.kept:
            condition, _ = self._machine.take(condition, fact)
        return State(base, read.kept, self._told(read.head, condition), read.fired)

    def fold_of(self, mark: Mark) -> Fold:
        """The fold that a mark keeps."""
        return self._fold(_fold_decoder.decode(mark.fold))

    def _fold(self, fold: _Fold) -> Fold:
        return self._told(fold, self._condition.decode(fold.condition))

    def _told(self, fold: _Fold, condition: Any) -> Fold:
        checks = tuple([decoder.decode(state) for decoder, state in zip(self._checks, fold.checks, strict=True)])
        return Fold(condition, checks, fold.stops, fold.waiting, fold.until, fold.last, fold.passed)
