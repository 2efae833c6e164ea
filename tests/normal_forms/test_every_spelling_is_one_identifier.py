"""Identifiers that people write in many ways are one, and bringing them to normal form again changes nothing."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aggregates.identifier import Identifier
from aggregates.normal import FORMS, KINDS, NORMALISER_VERSION, NotAnIdentifier, normalise, trusted
from aggregates.normal.national_id import check_digit

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")

MOBILES = st.from_regex(r"9[0-4][0-9]{8}", fullmatch=True)
PREFIXES = st.sampled_from(["0", "", "+98", "98", "0098", "+98 0", "+98 (0)", "۰۰۹۸", "\u202a+98", "tel:+98"])
SEPARATORS = st.sampled_from(["", " ", "-", "  ", ".", " - ", "\u200c", "\u00a0", "‑", ")(", "/"])
ENDS = st.sampled_from(["", " ", ";ext=12", " ext. 12", "x12", " داخلی ۱۲", "\u202c"])
WORDS = st.text(max_size=40) | st.from_regex(r"[0-9+ ()-]{1,20}", fullmatch=True) | st.from_regex(r"\S{1,20}[@:]\S{1,20}", fullmatch=True)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MOBILES, PREFIXES, SEPARATORS, ENDS, st.integers(1, 9), st.sampled_from([None, PERSIAN, ARABIC]))
def test_all_spellings_of_a_mobile_number_are_one(
    number: str, prefix: str, separator: str, end: str, cut: int, digits: dict[int, int] | None
) -> None:
    spelled = f"{prefix}{separator}{number[:cut]}{separator}{number[cut:]}{end}"
    assert normalise("phone", spelled.translate(digits or {})) == Identifier("phone", f"+98{number}")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([*KINDS, "loyalty_card"]), WORDS)
@example("email", "ϔ@é.ıİ")
@example("social", "x:@@a")
@example("card", "1234 1234")
@example("phone", "+++")
def test_a_normal_form_is_its_own(kind: str, text: str) -> None:
    try:
        found = normalise(kind, text)
    except NotAnIdentifier:
        return
    assert normalise(kind, found.value) == found
    assert found.value
    assert found.value == found.value.strip()
    assert "\x1f" not in found.value


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(KINDS), WORDS)
def test_a_phone_has_digits_or_no_trust(kind: str, text: str) -> None:
    try:
        found = normalise(kind, text)
    except NotAnIdentifier:
        return
    if kind == "phone" and trusted(found):
        assert found.value.startswith("+")
        assert found.value[1:].isdecimal()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(10_000_000, 999_999_999).map(lambda n: f"{n:09d}"), st.sampled_from([PERSIAN, ARABIC, {}]))
def test_a_national_number_is_known_by_its_check_digit(nine: str, digits: dict[int, int]) -> None:
    whole = nine + str(check_digit(nine))
    assert normalise("national_id", whole.translate(digits)).value == whole
    assert normalise("national_id", f" {whole[:3]}-{whole[3:9]}-{whole[9]} ").value == whole
    assert normalise("national_id", whole.lstrip("0")).value == whole
    wrong = nine + str((check_digit(nine) + 1) % 10)
    if trusted(Identifier("national_id", wrong)):
        with pytest.raises(NotAnIdentifier):
            normalise("national_id", wrong)


@pytest.mark.parametrize("kind", ["", "Phone", "national-id", "a b", "a:b", "9x", "_x", "x" * 65, "تلفن"])
def test_a_kind_is_a_name(kind: str) -> None:
    with pytest.raises(NotAnIdentifier):
        normalise(kind, "1")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", " ", "\u200c", "\t\n"])
def test_nothing_is_no_identifier(kind: str, text: str) -> None:
    with pytest.raises(NotAnIdentifier, match="empty"):
        normalise(kind, text)


def test_the_forms_are_those_of_version_3() -> None:
    assert NORMALISER_VERSION == 3
    assert normalise("national_id", "97737038.0").value == "0097737038"  # 1 and 2 read 0977370380, whose check digit holds too
    assert set(FORMS) == {"phone", "email", "national_id", "card", "social", "company_id", "iban"}
