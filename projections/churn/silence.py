"""Says when those who do nothing are looked at: a score that waits for an event misses the very customers who leave.

Reading order: checks, next_check.
"""

from collections.abc import Sequence
from functools import lru_cache

from aggregates.churn import Definition

CHECKS = (1 / 12, 1 / 6, *(third / 3 for third in range(1, 10)))
"""When the silent are scored: so many horizons after their last event, with one of 90 days once a month. After three only when somebody
asks."""


def checks(definition: Definition) -> Sequence[int]:
    """The days of silence after which a customer is looked at."""
    return _checks(definition.horizon)


def next_check(definition: Definition, last: int, after: int) -> int | None:
    """The first day later than `after` on which a customer is looked at whose last event was on day `last`; None: never again."""
    return next((last + check for check in checks(definition) if last + check > after), None)


@lru_cache
def _checks(horizon: int) -> tuple[int, ...]:
    return tuple(sorted({max(1, round(check * horizon)) for check in CHECKS}))
