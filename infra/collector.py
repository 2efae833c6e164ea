"""Spares Python's garbage collector what it need not walk. Reading order: spare_the_collector."""

import gc


def spare_the_collector() -> None:
    """Caches of states hold a million objects without a cycle among them: walking them took a quarter of the time."""
    gc.freeze()
    gc.set_threshold(200_000, 100, 1000)
