"""Makes the desk's pages of templates, with headers under which a browser runs nothing but the desk's own script.

Assets are served under the hash of what they are, so that they are kept for ever and never stale. Reading order: page, usual, part, asset.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api import access
from api.access import Caller
from api.desk.locale import COOKIE, Locale, chosen
from api.desk.navigation import ways
from api.desk.prose import prose
from api.desk.values import identifier, phone
from api.desk.visitor import visitor
from api.desk.wording import capped
from api.ports import Dependencies
from api.problem import Problem

HERE = Path(__file__).parent
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


def _files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.suffix in TYPES} if folder.is_dir() else {}


BUILT = _files(HERE / "built")
"""What `assets/build.py` brought, where it could: the font and htmx. Every page is whole without them."""

ASSETS: Mapping[str, bytes] = _files(HERE / "static") | BUILT
VERSION = hashlib.blake2b(b"".join(ASSETS.values()), digest_size=6).hexdigest()
DRAWN = {"segment": "people", "identity": "people"}
"""Channels whose icon is called otherwise."""

ICONS = frozenset(
    {"call", "web", "sales", "reseller", "consent", "subscription", "profile", "service", "score", "contact", "segment", "identity"}
)

POLICY = "; ".join(
    (
        "default-src 'none'",
        *("script-src 'self'", "style-src 'self'", "img-src 'self'", "font-src 'self'", "connect-src 'self'", "form-action 'self'"),
        *("base-uri 'none'", "frame-ancestors 'none'"),
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def asset(name: str) -> str:
    """The address of an asset."""
    return f"/desk/{VERSION}/{name}"


_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_templates.filters["prose"] = prose
_templates.globals |= {"asset": asset, "icons": ICONS, "built": BUILT.keys(), "drawn": DRAWN, "ways": ways, "capped": capped}


def locale_of(request: Request, dependencies: Dependencies) -> Locale:
    """How to speak to who asks."""
    return Locale(chosen(request.cookies.get(COOKIE)), ZoneInfo(dependencies.zone), dependencies.clock())


def page(request: Request, dependencies: Dependencies, template: str, status: int = 200, **values: Any) -> Response:
    """A whole page."""
    content = part(locale_of(request, dependencies), template, **usual(request, dependencies) | values)
    return HTMLResponse(content, status, HEADERS)


def usual(request: Request, dependencies: Dependencies) -> dict[str, Any]:
    """What every whole page is given."""
    asking: Caller | None = visitor(request, dependencies) or _by_token(request, dependencies)
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return {"visitor": asking, "back": back, "query": None, "at_home": False, "untaken": False}


def _by_token(request: Request, dependencies: Dependencies) -> Caller | None:
    """Whoever reads a page without a session, by a staff token in the request's header."""
    try:
        asking = access.caller(request, dependencies)
    except Problem:
        return None
    return asking if asking.role else None


def part(locale: Locale, template: str, **values: Any) -> str:
    """A piece of a page."""
    spoken = {"phone": lambda number: phone(number, locale), "identifier": lambda kind, value: identifier(kind, value, locale)}
    return _templates.get_template(template).render(locale=locale, say=locale.say, **spoken, **values)


def static(name: str, version: str) -> Response | None:
    """An asset; None when there is none of that name. One of another version is served too, but not kept."""
    content = ASSETS.get(name)
    if content is None:
        return None
    kept = "public, max-age=31536000, immutable" if version == VERSION else "no-cache"
    headers = {"Cache-Control": kept, "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
    return Response(content, 200, headers, TYPES[Path(name).suffix])
