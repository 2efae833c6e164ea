"""Where events come in, and where a sender asks what became of one.

The routes only; the door itself is `doors/cloudevents.py`.
"""

from fastapi import APIRouter, Request, Response

from api.doors import cloudevents
from api.ports import Dependencies


def router(dependencies: Dependencies) -> APIRouter:
    """The routes of events."""
    routes = APIRouter(tags=["events"])

    @routes.post("/v1/events")
    async def send_events(request: Request) -> Response:
        """Send one CloudEvent or a batch of them."""
        return await cloudevents.post(request, dependencies)

    return routes
