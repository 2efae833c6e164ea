"""docs/contracts.md says what the program does: its fields, examples, normal forms and reasons are read out of the page and tried."""

import json
import re
from typing import get_args

import pytest

from aggregates.contracts import CONTRACTS
from aggregates.normal import KINDS, NotAnIdentifier, normalise, persian, trusted
from aggregates.reading import Reason, Refusal, read
from aggregates.touchpoint import Touchpoint
from tests.contracts import page
from tests.contracts.events import RECORDED, SOURCE, event

TEXT = page.PAGE.read_text()
CELLS = re.compile(r"^\| (\w+) \| `(.*)` \| (?:`(.*)`|refused|not trusted) \|$", re.MULTILINE)
FOLDED = re.compile(r"^\| `(.*)` \| `(.*)` \|$", re.MULTILINE)


def part(title: str) -> str:
    """What stands under a heading."""
    return TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]


FORMS = [
    (found[1], found[2], found[0].rpartition("| ")[2][:-2].strip("`")) for found in CELLS.finditer(part("How identifiers are compared"))
]


def test_the_types_are_those_of_the_program() -> None:
    assert page.written(TEXT) == f"\n{page.generated()}", "run: python -m tests.contracts.page"


def test_every_example_on_the_page_is_taken_or_refused_as_it_says() -> None:
    sections = part("Types").split("\n### `")[1:]
    assert [section.partition("`")[0] for section in sections] == list(CONTRACTS)
    for section in sections:
        type_ = section.partition("`")[0]
        valid, invalid = (json.loads(block) for block in re.findall(r"```json\n(.*)\n```", section))
        said = re.search(r"Refused with `(\w+)` at `(.*?)`", section)
        assert said
        assert isinstance(read(event(type_, valid), SOURCE, RECORDED), Touchpoint)
        refusal = read(event(type_, invalid), SOURCE, RECORDED)
        assert isinstance(refusal, Refusal)
        assert (refusal.reason, refusal.pointer) == (said[1], said[2])


def test_the_event_at_the_top_of_the_page_is_taken() -> None:
    whole = json.loads(TEXT.partition("```json\n")[2].partition("```")[0])
    touchpoint = read(whole, SOURCE, RECORDED)
    assert isinstance(touchpoint, Touchpoint)
    assert touchpoint.who == (normalise("phone", "+989121234567"),)


@pytest.mark.parametrize(("kind", "written", "becomes"), FORMS)
def test_an_identifier_becomes_what_the_page_says(kind: str, written: str, becomes: str) -> None:
    if becomes == "refused":
        with pytest.raises(NotAnIdentifier):
            normalise(kind, written)
        return
    found = normalise(kind, written)
    assert trusted(found) is (becomes != "not trusted")
    if becomes != "not trusted":
        assert found.value == becomes


def test_the_page_shows_every_kind_every_reason_and_every_outcome() -> None:
    assert {kind for kind, _, _ in FORMS} >= set(KINDS)
    assert {"refused", "not trusted"} < {becomes for _, _, becomes in FORMS}
    assert re.findall(r"^\| `(\w+)` \|", part("Refusals"), re.MULTILINE) == list(get_args(Reason))


@pytest.mark.parametrize(("written", "found"), FOLDED.findall(part("How texts are searched")))
def test_a_text_is_found_as_the_page_says(written: str, found: str) -> None:
    assert persian.fold(written) == found
