"""A body that cannot be read says where it is wrong, and what could stand there."""

from typing import Literal

import msgspec
import pytest

from api.decoding import decoded
from api.problem import Problem


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """A part of a body."""

    how: Literal["well", "badly"] = "well"


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """A body of each form that bodies have."""

    lines: list[Line] = []
    named: dict[str, Line] = {}
    one: Line | None = None
    count: int = 0


@pytest.mark.parametrize(
    ("sent", "pointer", "mend"),
    [
        (b'{"line": []}', "", "The fields here are: lines, named, one, count."),
        (b'{"lines": [{}, {"who": 1}]}', "/lines/1", "The fields here are: how."),
        (b'{"lines": [{"how": "so"}]}', "/lines/0/how", "Say one of: badly, well."),
        (b'{"named": {"a": {"how": "so"}}}', "/named/.../how", "Say one of: badly, well."),
        (b'{"one": {"how": "so"}}', "/one/how", "Say one of: badly, well."),
        (b'{"count": "x"}', "/count", None),
        (b'{"named": {"a": {"how": "\\u0000"}}}', "/named/a/how", "Leave NUL characters and halves of surrogate pairs out."),
    ],
)
def test_the_place_and_what_may_stand_there_are_named(sent: bytes, pointer: str, mend: str | None) -> None:
    with pytest.raises(Problem) as raised:
        decoded(sent, Body)
    assert (raised.value.body.status, raised.value.body.pointer, raised.value.body.mend) == (422, pointer, mend)
