"""The barest door that could be: FastAPI, msgspec and one aiokafka producer, each answer after the acknowledgements. No checks, no sealing.

`python -m infra.bench.bare_door TOPIC PORT`. It also answers `GET /nothing`, which is what HTTP by itself costs.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response

from infra.collector import spare_the_collector
from infra.endpoints import endpoints
from infra.engines.ports import LOOPBACK
from infra.settings import load


class Event(msgspec.Struct):
    """An event as it came: what must be known to answer, and the rest unread."""

    specversion: str
    id: str
    source: str
    type: str
    data: msgspec.Raw
    time: str = ""
    datacontenttype: str = ""


class Accepted(msgspec.Struct):
    """The answer for one event."""

    id: str
    source: str
    status: str = "accepted"


_events = msgspec.json.Decoder(list[Event])
_encoder = msgspec.json.Encoder()


def create(kafka: dict[str, Any], topic: str) -> FastAPI:
    """The application."""
    producers: list[Any] = []

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        producer = AIOKafkaProducer(**kafka, enable_idempotence=True, acks="all", linger_ms=0, max_batch_size=2 << 20)
        await producer.start()
        producers.append(producer)
        yield
        await producer.stop()

    app = FastAPI(lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/events")
    async def post(request: Request) -> Response:
        events = _events.decode(await request.body())
        sent = [await producers[0].send(topic, _encoder.encode(event), key=event.id.encode()) for event in events]
        await asyncio.gather(*sent)
        return Response(_encoder.encode([Accepted(event.id, event.source) for event in events]), media_type="application/json")

    @app.get("/nothing")
    async def nothing() -> Response:
        return Response(b"{}", media_type="application/json")

    return app


if __name__ == "__main__":
    spare_the_collector()
    app = create(dict(endpoints(load()).kafka_client_kwargs), sys.argv[1])
    uvicorn.run(app, host=LOOPBACK, port=int(sys.argv[2]), log_config=None, access_log=False, server_header=False)
