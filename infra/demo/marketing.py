"""What marketing has set up before the demo's history comes in: a contact policy, a segment and rules, through the API like anybody's.

Reading order: set_up.
"""

from functools import partial

import httpx
import msgspec

from infra.demo.loading import known
from infra.errors import Refusal
from infra.posting import detail

POLICY = """
policy: contact
zone: Asia/Tehran
priority: [service, retention, marketing]
quiet: {from: "21:00", to: "09:00", then: hold, expires: 24h}
caps:
  - {channels: all, max: 3, within: 7d}
  - {channels: [call, partner_visit], max: 1, within: 30d}
counts: [sms, email, call, agent_offer, partner_visit]
block_while: {open_complaint: all, in_call: [sms, email, call]}
prefer: [declared, learned_90d, default]
"""

SEGMENTS = {
    "regulars": """
segment: regulars
when: {count: sales.order_placed, at_least: 4, within: 180d}
"""
}

RULES = {
    "many-requests": """
rule: many-requests
description: Whoever opens a fourth request in 30 days is told to our own people.
when: {count: service.request_opened, more_than: 3, within: 30d}
do: {notify: team:retention}
cooldown: 30d
""",
    "regular-gone-quiet": """
rule: regular-gone-quiet
description: Whoever ordered four times in half a year, and no longer does, is called.
when: {segment: regulars, change: left}
do: {contact: come-back, purpose: marketing, prefer: [customer, call]}
cooldown: 180d
""",
    "busy-month": """
rule: busy-month
description: Five orders in 30 days deserve a word of thanks.
when: {count: sales.order_placed, at_least: 5, within: 30d}
do: {contact: thank-you, purpose: marketing, prefer: [customer, call]}
holdout: 10%
cooldown: 90d
""",
    "valuable-and-leaving": """
rule: valuable-and-leaving
description: Whose churn score rises to 70 %, and who is among the tenth that is worth most, is called.
when: {score: churn, rises_to: 0.7, rearm_below: 0.6}
if: {percentile: value, at_least: 90}
do: {contact: save-call, purpose: marketing, prefer: [customer, call]}
holdout: 10%
""",
}
"""None of them writes to anybody: what they want is for the call list, and nobody calls by himself. Of those who went quiet nobody is held
out: whose story the demo tells must not be one in ten, drawn by each installation for itself."""


class Standing(msgspec.Struct):
    """A version of a rule or a segment."""

    name: str
    state: str


class Listed(msgspec.Struct):
    """All of a kind."""

    items: list[Standing]


async def set_up(url: str, token: str) -> None:
    """Put in force what is not there yet. Raises Refusal when the API does not take it."""
    async with httpx.AsyncClient(base_url=url, timeout=60, auth=(token, "")) as client:
        await known(partial(client.get, "/v1/triggers"))
        if (await client.get("/v1/contact-policy")).json()["version"] == 0:
            _taken(await client.put("/v1/contact-policy", content=POLICY))
        for kind, texts in (("segments", SEGMENTS), ("triggers", RULES)):
            there = msgspec.json.decode(_taken(await client.get(f"/v1/{kind}")).content, type=Listed)
            states = {one.name: one.state for one in there.items}
            for name, text in texts.items():
                if name not in states:
                    _taken(await client.post(f"/v1/{kind}", content=text))
                if states.get(name, "draft") == "draft":
                    _taken(await client.post(f"/v1/{kind}/{name}/publish"))


def _taken(answer: httpx.Response) -> httpx.Response:
    if answer.status_code >= 400:
        raise Refusal(f"The API does not take what marketing sets up: {detail(answer)}")
    return answer
