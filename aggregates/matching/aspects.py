"""Says of every value of a column, once, what its comparison with others needs: its sound, its digits in order, its year, month and day.

Two values have an aspect in common when its numbers are equal; 0 never is.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from aggregates.matching.kinds import Kind
from aggregates.matching.sound import skeleton

Ints = npt.NDArray[np.int64]


def aspects(kind: Kind, texts: Sequence[str]) -> Mapping[str, Ints]:
    """The aspects that values of this kind are compared by, each as one number per text."""
    match kind:
        case Kind.NAME | Kind.COMPANY:
            return {
                "joined": numbered(text.replace(" ", "") for text in texts),
                "sound": numbered(skeleton(text) for text in texts),
                "initial": numbered(text[:1] for text in texts),
                "parts": np.fromiter((text.count(" ") + 1 for text in texts), np.int64, len(texts)),
            }
        case Kind.DATE:
            days = [text if len(text) == 8 and text.isdecimal() else "" for text in texts]
            return _of_digits(texts) | {
                "year": np.fromiter((int(day[:4] or 0) for day in days), np.int64, len(texts)),
                "month": np.fromiter((int(day[4:6] or 0) for day in days), np.int64, len(texts)),
                "day": np.fromiter((int(day[6:] or 0) for day in days), np.int64, len(texts)),
            }
        case Kind.PHONE | Kind.DIGITS:
            return _of_digits(texts)
        case Kind.EMAIL:
            names = (text.partition("@")[0].partition("+")[0] for text in texts)
            return {"mailbox": numbered(name if len(name) > 2 else "" for name in names)}
        case Kind.TEXT | Kind.NUMBER:
            return {}


def _of_digits(texts: Sequence[str]) -> dict[str, Ints]:
    return {
        "sorted": numbered("".join(sorted(text)) for text in texts),
        "stripped": numbered(text.lstrip("0") if len(text) > 2 else "" for text in texts),
    }


def numbered(texts: Iterable[str]) -> Ints:
    """A number for each text, the same for the same; 0 for none."""
    numbers: dict[str, int] = {"": 0}
    return np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.int64)
