"""docs/churn.md names every feature that there is, and no other fixed one."""

import re
from pathlib import Path

from projections.churn.features import CHANGED, HAPPENED, LATELY, READ, SAID
from streams.learning.vocabulary import FIXED, MOST

PAGE = (Path(__file__).parents[2] / "docs" / "churn.md").read_text()


def test_every_feature_is_on_the_page_with_its_unit_and_reason() -> None:
    section = PAGE.partition("## Features")[2].partition("\n## ")[0]
    named = [name for line in section.splitlines() if line.startswith("| `") for name in re.findall(r"`([^`]+)`", line.split(" | ")[0])]
    fixed = [name for name in named if ":" not in name]
    assert sorted(fixed) == sorted(FIXED)
    assert {name.partition(":")[0] + ":" for name in named if ":" in name} == {HAPPENED, LATELY, READ, CHANGED, SAID}
    assert f"{MOST} such names" in section
