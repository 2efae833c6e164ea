"""Articles and scripts have versions: none is lost, an older one comes back as a new one, and nobody overwrites what he has not read."""

from datetime import UTC, datetime

import pytest

from aggregates.knowledge.changes import Line, changes
from aggregates.knowledge.script import Answer, Script, Step
from aggregates.knowledge.writing import Article, NotPossible, Written, decision, id_of, replay, restore, write

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
FIRST = Article("گم شدن مرسوله", "از پیک بپرسید.\nپس از سه روز جایگزین بفرستید.", "delivery")
SECOND = Article("گم شدن مرسوله", "از پیک بپرسید.\nپس از دو روز جایگزین بفرستید.", "delivery")


def written(*contents: Article | Script) -> list[Written]:
    versions: list[Written] = []
    for content in contents:
        event = write(versions, content, NOW, "reza")
        assert event is not None
        versions.append(event)
    return versions


def test_each_writing_is_a_version_and_saying_the_same_again_is_none() -> None:
    versions = written(FIRST, SECOND)
    assert [one.content for one in versions] == [FIRST, SECOND]
    assert write(versions, SECOND, NOW, "mina") is None


def test_a_restored_version_is_a_new_one_that_says_which_it_repeats() -> None:
    versions = written(FIRST, SECOND)
    back = restore(versions, 1, NOW, "mina")
    assert back is not None
    assert (back.content, back.by, back.restored) == (FIRST, "mina", 1)
    assert restore(versions, 2, NOW, "mina") is None  # it stands so already
    for absent in (0, 3):
        with pytest.raises(NotPossible):
            restore(versions, absent, NOW, "mina")


def test_nobody_overwrites_a_version_that_he_has_not_read() -> None:
    versions = written(FIRST, SECOND)
    with pytest.raises(NotPossible, match="version 2"):
        write(versions, FIRST, NOW, "mina", seen=1)
    assert write(versions, FIRST, NOW, "mina", seen=2) is not None
    assert write([], FIRST, NOW, "mina", seen=0) is not None


def test_what_changed_is_said_in_the_lines_that_went_and_came() -> None:
    assert [line.change for line in changes(None, FIRST)] == ["added"] * 4
    assert changes(FIRST, SECOND) == [
        Line("removed", "پس از سه روز جایگزین بفرستید."),
        Line("added", "پس از دو روز جایگزین بفرستید."),
    ]
    ask = Script("which", "Which", (Step("ask", "Which?", (Answer("This", "end"),)), Step("end", "Thank you.")))
    turned = Script("which", "Which", (Step("ask", "Which?", (Answer("This"),)), Step("end", "Thank you.")))
    assert changes(ask, turned) == [Line("removed", "ask: «This» → end"), Line("added", "ask: «This»")]


def test_versions_come_back_from_their_decisions() -> None:
    script = Script("which", "Which", (Step("ask", "Which?"),), for_offer="winback")
    for kind, name, versions in (("article", "7", written(FIRST, SECOND)), ("script", "which", written(script))):
        decisions = [decision(kind, name, number, event) for number, event in enumerate(versions, 1)]
        assert {one.id for one in decisions} == {id_of(kind, name)}
        assert replay(decisions) == versions
    assert id_of("article", "which") != id_of("script", "which")
