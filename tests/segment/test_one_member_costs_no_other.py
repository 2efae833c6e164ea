"""What the reader of JSON refuses as a whole is taken apart, so that what cannot be read costs only itself."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates import apart
from aggregates.apart import listed, members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.sampled_from('ab"\\\\[]{},: \n\ud83dé'), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a"\\\\]}:', max_size=3), inner, max_size=3),
    max_leaves=12,
)


def written(value: Any, indent: int | None) -> bytes:
    """JSON as programs write it, halves of surrogate pairs and numbers that are none included."""
    return json.dumps(value, indent=indent).encode()


@pytest.mark.parametrize("counted", [False, True])
@given(st.lists(VALUES, max_size=4), st.sampled_from([None, 1]))
def test_whatever_is_in_a_list_is_told_apart(counted: bool, values: list[Any], indent: int | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if counted:
            patch.setattr(apart, "_lenient", _reads_nothing)
        found = listed(written(values, indent))
        named = members(written({str(number): value for number, value in enumerate(values)}, indent))
    assert found is not None
    assert named is not None
    assert [repr(json.loads(one)) for one in found] == [repr(one) for one in values]
    assert [repr(json.loads(one)) for one in named.values()] == [repr(one) for one in values]


def _reads_nothing(text: str, place: int) -> tuple[Any, int]:
    raise ValueError(text[place:])


def test_what_is_no_json_stays_in_its_item() -> None:
    deep = b"[" * 5000 + b"]" * 5000
    assert listed(b'[ {"a": NaN}, {b: "}"}, ' + deep + b', "\xff", 7 ] ') == [b'{"a": NaN}', b'{b: "}"}', deep, b'"\xff"', b"7"]
    assert members(b'{"batch" : [{a}], "sentAt":"\\ud800"}') == {"batch": b"[{a}]", "sentAt": b'"\\ud800"'}


@pytest.mark.parametrize(
    "content",
    [b"", b"[", b"[{]", b"[{}}", b"[[}]", b"[1 2]", b"[object Object]", b"[1,]", b"[,1]", b'["a]', b'[{"a]}', b"[] x", b'[{"a":1}, {"b"'],
)
def test_what_cannot_be_told_apart_is_not(content: bytes) -> None:
    assert listed(content) is None


@pytest.mark.parametrize("content", [b"{", b"{a:1}", b'{"a"}', b'{"a":1,}', b'{"a":1 "b":2}', b'{"a":1} x', b"[]"])
def test_an_object_that_cannot_be_told_apart_is_not(content: bytes) -> None:
    assert members(content) is None


@pytest.mark.parametrize("content", [b"[" + b"{}," * 50_000 + b"{}]", b'[{"a":' + b"[" * 300_000, b"[" + b"[" * 150_000 + b"]" * 150_001])
def test_only_so_much_is_told_apart(content: bytes) -> None:
    assert listed(content) is None
