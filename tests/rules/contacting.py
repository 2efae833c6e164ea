"""A policy with all its parts, a rule that wants to contact somebody, a customer who agrees. Reading order: POLICY, contact, allowed."""

from typing import Any

from tests.rules.telling import at, event

POLICY = """
policy: contact
zone: Asia/Tehran
priority: [service, retention, marketing]
transactional: {ignores: [caps, cooldown, quiet, block_while], never_ignores: [consent_to_channel, erasure]}
quiet: {from: "21:00", to: "09:00", then: hold, expires: 24h}
caps:
  - {channels: all, max: 3, within: 7d}
  - {channels: [call, partner_visit], max: 1, within: 30d}
counts: [sms, email, call, agent_offer, partner_visit]
block_while: {open_complaint: all, in_call: [sms, email, call]}
prefer: [declared, learned_90d, default]
"""

MORNING = at(1, 8)
NIGHT = at(1, 20)  # half past eleven in Tehran


def contact(name: str = "offer", purpose: str = "marketing", **parts: Any) -> dict[str, Any]:
    prefer = parts.pop("prefer", ["sms"])
    return {
        "rule": name,
        "when": {"count": f"shop.{name}", "at_least": 1, "within": "1m"},
        "do": {"contact": f"{name}-1", "purpose": purpose, "prefer": prefer},
        **parts,
    }


def allowed(purpose: str = "marketing", **data: Any) -> dict[str, Any]:
    return event("consent.given", at(0), purpose=purpose, **data)
