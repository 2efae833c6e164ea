"""Says which of some marks in a history makes room: the further back, the fewer there are, whatever its length. Pure."""

from collections.abc import Sequence

EACH = 2
"""So many marks are kept for every power of two."""


def surplus(spans: Sequence[int]) -> int | None:
    """The place of a mark that goes, so that the next spans its part too; None when there are few enough.

    `spans`, from the oldest on: how far each is from the one before it, in powers of two. From anywhere in the history back to the mark
    before it is then not much further than from there to the last one.
    """
    return next((spans.index(span) for span in sorted(set(spans)) if spans.count(span) > EACH), None)
