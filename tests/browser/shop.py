"""A small web shop on an origin of its own, which tells Yekta what happens on its pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from tests.browser.conftest import Listening

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<link rel="icon" href="data:,">
<script>window.yekta = window.yekta || []; yekta.push(["track", "Shop Opened", {{ n: 1 }}]);</script>
<script async src="{yekta}/yekta.js" data-key="{key}" {more}></script></head><body><h1>{title}</h1>{body}</body></html>"""

PRODUCT = """
<article data-yekta-sku="TEA-250" data-yekta-name="Tea" data-yekta-price="۱۸٫۵۰" data-yekta-currency="EUR">Tea</article>
<script type="application/ld+json">{"@graph": [{"@type": "WebPage"}, {"@type": ["Product", "Thing"], "sku": "CUP-1", "name": "Cup",
 "offers": [{"priceSpecification": [{"price": 9.5, "priceCurrency": "EUR"}]}]}]}</script>"""
FORM = """
<form name="contact" action="/prices" method="get" onsubmit="event.preventDefault()">
<input name="email" value="secret@example.ir"><input name="pin" type="password" value="1234">
<input name="topic" value="delivery" data-yekta-values><input type="hidden" name="token" value="t"><button>Send</button></form>"""
SEGMENT = """<!doctype html><html lang="en"><head><title>Segment</title><link rel="icon" href="data:,">
<script src="/umd/index.js"></script></head><body></body></html>"""


class Shop:
    """The pages, for one key of one Yekta."""

    def __init__(self, yekta: str, key: str) -> None:
        self.yekta, self.key, self.url = yekta, key, ""

    def page(self, title: str, body: str = "", more: str = "") -> HTMLResponse:
        """A page with the tag in it."""
        return HTMLResponse(PAGE.format(title=title, body=body, more=more, yekta=self.yekta, key=self.key))


@asynccontextmanager
async def opened(yekta: str, key: str, umd: Path) -> AsyncIterator[Shop]:
    """The shop, while it is open."""
    shop = Shop(yekta, key)
    app = FastAPI(docs_url=None, openapi_url=None)
    app.mount("/umd", StaticFiles(directory=umd))

    @app.get("/segment")
    async def segment() -> HTMLResponse:
        return HTMLResponse(SEGMENT)

    @app.get("/tea")
    async def tea() -> HTMLResponse:
        return shop.page("Tea", PRODUCT)

    @app.get("/asking")
    async def asking() -> HTMLResponse:
        return shop.page("Asking", more='data-consent="required"')

    @app.get("/{name}")
    async def any_page(name: str) -> HTMLResponse:
        return shop.page(name.title(), FORM, 'data-page="price"' if name == "prices" else "")

    listening = Listening(app)
    await listening.start()
    shop.url = listening.url
    try:
        yield shop
    finally:
        await listening.stop()
