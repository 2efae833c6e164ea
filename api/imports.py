"""Where rows of files come in, and what a mapping may say. The door itself is `doors/rows.py`. Reading order: router."""

from typing import Any

from fastapi import APIRouter, Request, Response

from aggregates.rows.schema import schema
from api import openapi
from api.answers import json
from api.doors import rows
from api.doors.rows import RowsAnswer, Sent
from api.ports import Dependencies

EXAMPLE: dict[str, Any] = {
    "file": "azar.csv",
    "type": "reseller.sale_reported",
    "mapping": {"columns": {"مشتری": "who.phone"}, "fixed": {"reseller": "novin"}},
    "rows": [
        {
            "row": 2,
            "cells": {
                "شماره فاکتور": "۳۱۰",
                "تاریخ": "۱۴۰۵/۰۹/۰۱",
                "مشتری": "۰۹۱۲۱۲۳۴۵۶۷",
                "کد کالا": "TEA-250",
                "تعداد": "۲",
                "مبلغ کل (تومان)": "۳۹۰٬۰۰۰",
            },
        }
    ],
}

SEND = """\
curl -u "$KEY:" $YEKTA/v1/imports -H 'Content-Type: application/json' -d '{
  "file": "azar.csv", "type": "reseller.sale_reported",
  "mapping": {"columns": {"مشتری": "who.phone"}, "fixed": {"reseller": "novin"}},
  "rows": [{"row": 2, "cells": {"شماره فاکتور": "۳۱۰", "تاریخ": "۱۴۰۵/۰۹/۰۱", "مشتری": "۰۹۱۲۱۲۳۴۵۶۷", "کد کالا": "TEA-250",
    "تعداد": "۲", "مبلغ کل (تومان)": "۳۹۰٬۰۰۰"}}]}'"""


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of imports."""
    routes = APIRouter(tags=["imports"])
    extra = openapi.described(SEND, RowsAnswer, *openapi.BODY, 503, body=openapi.json_body(Sent, EXAMPLE))

    @routes.post("/v1/imports", openapi_extra=extra)
    async def send_rows(request: Request) -> Response:
        """Take rows of a file; one bad row costs the others nothing. `yekta import` is its client."""
        return await rows.post(request, dependencies)

    @routes.get(
        "/v1/mappings/schema",
        openapi_extra=openapi.described("curl $YEKTA/v1/mappings/schema", {"type": "object"}, public=True),
    )
    async def mapping_schema() -> Response:
        """The JSON Schema of mappings, for editors."""
        return json(schema())

    return routes
