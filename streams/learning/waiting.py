"""Keeps the examples of a day while they wait for their labels, in an eighth of the memory: a horizon of them is most of what a long log
takes. Reading order: Example, Waiting, packed.
"""

from array import array
from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import chain

from msgspec import Struct

from projections.churn.anchors import Anchors
from projections.churn.features import Features
from streams.learning.learner import Prediction


class Example(Struct, frozen=True, gc=False):
    """The last that was said of a customer on a day, with what it was said from."""

    customer: str
    day: int
    features: Features
    anchors: Anchors
    prediction: Prediction
    silent: bool = False  # scored because nothing happened


class Waiting(Struct, frozen=True, gc=False):
    """Examples of one day: their numbers stand one after another, and those who have the same features share the names."""

    day: int
    silent: bool
    customers: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    numbers: "array[float]"  # of each example the features, the anchors, the logit and what each expert said
    experts: int

    def __len__(self) -> int:
        return len(self.customers)

    def __iter__(self) -> Iterator[Example]:
        numbers, at = self.numbers.tolist(), 0
        for customer, names in zip(self.customers, self.names, strict=True):
            said = at + len(names)
            features = dict(zip(names, numbers[at:said], strict=True))
            anchors, at = Anchors(*numbers[said : said + 3]), said + 4 + self.experts
            yield Example(customer, self.day, features, anchors, Prediction(numbers[said + 3], tuple(numbers[said + 4 : at])), self.silent)


def packed(day: int, examples: Collection[Example], *, silent: bool) -> Waiting:
    """The examples of a day, all at events or all of the silent."""
    parts = ((one.features.values(), one.anchors, (one.prediction.logit,), one.prediction.experts) for one in examples)
    return Waiting(
        day,
        silent,
        tuple([one.customer for one in examples]),
        tuple([_shared(tuple(one.features)) for one in examples]),
        array("d", chain.from_iterable(chain.from_iterable(parts))),
        max((len(one.prediction.experts) for one in examples), default=0),
    )


@lru_cache(maxsize=65_536)
def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """The same names once."""
    return names
