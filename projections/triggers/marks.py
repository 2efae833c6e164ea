"""Places in a customer's past from which a rule can be folded on: a late fact costs what came after it, not the whole history.

A mark is the fold before some facts that are kept no longer (`Seal`); of a hundred thousand facts some twenty are kept.
Reading order: Mark, added, before, Reopened.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from projections.spans import surplus
from projections.triggers.evidence import Evidence, Stamp
from projections.triggers.fold import Fold
from projections.triggers.state import Block

_encoder = msgspec.msgpack.Encoder(order="deterministic", uuid_format="bytes")


class Mark(Struct, frozen=True, array_like=True, gc=False):
    """A fold, as bytes, and what is to be known of it before it is read."""

    span: int  # how many seals there are to the mark before it
    last: Stamp
    fold: bytes  # which type its states have, the rule says

    def is_before(self, fact: Evidence) -> bool:
        """Whether the fact changes nothing of the fold: all that time had decided by then was due before the last fact of it."""
        return self.last < fact.stamp


Marks = tuple[Mark, ...]
"""From the oldest to the newest."""

_decoder = msgspec.msgpack.Decoder(Marks)


@dataclass(slots=True)
class Reopened:
    """The past of a rule and a customer from a mark up to what is kept, and all marks up to that one."""

    marks: Marks
    blocks: list[Block]

    def reaches(self, fact: Evidence) -> bool:
        """Whether the fact belongs into it."""
        return bool(self.blocks) and self.blocks[0].start.is_before(fact)

    def all(self) -> Marks:
        """The marks of the whole past."""
        return added(self.marks, [block.start for block in self.blocks[1:]])


def added(marks: Marks, starts: Sequence[Fold]) -> Marks:
    """The marks with those of later folds."""
    kept = list(marks)
    for start in starts:
        if start.last is None:
            continue  # the beginning needs no mark
        kept.append(Mark(1, start.last, _encoder.encode(start)))
        while (gone := surplus([mark.span for mark in kept])) is not None:
            kept[gone + 1] = replace(kept[gone + 1], span=2 * kept[gone].span)
            del kept[gone]
    return tuple(kept)


def before(marks: Marks, fact: Evidence) -> Marks:
    """The marks that a fact changes nothing of."""
    return tuple([mark for mark in marks if mark.is_before(fact)])


def encode(marks: Marks) -> bytes:
    """The bytes of marks."""
    return _encoder.encode(marks)


def decode(encoded: bytes) -> Marks:
    """The marks of bytes that `encode` wrote."""
    return _decoder.decode(encoded)
