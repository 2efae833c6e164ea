"""Every line of the tables in docs/normal-forms.md is true."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from aggregates.matching.dates import date
from aggregates.matching.forms import folded
from aggregates.matching.forms import form as form_of
from aggregates.matching.kinds import Kind
from aggregates.normal import NotAnIdentifier
from aggregates.normal.company import company, company_id
from aggregates.normal.iban import iban
from aggregates.normal.persian import fold

PAGE = Path(__file__).parent.parent.parent / "docs" / "normal-forms.md"
CASES = re.findall(r"^\| (\w+) \| `(.+?)` \| (refused|`.+?`) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
FORMS: Mapping[str, Callable[[str], str]] = {
    "text": fold,
    "name": lambda text: form_of(Kind.NAME, folded(text)),
    "company": lambda text: company(fold(text)),
    "company_id": company_id,
    "iban": iban,
    "date": lambda text: date(folded(text)),
}


def test_the_page_speaks_of_every_form() -> None:
    assert {name for name, _, _ in CASES} == set(FORMS)


@pytest.mark.parametrize(("name", "written", "expected"), CASES)
def test_a_text_is_compared_as_the_page_says(name: str, written: str, expected: str) -> None:
    form = FORMS[name]
    if expected == "refused":
        with pytest.raises(NotAnIdentifier):
            form(written)
    else:
        assert form(written) == expected.strip("`")


@pytest.mark.parametrize("digits", ["10380284790", "14005893875", "10100302746"])
def test_one_wrong_digit_of_a_company_is_noticed(digits: str) -> None:
    assert company_id(digits) == digits
    with pytest.raises(NotAnIdentifier):
        company_id(digits[:-1] + str((int(digits[-1]) + 1) % 10))
