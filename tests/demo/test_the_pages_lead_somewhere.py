"""Every link in the README and in docs/ that stays in the repository leads to a file, and every command that they show is one."""

import re
import shlex
from pathlib import Path

import pytest

from infra.cli import build

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


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


@pytest.mark.parametrize("page", [page for page in PAGES if "```sh" in page.read_text()], ids=lambda page: str(page.relative_to(ROOT)))
def test_its_commands_are_understood_with_their_options(page: Path) -> None:
    app = build()
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            _, starts, words = line.partition("yekta ")
            if starts and "curl" not in line:
                app.parse_args(shlex.split(words.replace(")", " "), comments=True), exit_on_error=False, print_error=False)
