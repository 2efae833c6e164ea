"""The channel that a customer answers, learned from what came back of his contacts. Reading order: learned, share."""

from collections.abc import Iterable
from datetime import datetime, timedelta

ANSWERED, UNANSWERED = 1, 4
"""What is believed of a channel of which nothing is known: one in five is answered. A Beta distribution's two numbers."""


def learned(
    contacts: Iterable[tuple[datetime, str]], responses: Iterable[tuple[datetime, str, bool]], within: timedelta, at: datetime
) -> str:
    """The channel by which he answers most readily, in the window (at - within, at]; empty as long as he answered nothing.

    `responses` has one entry for each contact that he answered (true) or refused (false).
    """
    made: dict[str, int] = {}
    good: dict[str, int] = {}
    bad: dict[str, int] = {}
    for when, channel in contacts:
        if when <= at and at - when < within:
            made[channel] = made.get(channel, 0) + 1
    for when, channel, answered in responses:
        if when <= at and at - when < within:
            counts = good if answered else bad
            counts[channel] = counts.get(channel, 0) + 1
    return min(good, key=lambda channel: (-share(good[channel], made.get(channel, 0) + bad.get(channel, 0)), channel), default="")


def share(answered: int, contacts: int) -> float:
    """The share of contacts that is answered, drawn towards what is believed where there are few."""
    return (answered + ANSWERED) / (max(answered, contacts) + ANSWERED + UNANSWERED)
