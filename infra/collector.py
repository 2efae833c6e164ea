"""Spares Python's garbage collector what it need not walk. Reading order: spare_the_collector."""

import gc


def spare_the_collector() -> None:
    """What is there now stays, and young objects of a batch die young: looking at all of them often cost a tenth of the door. A worker's
    caches of states hold a million objects without a cycle among them: walking them took a quarter of its time."""
    gc.freeze()
    gc.set_threshold(200_000, 100, 1000)
