"""Folding makes of what people read as the same text the same text, and folding again changes nothing."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregates.matching.forms import folded, form
from aggregates.matching.kinds import Kind
from aggregates.normal import persian

MARKS = "\u200c\u200f\u202a\u064b\u064e\u0651\u0654\u0640\u0301"
PERSIAN = st.text(st.sampled_from(list("آأإاٱبپيیىكکةهۀەؤوئء۰٩9 \tAbİßéﻼ" + MARKS)), max_size=30)
ANY = PERSIAN | st.text(max_size=30)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=500)
@given(ANY)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert persian.fold(persian.fold(text)) == persian.fold(text)
    assert persian.plain(persian.plain(text)) == persian.plain(text)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=500)
@given(ANY)
def test_what_is_plainly_the_same_is_found_the_same(text: str) -> None:
    assert persian.fold(persian.plain(text)) == persian.fold(text)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY)
def test_case_and_spaces_around_do_not_matter(text: str) -> None:
    assert persian.fold(f"  {text}\n") == persian.fold(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("علی رضا", "علیرضا"), ("سارا", "سمیرا"), ("۱۲", "۲۱")],
)
def test_what_is_not_the_same_stays_apart(one: str, other: str) -> None:
    assert persian.fold(one) != persian.fold(other)


WRITTEN = {"ی": "یيىې", "ک": "کك", "ه": "هةۀہھ", "ا": "اأإآٱ", "و": "وؤ"}
UNSEEN = ("", "", "", "\u0640", "\u064e", "\u0651", "\u200c", "\u200f", "\u2067")
TITLES = ("", "آقای ", "خانم ", "دکتر ", "جناب آقاي ", "سركار خانم مهندس ", "سیّده ", "دكتر\u200c", "آقای\u200c ")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=80)
@given(st.data(), st.sampled_from(["محمدرضا کریمی", "زهرا هاشمی", "کیان یوسفی", "آرش نوری", "فاطمه موسوی"]))
def test_a_name_is_one_however_it_is_typed(data: st.DataObject, name: str) -> None:
    typed = "".join(
        data.draw(st.sampled_from(WRITTEN.get(letter, letter))) + (data.draw(st.sampled_from(UNSEEN)) if letter != " " else "")
        for letter in name
    )
    written = data.draw(st.sampled_from(TITLES)) + typed
    assert form(Kind.NAME, folded(written)) == form(Kind.NAME, folded(name))


def test_identifiers_keep_case_and_marks_that_search_drops() -> None:
    assert persian.plain(" Aب\u064e ") == "Aب\u064e"
    assert persian.fold(" Aب\u064e ") == "aب"
