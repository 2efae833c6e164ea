"""A plot is left to right in every language: where it is wider than the page, one sees its axis first."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import Environment
from playwright.async_api import Browser

import api.desk

DESK = Path(api.desk.__file__).parent
DRAWN = (DESK / "templates" / "model.html").read_text("utf-8").partition("{% macro drawn")[2].partition("{% endmacro %}")[0]


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
async def test_the_axis_is_seen_on_a_phone_in_both_directions(browser: Browser, direction: str) -> None:
    plot = SimpleNamespace(heights=[(9, "0.75")], months=[], lines=[])
    macro = "{% macro drawn" + DRAWN + "{% endmacro %}{{ drawn(plot, 'AUC', '') }}"
    card = Environment(autoescape=True).from_string(macro).render(plot=plot, say=str)
    page = await browser.new_page(viewport={"width": 390, "height": 700})
    style = (DESK / "static" / "desk.css").read_text("utf-8")
    await page.set_content(f'<html dir="{direction}"><style>{style}</style><main>{card}</main></html>')
    tick, around = await page.locator(".tick").bounding_box(), await page.locator(".scroller").bounding_box()
    assert tick is not None
    assert around is not None
    assert tick["x"] >= around["x"]
    await page.close()
