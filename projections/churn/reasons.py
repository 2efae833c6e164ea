"""Says why a score is what it is: summands of the logit that add up exactly, gathered by topic, in Persian and English.

The level is the sum of all summands, and the change since the last score is the difference of each: both add up. What is not the
customer's own doing (intercepts, calibration) is told as "everybody".
Reading order: Reason, reasons, weightiest.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from aggregates.churn import Definition
from projections.churn.features import CHANGED, HAPPENED, LATELY, READ, SAID, Features
from projections.churn.state import State
from projections.churn.wording import sentence

RHYTHM = (
    *("prior", "decayed", "orders", "frequency", "fresh", "rate", "silence", "gone"),
    *("gap", "last_gap", "slowing", "late", "spread", "renewal"),
)
TOPICS = {
    **dict.fromkeys(RHYTHM, "rhythm"),
    **dict.fromkeys(("tenure", "young", "first"), "tenure"),
    **dict.fromkeys(("money", "last_money", "trading_down"), "money"),
    **dict.fromkeys(("winter", "spring", "own_season"), "season"),
    **dict.fromkeys(("contract_age", "ends_within", "left", "overdue"), "contract"),
    "read:discount": "discount",
    "changed:discount": "discount",
    "one": "everybody",
}


class Reason(NamedTuple):
    """One topic's part in a score: above 0 it speaks for leaving."""

    topic: str
    level: float  # of the logit
    change: float  # of the logit, since the score before
    fa: str
    en: str


def by_topic(parts: Mapping[str, float]) -> dict[str, float]:
    """The summands gathered: what an agent can be told in one sentence belongs together."""
    topics: dict[str, list[float]] = {}
    for name, part in parts.items():
        topic = topic_of(name)
        if topic in topics:
            topics[topic].append(part)
        else:
            topics[topic] = [part]
    return {topic: math.fsum(parts) if len(parts) > 1 else parts[0] for topic, parts in topics.items()}


@lru_cache(maxsize=65_536)
def topic_of(name: str) -> str:
    """What a feature speaks of."""
    if name in TOPICS:
        return TOPICS[name]
    for kind in (HAPPENED, LATELY):
        if name.startswith(kind):
            return HAPPENED + name.removeprefix(kind)
    if name.startswith(CHANGED):
        return READ + name.removeprefix(CHANGED)
    return name if name.startswith((READ, SAID)) else "everybody"


def weightiest(parts: Mapping[str, float], features: Features, definition: Definition, state: State, most: int) -> list[Reason]:
    """The reasons that weigh most, of the customer's own doing; there is no score before."""
    levels = sorted([(-abs(level), topic, level) for topic, level in by_topic(parts).items() if level and topic != "everybody"])
    return [Reason(topic, level, level, *sentence(topic, features, definition, state)) for _, topic, level in levels[:most]]


def reasons(
    parts: Mapping[str, float], before: Mapping[str, float], features: Features, definition: Definition, state: State
) -> list[Reason]:
    """Why, the weightiest first; what weighs nothing is no reason. `before` are the summands of the last score, if there was one."""
    levels, were = by_topic(parts), by_topic(before)
    told = []
    for topic in levels.keys() | were.keys():
        level, was = levels.get(topic, 0.0), were.get(topic, 0.0)
        if not level and not was:
            continue
        fa, en = sentence(topic, features, definition, state)
        told.append(Reason(topic, level, level - was, fa, en))
    return sorted(told, key=lambda reason: (-abs(reason.level), reason.topic))
