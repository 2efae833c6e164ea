"""What a customer is subscribed to. Each fact adds what it says to what is known of its subscription.

At most `LIMIT` are remembered: running ones before cancelled ones, then those spoken of last. When some were forgotten, a late word needs
the customer's whole history.
"""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from aggregates.fact import Fact, Stamp
from projections.view.values import moment, reference, word

LIMIT = 16
STATES = {"started": 0, "renewed": 1, "cancelled": 2}
"""Of two facts at the same time the higher counts."""


class Subscription(Struct, frozen=True, array_like=True, gc=False):
    """What is known of one subscription; each part has the stamp of the fact it is from."""

    state: str  # started, renewed, cancelled
    stamp: Stamp
    plan: str = ""
    plan_stamp: Stamp | None = None
    ends: datetime | None = None
    ends_stamp: Stamp | None = None

    def running(self, at: datetime) -> bool:
        """Whether it still serves at this time; a cancelled one does until it ends, when that is known."""
        if self.ends is None:
            return self.state != "cancelled"
        return at < self.ends


class Subscriptions(Struct, frozen=True, array_like=True, gc=False):
    """All subscriptions remembered."""

    known: dict[str, Subscription] = {}
    latest: Stamp | None = None
    forgot: bool = False


def evolve(subscriptions: Subscriptions, fact: Fact) -> Subscriptions:
    """Take in that a subscription started, was renewed or was cancelled."""
    key = reference(fact.data.get("subscription_id"))
    if key is None:
        return subscriptions
    stamp = fact.stamp
    known = subscriptions.known | {key: _told(subscriptions.known.get(key), fact)}
    latest = stamp if subscriptions.latest is None or stamp > subscriptions.latest else subscriptions.latest
    if len(known) <= LIMIT:
        return replace(subscriptions, known=known, latest=latest)
    del known[min(known, key=lambda key: (known[key].state != "cancelled", known[key].stamp))]
    return Subscriptions(known, latest, True)


def needs_history(subscriptions: Subscriptions, fact: Fact) -> bool:
    """Whether folding this fact on top would not give what folding all in order gives."""
    key = reference(fact.data.get("subscription_id"))
    if key is None or subscriptions.latest is None or fact.stamp > subscriptions.latest:
        return False
    return subscriptions.forgot or (key not in subscriptions.known and len(subscriptions.known) >= LIMIT)


def _told(known: Subscription | None, fact: Fact) -> Subscription:
    """What is known of a subscription after one more fact about it."""
    stamp = fact.stamp
    state = fact.type.rpartition(".")[2]
    now = known or Subscription(state, stamp)
    if (stamp[0], STATES.get(state, 0), stamp[1]) >= (now.stamp[0], STATES.get(now.state, 0), now.stamp[1]):
        now = replace(now, state=state, stamp=stamp)
    plan, ends = word(fact.data, "plan"), moment(fact.data.get("ends_at"))
    if plan and (now.plan_stamp is None or stamp > now.plan_stamp):
        now = replace(now, plan=plan, plan_stamp=stamp)
    if ends and (now.ends_stamp is None or stamp > now.ends_stamp):
        now = replace(now, ends=ends, ends_stamp=stamp)
    return now
