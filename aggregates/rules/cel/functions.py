"""The functions of CEL's standard library that rules need, by name. Each raises `Unusable` for a value that it is not for."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from aggregates.moment import known_zone
from aggregates.rules.cel.operators import number
from aggregates.rules.cel.text import duration_of, moment_of, there, written
from aggregates.rules.cel.values import Money, Unusable, decimal_of

Function = Callable[..., Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def size(value: Any) -> int:
    """How many characters, items or names."""
    if isinstance(value, str | list | Mapping):
        return len(value)
    raise Unusable("this has no size")


def whole(value: Any) -> int:
    """`int()`: what stands before the point; of a time its seconds since 1970."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    found: Decimal | int | None = decimal_of(value) if isinstance(value, str) else number(value)
    if found is None or not -(2**63) < found < 2**63:
        raise Unusable("this is no whole number")
    return int(found)


def decimal(value: Any) -> Decimal:
    """`double()`: the number, exactly."""
    found = decimal_of(value) if isinstance(value, str) else number(value)
    if found is None:
        raise Unusable("this is no number")
    return Decimal(found)


def text(value: Any) -> str:
    """`string()`."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return str(value)
        case datetime():
            return written(value)
        case timedelta():
            return f"{format(Decimal(value // timedelta(microseconds=1)).scaleb(-6).normalize(), 'f')}s"
        case _ if (found := number(value)) is not None:
            return format(found, "f") if isinstance(found, Decimal) else str(found)
    raise Unusable("this has no text")


def truth(value: Any) -> bool:
    """`bool()`."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise Unusable("this is neither true nor false")


def timestamp(value: Any) -> datetime:
    """`timestamp()`: of RFC 3339, or seconds since 1970."""
    if isinstance(value, datetime):
        return value
    if type(value) is int:
        try:
            return _EPOCH + timedelta(seconds=value)
        except OverflowError:
            raise Unusable("no calendar goes so far") from None
    return moment_of(_text(value))


def duration(value: Any) -> timedelta:
    """`duration()`."""
    return value if isinstance(value, timedelta) else duration_of(_text(value))


def kind(value: Any) -> str:
    """`type()`, as a name."""
    for name, kinds in _KINDS:
        if isinstance(value, kinds):
            return name
    return "null_type"


_KINDS: tuple[tuple[str, Any], ...] = (
    ("bool", bool),
    ("double", (float, Decimal, Money)),
    ("int", int),
    ("string", str),
    ("list", list),
    ("map", Mapping),
    ("google.protobuf.Timestamp", datetime),
    ("google.protobuf.Duration", timedelta),
)


def matches(value: Any, pattern: Any) -> bool:
    """Whether the pattern, of RE2, is found: no pattern of a marketer can stop the worker."""
    return _pattern(_text(pattern)).search(_text(value)) is not None


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> Any:
    import re2  # type: ignore[import-untyped]

    quietly = re2.Options()
    quietly.log_errors = False  # else the library writes to stderr itself
    try:
        return re2.compile(pattern, quietly)
    except re2.error:
        raise Unusable("this is no pattern") from None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    raise Unusable("this is no text")


def _clock(read: Callable[[datetime], int], elapsed: Callable[[timedelta], int] | None = None) -> Function:
    def part(value: Any, zone: str = "UTC") -> int:
        if isinstance(value, datetime):
            return read(there(value, _zone(zone)))
        if elapsed and isinstance(value, timedelta):
            return elapsed(value)
        raise Unusable("this is no time")

    return part


_OFFSET = re.compile(r"([-+]?)([01][0-9]|2[0-3]):([0-5][0-9])\Z", re.ASCII)


def _zone(name: str) -> tzinfo:
    """Of a name, or of a difference to UTC such as `+03:30`."""
    text = _text(name)
    if found := _OFFSET.match(text):
        span = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-span if found[1] == "-" else span)
    zone = known_zone(text)
    if zone is None:
        raise Unusable("this is no time zone")
    return zone


FUNCTIONS: Mapping[str, tuple[Function, int]] = {
    "size": (size, 1),
    "int": (whole, 1),
    "uint": (whole, 1),
    "double": (decimal, 1),
    "string": (text, 1),
    "bool": (truth, 1),
    "timestamp": (timestamp, 1),
    "duration": (duration, 1),
    "dyn": (lambda value: value, 1),
    "type": (kind, 1),
    "matches": (matches, 2),
}
"""Called by name: the function and how many values it takes."""

METHODS: Mapping[str, tuple[Function, int, int]] = {
    "size": (size, 0, 0),
    "matches": (matches, 1, 1),
    "contains": (lambda value, part: _text(part) in _text(value), 1, 1),
    "startsWith": (lambda value, part: _text(value).startswith(_text(part)), 1, 1),
    "endsWith": (lambda value, part: _text(value).endswith(_text(part)), 1, 1),
    "lowerAscii": (lambda value: "".join(c.lower() if c.isascii() else c for c in _text(value)), 0, 0),
    "upperAscii": (lambda value: "".join(c.upper() if c.isascii() else c for c in _text(value)), 0, 0),
    "trim": (lambda value: _text(value).strip(), 0, 0),
    "getFullYear": (_clock(lambda at: at.year), 0, 1),
    "getMonth": (_clock(lambda at: at.month - 1), 0, 1),
    "getDate": (_clock(lambda at: at.day), 0, 1),
    "getDayOfMonth": (_clock(lambda at: at.day - 1), 0, 1),
    "getDayOfWeek": (_clock(lambda at: at.isoweekday() % 7), 0, 1),
    "getDayOfYear": (_clock(lambda at: at.timetuple().tm_yday - 1), 0, 1),
    "getHours": (_clock(lambda at: at.hour, lambda span: int(span.total_seconds() / 3600)), 0, 1),
    "getMinutes": (_clock(lambda at: at.minute, lambda span: int(span.total_seconds() / 60)), 0, 1),
    "getSeconds": (_clock(lambda at: at.second, lambda span: int(span.total_seconds())), 0, 1),
    "getMilliseconds": (
        _clock(lambda at: at.microsecond // 1000, lambda span: abs(span).microseconds // 1000 * (-1 if span < timedelta() else 1)),
        0,
        1,
    ),
}
"""Called on a value: the function, and the least and most values that it takes besides."""

READERS: Mapping[str, Callable[[str], Any]] = {
    "matches": _pattern,
    "timestamp": moment_of,
    "duration": duration_of,
    **{name: _zone for name in METHODS if name.startswith("get")},
}
"""What functions make of their last text: where it stands in the expression, it can be judged before there is an event."""
