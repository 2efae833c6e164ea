"""What identity may do with each kind of identifier. A rule set is a value: published ones replace the built-in one, version by version."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from aggregates.identifier import Token, kind_of


@dataclass(frozen=True, slots=True)
class Kind:
    """What identity may do with one kind of identifier."""

    priority: int  # the lower decides
    limit: int  # how many one customer may own before a person is asked
    weak: bool = False  # several people may hold one: it follows people and never joins them
    days: int | None = None  # of weak ones: after so many days without being met, whoever comes with it is somebody new
    patterns: tuple[str, ...] = ()  # values that prove nothing, as regular expressions over the normal form

    def matches(self, value: str) -> bool:
        """Whether a value proves nothing by one of the patterns."""
        return any(_compiled(pattern).fullmatch(value) for pattern in self.patterns)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rule set that is in force: kinds by name, what holds for kinds not named, and the size at which a merge needs a person."""

    kinds: Mapping[str, Kind]
    other: Kind = Kind(priority=8, limit=5)
    most: int = 50
    blocked: frozenset[Token] = field(default_factory=frozenset)  # values that prove nothing, as tokens
    version: int = 0  # 0: the one that is built in

    def of(self, token: Token) -> Kind:
        """The rule of a token's kind."""
        return self.kinds.get(kind_of(token), self.other)

    def blocks(self, token: Token, value: str) -> bool:
        """Whether an identifier proves nothing: by its value, or by a pattern."""
        return token in self.blocked or self.of(token).matches(value)


DEFAULT_RULES = Rules(
    {
        "national_id": Kind(0, 1),
        "customer_number": Kind(1, 1),
        "user_id": Kind(2, 3),
        "account": Kind(3, 5),
        "email": Kind(4, 5),
        "phone": Kind(5, 5),
        "social": Kind(6, 10),
        "company_id": Kind(8, 5, weak=True),  # all who act for a company may name it
        "iban": Kind(9, 10, weak=True),  # an account is paid from by a family
        "card": Kind(10, 10, weak=True),
        "device": Kind(11, 30, weak=True),
    }
)
