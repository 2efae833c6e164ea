"""The pages for people who connect something: every operation with a command to paste, and what each problem means.

Plain HTML from the OpenAPI document; no script, nothing from elsewhere. Reading order: router, _operations.
"""

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from api.explained import REASONS
from api.ports import Dependencies
from api.problem import not_found, title_of

STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}"
    "pre{overflow-x:auto;padding:.75rem;border:1px solid color-mix(in srgb,currentColor 25%,transparent);border-radius:.4rem}"
    "code,pre{font-family:ui-monospace,monospace;font-size:.9em}h2{margin-top:2.5rem}h3{margin-bottom:.2rem}"
)


def router(dependencies: Dependencies) -> APIRouter:
    """The pages; they need no key and are no part of the API."""
    del dependencies
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/docs", methods=["GET", "HEAD"])
    async def docs(request: Request) -> HTMLResponse:
        """Every operation, with a curl."""
        app: FastAPI = request.app
        document = app.openapi()
        return _page("Yekta: the API", _introduction(document) + "".join(_operations(document)))

    @routes.api_route("/problems/{reason}", methods=["GET", "HEAD"])
    async def problem(reason: str) -> HTMLResponse:
        """What a problem means."""
        if reason not in REASONS:
            raise not_found("No problem has this name.")
        what, mend = REASONS[reason]
        return _page(title_of(reason), f"<p>{escape(what)}</p><p>{escape(mend)}</p><p><a href='/docs'>The API</a></p>")

    return routes


def _introduction(document: dict[str, Any]) -> str:
    paragraphs = "".join(f"<p>{_prose(text)}</p>" for text in document["info"]["description"].strip().split("\n\n"))
    links = " · ".join(f"<a href='{path}'>{path}</a>" for path in ("/openapi.json", "/asyncapi.json", "/v1/schemas"))
    begin = "yekta keys create --source web\nexport YEKTA=http://127.0.0.1:8700 KEY=yk_… AGENT=ys_… ADMIN=ys_…"
    return f"{paragraphs}<p>{links}</p><pre>{escape(begin)}</pre>"


def _operations(document: dict[str, Any]) -> Iterator[str]:
    tag = ""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            (now,) = operation["tags"]
            if now != tag:
                tag = now
                yield f"<h2>{escape(tag.capitalize())}</h2>"
            text, _, curl = operation["description"].partition("```sh\n")
            command = escape(curl.partition("```")[0].strip())
            yield f"<h3><code>{method.upper()} {escape(path)}</code></h3><p>{_prose(text)}</p><pre>{command}</pre>"
            yield "<ul>" + "".join(_parameter(each) for each in operation.get("parameters", ())) + "</ul>"


def _parameter(parameter: dict[str, Any]) -> str:
    required = " (required)" if parameter["required"] and parameter["in"] == "query" else ""
    return f"<li><code>{escape(parameter['name'])}</code>{required}: {_prose(parameter['description'])}</li>"


def _prose(text: str) -> str:
    """Escaped, with what stands in backticks as code and between stars as emphasis."""
    parts = escape(text.strip()).split("`")
    marked = "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
    stars = marked.split("*")
    return "".join(f"<em>{part}</em>" if number % 2 else part for number, part in enumerate(stars))


def _page(title: str, content: str) -> HTMLResponse:
    return HTMLResponse(
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{content}</body></html>"
    )
