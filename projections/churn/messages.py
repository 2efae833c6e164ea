"""What a customer's partition tells the learner through `churn-examples`: what was said, from what, and what labels are told by.

One record a batch, as MessagePack: a record for each customer would cost the customer's step more than scoring does.
Reading order: Batch, Told, Example.
"""

from msgspec import Struct, msgpack

from projections.churn.anchors import Anchors
from projections.churn.features import Features

VERSION = 1


class Example(Struct, frozen=True, array_like=True, gc=False):
    """What was said of a customer on a day."""

    day: int
    silent: bool
    features: Features
    anchors: Anchors
    given: float  # the logit
    snapshot: int  # by which


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
    void: int | None = None  # examples of his silence on this day and later were said too early


class Batch(Struct, frozen=True, array_like=True):
    """What one transaction of one partition has to tell."""

    version: int
    partition: int
    told: tuple[Told, ...]
    passed: dict[str, int]  # "wall", "replayed": everything before this day is told


_encoder = msgpack.Encoder()
decoder = msgpack.Decoder(Batch)


def encode(batch: Batch) -> bytes:
    """The bytes of a record."""
    return _encoder.encode(batch)
