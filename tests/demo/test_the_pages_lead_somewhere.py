"""Every link in the README and in docs/ that stays in the repository leads to a file, and every command that they show is one."""

import contextlib
import re
import shlex
from pathlib import Path

import pytest
from cyclopts import CoercionError, MissingArgumentError

from infra.cli import COMMANDS, build

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(rf"(?:^|`|\$\()yekta ((?:{'|'.join(COMMANDS)})\b[^`)\n…]*)", re.MULTILINE)
"""At the beginning of a line, in a word of its own, or in a shell's brackets."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_its_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert lost == []


def test_the_index_lists_every_page() -> None:
    listed = set(re.findall(r"\]\(([^)]+)\)", (ROOT / "docs" / "index.md").read_text()))
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")} - {"index.md"}
    assert pages <= listed


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda page: page.stem)
def test_a_decision_names_a_test_that_keeps_it(page: Path) -> None:
    _, _, kept = page.read_text().partition("Kept by")
    tests = re.findall(r"`(tests/[\w/.]+)`", kept)
    assert tests
    assert [test for test in tests if not (ROOT / test).exists()] == []


SHOWN = {page: shown for page in PAGES if (shown := COMMAND.findall(page.read_text()))}


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_its_commands_are_understood_with_their_options(page: Path) -> None:
    app = build()
    for words in SHOWN[page]:
        with contextlib.suppress(MissingArgumentError, CoercionError):  # "`yekta learn --rollback N` goes back", of any N
            app.parse_args(shlex.split(words, comments=True), exit_on_error=False, print_error=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_its_blocks_begin_and_end_on_lines_of_their_own(page: Path) -> None:
    fences = [line for line in page.read_text().splitlines() if "```" in line]
    assert [line for line in fences if not re.fullmatch(r"```\w*", line)] == []
    assert len(fences) % 2 == 0
