"""Says when what is learnt no longer fits what happens: the loss of late against the loss until then, by Page and Hinkley's test (1954).

It is plain arithmetic on a few sums, so that it is the same wherever the log is read again. Reading order: Watch, seen.
"""

from collections.abc import Sequence

from msgspec import Struct

PATIENCE = 500
"""Labels before which nothing is an alarm."""

TOLERANCE = 0.01
"""Of mean loss: what is no drift."""

HEIGHT = 25.0
"""Of the sum of excess losses: an alarm. Log-losses of single labels are a half or so, give or take as much."""


class Watch(Struct, frozen=True):
    """What was seen since the last alarm."""

    labels: int = 0
    mean: float = 0.0
    excess: float = 0.0
    lowest: float = 0.0
    late: float = 0.0  # mean of some hundreds of the last losses, fading


def seen(watch: Watch, losses: Sequence[float]) -> tuple[Watch, tuple[float, float] | None]:
    """After some more losses; an alarm says the loss of late and until then, and the watch begins anew."""
    labels, mean, excess, lowest, late = watch.labels, watch.mean, watch.excess, watch.lowest, watch.late
    for loss in losses:
        labels += 1
        mean += (loss - mean) / labels
        late += (loss - late) / min(labels, 300)
        excess += loss - mean - TOLERANCE
        lowest = min(lowest, excess)
    if labels >= PATIENCE and excess - lowest > HEIGHT:
        return Watch(), (late, mean)
    return Watch(labels, mean, excess, lowest, late), None
