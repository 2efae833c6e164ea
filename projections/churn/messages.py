"""What a customer's partition tells the learner through `churn-examples`: what was said, from what, and what labels are told by.

One record a batch, as MessagePack: a record for each customer would cost the customer's step more than scoring does.
Reading order: Batch, Told, Example, batches.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, msgpack
from msgspec.structs import replace

from projections.churn.anchors import Anchors
from projections.churn.features import Features

VERSION = 2


class Example(Struct, frozen=True, array_like=True, gc=False):
    """What was said of a customer on a day."""

    day: int
    silent: bool
    features: Features
    anchors: Anchors
    given: float  # the logit
    snapshot: int  # by which
    decider: str = ""  # the identifier that decided whose the last fact was by which it was said; empty: it is that of `Told`


class Told(Struct, frozen=True, array_like=True, gc=False):
    """One customer for one definition: what was said since the last time, and the days that labels look for."""

    customer: str
    definition: int
    replayed: bool
    decider: str
    returns: tuple[int, ...]
    losses: tuple[int, ...]
    ends: float | None  # of a contract that runs
    examples: tuple[Example, ...]
    void: int | None = None  # examples of his silence on this day and later were said too early, but for those told here
    left: int | None = None  # of this day and of later ones there is no example but those told here
    whole: bool = False  # the days that labels look for are all there are: those that were told before hold no more


class Batch(Struct, frozen=True, array_like=True):
    """What one transaction of one partition has to tell."""

    version: int
    partition: int
    told: tuple[Told, ...]
    passed: dict[str, int]  # "wall", "replayed": everything before this day is told
    past: tuple[int, ...] = ()  # the definitions of which all of the past is told


def batches(partition: int, told: Sequence[Told], passed: Mapping[str, int], past: Sequence[int], most: int) -> Iterator[Batch]:
    """The records of what is to be told, of so many examples each; the last says up to where all is told."""
    some: list[Told] = []
    room = most
    for one in told:
        for start in range(0, max(1, len(one.examples)), most):
            if len(one.examples[start : start + most]) > room and some:
                yield Batch(VERSION, partition, tuple(some), {})
                some, room = [], most
            first = one if not start else replace(one, void=None, left=None)
            some.append(replace(first, examples=one.examples[start : start + most]))
            room -= len(some[-1].examples)
    if some or passed or past:
        yield Batch(VERSION, partition, tuple(some), dict(passed), tuple(past))


_encoder = msgpack.Encoder()
decoder = msgpack.Decoder(Batch)


def encode(batch: Batch) -> bytes:
    """The bytes of a record."""
    return _encoder.encode(batch)
