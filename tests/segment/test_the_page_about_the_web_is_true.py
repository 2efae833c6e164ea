"""docs/web.md: its table of events is the one that is used."""

from pathlib import Path

from aggregates.segment.names import MEANT
from api.browser import PACKED
from api.sources import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "web.md").read_text("utf-8")


def test_every_name_is_on_the_page_with_its_type() -> None:
    told: dict[str, str] = {}
    for line in PAGE.partition("| event | type |")[2].partition("\n\n")[0].splitlines()[2:]:
        names, type_ = [cell.strip() for cell in line.strip("|").split("|")]
        told |= {name.strip("`"): type_.strip("`") for name in names.split(", ")}
    assert told == dict(MEANT)


def test_every_setting_is_on_the_page() -> None:
    for name in Settings.__struct_fields__:
        assert f"`{name}`" in PAGE


def test_the_tag_is_as_small_as_it_says() -> None:
    assert len(PACKED) < 3 * 1024
