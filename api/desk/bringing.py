"""What a rule brought, in words and numbers: those it approached against those who were held out.

Reading order: Brought, brought, laid_out.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from aggregates.uplift import Interval, Share, uplift
from api.desk.locale import Locale
from api.ports import Connection
from projections.contacts import responses
from projections.contacts.responses import Arms

GOAL, DAYS = "sales.order_placed", 14
"""As `GET /v1/decisions/uplift` has them unless it is asked otherwise."""

Verdict = Literal["more", "less", "unsure", "no_holdout", "no_contact", "too_early", "nobody"]


class Arm(NamedTuple):
    """Those approached, or those held out: how many, how many of them did it, and what share that is."""

    name: str
    of: int
    did: int
    share: str
    interval: str


class Brought(NamedTuple):
    """What is shown of it. The difference is in percentage points; empty where one side has nobody."""

    verdict: Verdict
    difference: str
    interval: str
    arms: Sequence[Arm]
    waiting: int  # decisions that are too young to count


async def brought(connection: Connection, schema: str, rule: str, now: datetime, locale: Locale) -> Brought:
    """What the rule brought until now."""
    return laid_out(await responses.arms(connection, schema, rule, GOAL, timedelta(days=DAYS), now), locale)


def laid_out(found: Arms, locale: Locale) -> Brought:
    """The same as it is shown; also where there are too few to say anything."""
    made = uplift(found.contacted_did, found.contacted, found.held_out_did, found.held_out)
    arms = [_arm("contacted", made.contacted, locale), _arm("held_out", made.held_out, locale)]
    if made.difference is None or made.interval is None:
        return Brought(_too_few(found), "", "", arms if found.contacted or found.held_out else (), found.waiting)
    low, high = made.interval
    verdict: Verdict = "more" if low > 0 else "less" if high < 0 else "unsure"
    return Brought(verdict, _points(made.difference, locale), _range(made.interval, _points, locale), arms, found.waiting)


def _too_few(found: Arms) -> Verdict:
    if found.contacted:
        return "no_holdout"
    if found.held_out:
        return "no_contact"
    return "too_early" if found.waiting else "nobody"


def _arm(name: str, share: Share, locale: Locale) -> Arm:
    if not share.of:
        return Arm(name, 0, 0, "–", "–")
    return Arm(name, share.of, share.did, _percent(share.rate, locale), _range(share.interval, _percent, locale))


def _range(interval: Interval, told: Callable[[float, Locale], str], locale: Locale) -> str:
    low, high = (told(end, locale) for end in interval)
    return locale.say("uplift.range", low=low, high=high)


def _percent(share: float, locale: Locale) -> str:
    return locale.say("percent", share=locale.number(Decimal(f"{share * 100:.1f}")))


def _points(share: float, locale: Locale) -> str:
    rounded = Decimal(f"{round(share * 100, 1) + 0.0:.1f}")  # never a minus before nothing
    plus = "\N{LEFT-TO-RIGHT MARK}+" if locale.direction == "rtl" else "+"
    return plus * (rounded > 0) + locale.number(rounded)
