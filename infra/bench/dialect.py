"""The same events as analytics clients tell them: what the workload says in CloudEvents, as messages of the Segment dialect.

Reading order: bodies, message.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from infra.bench.workload import Event, Mix


def bodies(mix: Mix, requests: int, size: int) -> list[bytes]:
    """The bodies of so many requests with so many messages each."""
    sent = datetime.now(UTC).isoformat()
    return [msgspec.json.encode({"batch": [message(event) for event in mix.take(size)], "sentAt": sent}) for _ in range(requests)]


def message(event: Event) -> dict[str, Any]:
    """One event as a client would send it. What is no event of the web is tracked under its own type."""
    data = dict(event["data"])
    who = data.pop("who")
    traits = {kind: who[kind] for kind in ("email", "phone") if kind in who}
    context: dict[str, Any] = {"library": {"name": "bench", "version": "1"}}
    made: dict[str, Any] = {"messageId": event["id"], "timestamp": event["time"], "context": context, "integrations": {}}
    if "device" in who:
        made["anonymousId"] = who["device"]
    if "customer_number" in who:
        made["userId"] = who["customer_number"]
    match event["type"]:
        case "web.page_viewed":
            context["page"] = {"url": data["url"], "title": data["title"], "referrer": data["referrer"]}
            context |= {"locale": data["locale"], "userAgent": data["user_agent"]}
            return made | {"type": "page", "name": data["page"], "properties": {}}
        case "web.identified":
            return made | {"type": "identify", "traits": data["traits"] | traits}
        case "sales.order_placed":
            lines = [{"sku": line["sku"], "quantity": line["quantity"], "price": line["unit_price"]} for line in data.pop("lines")]
            context["traits"] = traits
            return made | {"type": "track", "event": "Order Completed", "properties": data | {"products": lines}}
        case _:
            context["traits"] = traits
            return made | {"type": "track", "event": event["type"], "properties": data}
