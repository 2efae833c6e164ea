"""What the world is told of a score: the data of `score.given`, on the topic `scores` and in the customer's timeline."""

from msgspec import Struct


class Reason(Struct, frozen=True):
    """One of the weightiest summands of the score's logit, in words."""

    topic: str
    part: float
    fa: str
    en: str


class Published(Struct, frozen=True):
    """A score that moved by the published step, or over a published threshold."""

    score: str  # the definition's name
    version: int
    value: float
    before: float | None  # as it was published last
    silent: bool  # given because nothing happened
    model: int  # the snapshot that said so
    reasons: tuple[Reason, ...]
