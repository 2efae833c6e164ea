"""The log holds what older checks let pass, and what nobody checked: no fold may stumble over it."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.contracts import CONTRACTS
from projections.search.terms import ask, hash_of, terms_of
from projections.timeline.row import row_of
from projections.view.reading import read
from projections.view.state import decode, encode
from projections.view.windows import windows
from tests.view.telling import BEGINNING, CUSTOMER, folded, happened

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted({field for contract in CONTRACTS.values() for field in contract.data.__struct_fields__} | {"unheard_of"})
DATA = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*sorted(CONTRACTS), "", "x", ".", "x.y.z"]), DATA), max_size=6))
def test_whatever_is_in_the_data(told: list[tuple[str, dict[str, Any]]]) -> None:
    history = [happened(type_, data, id_=str(number), day=number) for number, (type_, data) in enumerate(told)]
    state = folded(history)
    assert state.events == len(history)
    assert decode(encode(state)) == state
    assert all(kind and "\0" not in term for kind, term in terms_of(state))
    assert len(hash_of(state)) == 8
    view = read(CUSTOMER, state, windows([], BEGINNING), BEGINNING)
    assert view.events == len(history)
    for happening in history:
        row = row_of(happening.event, happening.record, CUSTOMER, 0, 0)
        assert (row.amount is None) == (row.currency is None)


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_whatever_is_searched(query: str) -> None:
    for word in ask(query):
        assert word.prefixes or word.exact
