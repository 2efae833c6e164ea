"""Says whether bytes that were refused speak of somebody, whose identifiers are known as tokens alone.

Nothing is assumed of what they are: they were refused. Each text in them is read as each kind of identifier that he has.
Reading order: names, texts.
"""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

import msgspec

from aggregates.identifier import Identifier, Token, kind_of
from aggregates.normal import NotAnIdentifier, normalise

LONGEST = 320
"""No identifier is longer than an e-mail address."""

_BETWEEN = re.compile(r"[\x00-\x1f\s,;:\"'{}\[\]<>|=&]+")
_forms = msgspec.json.Decoder(Any)


def names(raw: bytes, tokens: Collection[Token], token: Callable[[Identifier], Token]) -> bool:
    """Whether one of these identifiers is in the bytes, in any spelling."""
    kinds = {kind_of(one) for one in tokens}
    known = {Token(one.partition("~")[0]) for one in tokens}
    return any(_is_his(text, kinds, known, token) for text in dict.fromkeys(texts(raw)))


def _is_his(text: str, kinds: Collection[str], known: Collection[Token], token: Callable[[Identifier], Token]) -> bool:
    for kind in kinds:
        try:
            if token(normalise(kind, text)) in known:
                return True
        except NotAnIdentifier:
            continue
    return False


def texts(raw: bytes) -> Iterator[str]:
    """Every text and number in the bytes: the leaves of JSON, or the words of anything else."""
    try:
        found = list(_leaves(_forms.decode(raw)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = _BETWEEN.split(raw.decode(errors="replace"))
    return (text for text in found if 0 < len(text) <= LONGEST)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
        yield str(value)
