"""docs/rules.md is the promise: its examples are read, its words are all there are, its vectors are worked out anew."""

import re
from pathlib import Path
from uuid import UUID

from aggregates.contact_policy import reading as policies
from aggregates.rules import conditions, reading
from aggregates.rules.holdout import held_out
from aggregates.touchpoint import derive
from projections.triggers.state import KEPT

TEXT = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
RULES, POLICY = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def rows(heading: str) -> list[list[str]]:
    table = TEXT.partition(f"| {heading} |\n")[2].partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table]


def test_the_examples_are_read() -> None:
    read = reading.read(RULES, "Asia/Tehran")
    assert (read.problems, len(read.rules)) == ((), 6)
    assert policies.read(POLICY).policy


def test_every_word_of_a_rule_is_explained() -> None:
    assert {row[0] for row in rows("word |")} == set(reading.RULE_WORDS)
    assert len(rows("`when` | comes true")) == len(reading.WHEN_WORDS)
    assert len(rows("`if` | holds")) == len(conditions.IF_WORDS)


def test_the_vectors_are_worked_out() -> None:
    for cause, rule, version, signal in rows("cause | rule | version | signal id"):
        assert derive("signal", cause, rule, version) == UUID(signal)
    for salt, over, share in rows("salt | over | share"):
        parts = over.split("␟")
        assert held_out(float(share) + 1e-5, salt, *parts)
        assert not held_out(float(share) - 1e-5, salt, *parts)


def test_as_many_facts_are_kept_as_is_said() -> None:
    assert f"between {KEPT} and {2 * KEPT - 1} facts" in " ".join(TEXT.split())
