"""What a lane remembers from one batch to the next: of more than it may, those go who were not met for longest.

All at once, when there were too many, would have everybody read anew: with twice as many customers as there is room for, half of them
at any time, and the partition stands still while a million objects are let go. Reading order: remember.
"""

from collections.abc import Mapping
from itertools import islice
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def remember(kept: dict[Key, Value], learned: Mapping[Key, Value], most: int) -> list[Key]:
    """Add what was learned, as what was met last; return whose was let go, so that no more than `most` are left."""
    for key in learned:
        kept.pop(key, None)
    kept.update(learned)
    gone = list(islice(kept, max(0, len(kept) - most)))
    for key in gone:
        del kept[key]
    return gone
