"""The lines that an integrator copies to have the first event land: for curl, Python, Node, a web page and kcat."""

import json

LANGUAGES = ("curl", "python", "node", "browser", "kcat")

EVENT = {
    "specversion": "1.0",
    "id": "first-1",
    "source": "/try",
    "type": "web.page_viewed",
    "data": {"url": "https://shop.example/", "who": {"device": "d-first"}},
}


def snippets(url: str, key: str, inbox: str = "", kafka: str = "localhost:9092") -> dict[str, str]:
    """The lines, by language; `url` is where this is served, `key` the write key or the name of a variable that holds it."""
    labels = f"-H yekta-key={key} -H content-type=application/cloudevents+json"
    event, another = json.dumps(EVENT), json.dumps(EVENT | {"id": "first-2"})
    return {
        "curl": f"curl -u \"{key}:\" {url}/v1/events -H 'Content-Type: application/cloudevents+json' -d '{event}'",
        "python": f"""\
# pip install segment-analytics-python
import segment.analytics as analytics

analytics.write_key = "{key}"
analytics.host = "{url}"
analytics.track("u-81", "Order Completed", {{"order_id": "o-1", "total": 12.5, "currency": "USD", "products": []}})
analytics.flush()""",
        "node": f"""\
// npm install @segment/analytics-node
import {{ Analytics }} from "@segment/analytics-node";

const analytics = new Analytics({{ writeKey: "{key}", host: "{url}" }});
const order = {{ order_id: "o-1", total: 12.5, currency: "USD", products: [] }};
analytics.track({{ userId: "u-81", event: "Order Completed", properties: order }});
await analytics.closeAndFlush();""",
        "browser": f'<script async src="{url}/yekta.js" data-key="{key}"></script>',
        "kcat": f"echo '{another}' | kcat -P -b {kafka} -t {inbox} -k d-first {labels}",
    }
