"""Whether a customer is in a segment: its checks over his facts, in any order, asked at any time.

Reading order: Watch, State, take, inside.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from aggregates.rules.segment import Segment
from projections.triggers.checks import Check, Counted, Opposite, Quantiles, percentiles_of
from projections.triggers.evidence import Evidence, Stamp
from projections.triggers.trigger import Roles, asking


@dataclass(frozen=True, slots=True)
class Watch:
    """A segment, ready to be asked."""

    segment: Segment
    roles: Roles
    checks: tuple[Check, ...]


class State(Struct, frozen=True, array_like=True, gc=False):
    """What is known of a customer: the states of the checks after all that was heard of him, and the place of his last fact."""

    checks: tuple[Any, ...]
    last: Stamp | None = None


class _Stored(Struct, frozen=True, array_like=True):
    checks: tuple[Raw, ...]
    last: Stamp | None


_encoder = msgspec.msgpack.Encoder(order="deterministic", uuid_format="bytes")
_decoder = msgspec.msgpack.Decoder(_Stored)


def watch_of(segment: Segment) -> Watch:
    """The segment, ready to be asked."""
    return Watch(segment, *asking(segment.checks))


def initial(watch: Watch) -> State:
    """Nothing has happened."""
    return State(tuple([check.initial for check in watch.checks]))


def take(watch: Watch, state: State, fact: Evidence) -> State:
    """The state after one more fact, which may be older than those before it: each check knows the place of what it keeps."""
    last = fact.stamp if state.last is None else max(state.last, fact.stamp)
    return State(tuple([check.take(one, fact) for check, one in zip(watch.checks, state.checks, strict=True)]), last)


def fold(watch: Watch, facts: Iterable[Evidence], state: State | None = None) -> State:
    """The state after a whole history, in any order; or after one before which there was a state."""
    state = state or initial(watch)
    for fact in facts:
        state = take(watch, state, fact)
    return state


def inside(watch: Watch, state: State, at: datetime, quantiles: Quantiles) -> bool:
    """Whether the customer is in the segment at a time."""
    return all(check.holds(one, at, quantiles) for check, one in zip(watch.checks, state.checks, strict=True))


def changes(watch: Watch, state: State, at: datetime) -> datetime | None:
    """When, after a time, that may change by itself."""
    times = [check.changes(one, at) for check, one in zip(watch.checks, state.checks, strict=True)]
    return min((time for time in times if time is not None and time > at), default=None)


def ending(watch: Watch, state: State, at: datetime) -> Evidence | None:
    """The fact that leaves a window when it changes by itself after a time; None where no window ends then."""
    when = changes(watch, state, at)
    for check, one in zip(watch.checks, state.checks, strict=True) if when is not None else ():
        counted = check.check if isinstance(check, Opposite) else check
        if isinstance(counted, Counted) and one and check.changes(one, at) == when:
            fact: Evidence = one[0]
            return fact
    return None


def quantiles_of(watch: Watch) -> frozenset[str]:
    """Of which scores it asks for a percentile."""
    return percentiles_of(watch.segment.checks)


def encode(state: State) -> bytes:
    """The bytes of a state."""
    return _encoder.encode(state)


def decode(watch: Watch, encoded: bytes) -> State:
    """The state of bytes that `encode` wrote for this segment."""
    stored = _decoder.decode(encoded)
    checks = [msgspec.msgpack.decode(one, type=check.state) for check, one in zip(watch.checks, stored.checks, strict=True)]
    return State(tuple(checks), stored.last)
