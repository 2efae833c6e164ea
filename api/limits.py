"""Holds each source to the rate that was set for it, without refusing what it sends at one go.

A bucket of one second's events fills at the rate and may be overdrawn by one request; until the debt is paid nothing more is taken. What
the installation's other doors took of the source is charged here too, a moment later: `infra` brings word. No request waits for it.
Reading order: Limits, admit, charge, others.
"""

import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from aggregates.source import Source
from api.problem import Problem


@dataclass(slots=True)
class Bucket:
    """How many events a source may send now; below zero: how many it sent too soon."""

    left: float
    at: datetime


class Limits:
    """The buckets of all sources that have a rate."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}
        self.taken: Counter[str] = Counter()
        """How many events this door took of each source that has a rate, since it began."""

    def admit(self, source: Source, now: datetime) -> None:
        """Raises a 429 problem while the source must wait; Retry-After says how long."""
        if not source.rate:
            return
        bucket = self._filled(source, now)
        if bucket.left <= 0:
            wait = max(1, math.ceil((1 - bucket.left) / source.rate))
            raise Problem(
                429,
                "too_many",
                f"The source {source.name} may send {source.rate:g} events a second.",
                mend=f"Send the same events again after {wait} s, with the same ids.",
                headers={"Retry-After": str(wait)},
            )

    def charge(self, source: Source, events: int, now: datetime) -> None:
        """So many events of the source were taken."""
        if source.rate:
            self._filled(source, now).left -= events
            self.taken[source.name] += events

    def others(self, name: str, events: int) -> None:
        """So many events of the source were taken by other doors."""
        if bucket := self._buckets.get(name):
            bucket.left -= events

    def _filled(self, source: Source, now: datetime) -> Bucket:
        most = max(1.0, source.rate)
        bucket = self._buckets.get(source.name)
        if bucket is None:
            bucket = self._buckets[source.name] = Bucket(most, now)
        passed = max(0.0, (now - bucket.at).total_seconds())
        bucket.left = min(most, bucket.left + passed * source.rate)
        bucket.at = now
        return bucket
