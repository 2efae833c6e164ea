"""What operators and their machines ask: is it alive, is it ready, how is it doing."""

import msgspec
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.metrics import REGISTRY
from api.ports import Dependencies


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of operators; none needs a key, none says anything of a customer."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/healthz")
    async def healthz() -> Response:
        """Whether the process runs."""
        return _json({"status": "ok"})

    @routes.get("/metrics")
    async def metrics() -> Response:
        """Counters and latencies, for Prometheus."""
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return routes


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
