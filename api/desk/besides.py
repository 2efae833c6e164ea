"""Reads what stands beside a customer's view: requests, promises, how likely he leaves, his worth, what to offer or why to be silent.

Each part is read for itself: what fails is missing, and the rest is shown. Reading order: Beside, read, then the parts.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import psycopg
import structlog

from aggregates.service_request.request import Request
from api import customers
from api.accounts import by_address
from api.desk.locale import Locale
from api.ports import Connection, Dependencies
from api.service_requests import sla
from projections.accounts import table as accounts
from projections.alike import Alike
from projections.churn import reading as churn
from projections.contacts import decisions
from projections.knowledge import table as knowledge
from projections.service import table as requests
from projections.timeline import page as paging
from projections.value import reading as value
from projections.view.answer import View
from projections.view.consent import ALL

WITHIN = 1.5
"""Seconds in which a part is read: what is slow must not keep the others from the agent."""

REGIONS = {"open": "matters", "leaving": "numbers", "worth": "numbers", "offer": "numbers", "accounts": "who"}
"""In which region of the page each part stands."""

SHOWN = 3
MANY = 50
LEAVING = 0.7
"""From so high a score on an agent is warned."""

RECENT = timedelta(days=30)
SERVING = "service"
SPOKEN = ("call", "agent_offer")
"""Channels whose consent counts for what an agent says."""

log = structlog.get_logger(__name__)
Part = TypeVar("Part")


class RequestLine(NamedTuple):
    """A request in a line."""

    id: UUID
    number: str
    title: str
    state: str
    priority: str
    owner: str
    due: datetime
    sla: str


class PromiseLine(NamedTuple):
    """The last promise made to him."""

    text: str
    state: str
    due: datetime | None
    at: datetime


class Open(NamedTuple):
    """What is open between him and us."""

    requests: list[RequestLine]
    more: int
    promise: PromiseLine | None


class Leaving(NamedTuple):
    """How likely he leaves; without a score it is said why there is none."""

    status: str
    percent: str = ""
    high: bool = False
    trend: str = ""
    reasons: tuple[str, ...] = ()
    model: str = ""  # which one says so, where it is not the one called churn


class Worth(NamedTuple):
    """What he is worth, over all."""

    total: str
    past: str
    future: str
    past_parts: tuple[tuple[str, str], ...]  # what each is and comes to; those that come to something
    future_parts: tuple[tuple[str, str], ...]


class Offer(NamedTuple):
    """One thing to offer, or why to be silent."""

    contact: str
    silent: str  # why; empty: it may be offered
    script: str = ""
    title: str = ""  # of the script: what people call the offer


class AccountLine(NamedTuple):
    """A company or a household that he belongs to."""

    id: UUID
    kind: str
    name: str  # empty: a household that nobody declared
    roles: tuple[str, ...]


class Beside(NamedTuple):
    """All of it; a part that is None could not be read."""

    open: Open | None
    leaving: Leaving | None
    worth: Worth | None
    offer: Offer | None
    offers: bool
    warning: str
    failed: frozenset[str]
    read_at: datetime
    accounts: list[AccountLine] | None
    then: bool = False  # as of another time: only what is known of then


async def read(
    dependencies: Dependencies,
    connection: Connection,
    keyed: Connection,
    schema: str,
    view: View,
    role: str,
    locale: Locale,
    alike: Alike,
) -> Beside:
    """What stands beside the view, for this role: a partner is shown no worth and no score. Over `keyed` goes what asks by him alone."""
    failed: set[str] = set()
    now, customer = dependencies.clock(), view.customer_id

    async def part(name: str, reading: Callable[[], Awaitable[Part]]) -> Part | None:
        try:
            async with asyncio.timeout(WITHIN):
                return await reading()
        except (psycopg.Error, TimeoutError) as error:
            if connection.closed or keyed.closed:
                raise
            log.warning("region_failed", part=name, error=type(error).__name__)
            failed.add(name)
            return None

    inside = role != "partner"
    opened = await part("open", lambda: _open(dependencies, connection, schema, customer, role, now)) if inside else Open([], 0, None)
    leaving = await part("leaving", lambda: _leaving(dependencies, keyed, customer, now, locale, alike)) if inside else None
    worth = await part("worth", lambda: _worth(keyed, schema, customer, now, locale, alike)) if inside else None
    offer = await part("offer", lambda: _offer(connection, view, now, locale)) if inside else None
    belongs = await part("accounts", lambda: _accounts(connection, customer)) if inside else []
    return Beside(opened, leaving, worth, offer, inside, _warning(opened, leaving, locale), frozenset(failed), now, belongs)


async def as_of(dependencies: Dependencies, connection: Connection, customer: UUID, role: str, at: datetime, locale: Locale) -> Beside:
    """What stood beside the view at another time: the score that he had then. Nothing of today is mixed into it."""
    leaving = Leaving("none")
    for name in [one.definition.name for one in await churn.models(connection)] if role != "partner" else ():
        points = await churn.history(connection, customer, name)
        score = next((point.score for point in reversed(points) if point.at <= at), None)
        if score is not None:
            leaving = Leaving("scored", locale.judged(score), score >= LEAVING, model=_other(name))
            break
    return Beside(Open([], 0, None), leaving, None, None, role != "partner", "", frozenset(), dependencies.clock(), [], then=True)


async def _accounts(connection: Connection, customer: UUID) -> list[AccountLine]:
    roles: dict[tuple[UUID, str, str], list[str]] = {}
    for id_, kind, name, role in await accounts.of_customer(connection, customer):
        roles.setdefault((id_, kind, name), []).append(role)
    found = [AccountLine(*account, tuple(his)) for account, his in roles.items()]
    household = await accounts.household_of(connection, customer)
    if household is not None:
        found.append(AccountLine(by_address(*household).id, "household", "", ()))
    return found


async def _open(dependencies: Dependencies, connection: Connection, schema: str, customer: UUID, role: str, now: datetime) -> Open:
    found = await requests.of_customer(connection, customer, MANY)
    live = [request for request in found if request.live]
    promises = [PromiseLine(promise.text, promise.state, promise.due, promise.at) for request in found for promise in request.promises]
    rows, _ = await paging.page(connection, schema, customer, None, SHOWN, type_="call.wrapped_up")
    for item in await customers.items(dependencies, connection, list(rows), role):
        if isinstance(text := item.data.get("promise"), str) and text:
            promises.append(PromiseLine(text, "open", _moment(item.data.get("due")), item.at))
    last = max(promises, key=lambda promise: promise.at, default=None)
    return Open([line(request, now) for request in live[:SHOWN]], max(0, len(live) - SHOWN), last)


def line(request: Request, now: datetime) -> RequestLine:
    """A request in a line."""
    fields = (request.id, request.number, request.title, request.state, request.priority, request.owner, request.due)
    return RequestLine(*fields, sla(request, now))


async def _leaving(
    dependencies: Dependencies, connection: Connection, customer: UUID, now: datetime, locale: Locale, alike: Alike
) -> Leaving:
    told = await churn.spoken(connection, customer, now, dependencies.unsound, alike)
    if told is None:
        return Leaving("none")
    if told.score is None:
        return Leaving(told.status)
    reasons = tuple(reason.fa if locale.language == "fa" else reason.en for reason in told.reasons if reason.topic != "everybody")[:SHOWN]
    score = told.score
    return Leaving("scored", locale.judged(score), score >= LEAVING, told.trend or "", reasons, _other(told.definition.name))


def _other(name: str) -> str:
    return "" if name == "churn" else name


async def _worth(connection: Connection, schema: str, customer: UUID, now: datetime, locale: Locale, alike: Alike) -> Worth | None:
    told = await value.worth(connection, schema, customer, now, alike)
    if told is None:
        return None

    def sum_(amount: Decimal | None) -> str:
        return "" if amount is None else locale.money(str(amount), told.currency, rounded=True)

    def parts(amounts: dict[str, Decimal | None]) -> tuple[tuple[str, str], ...]:
        return tuple((locale.say(name), sum_(amount)) for name, amount in amounts.items() if amount)

    past = parts(
        {
            "worth.part.orders": told.revenue - told.contracts,
            "worth.part.contracts": told.contracts,
            "worth.part.goods": told.margin - told.revenue,
            "worth.part.acquisition": -told.acquisition,
            "worth.part.selling": -told.selling,
            "worth.part.servicing": -told.servicing,
        }
    )
    future = parts(
        {
            "worth.part.orders": told.orders_ahead,
            "worth.part.contracts": told.contracts_ahead,
            "worth.part.upkeep": None if told.upkeep is None else -told.upkeep,
        }
    )
    return Worth(sum_(told.value), sum_(told.past), sum_(told.future), past, future)


async def _offer(connection: Connection, view: View, now: datetime, locale: Locale) -> Offer | None:
    """The latest decision about a contact; consent is looked at again now, for it may have been withdrawn a second ago.

    What serves a request (how content was he?) is nothing to offer, unless it is for people to say.
    """
    found = await decisions.latest(connection, view.customer_id, now - RECENT, SERVING, SPOKEN)
    if found is None:
        return None
    contact, purpose, channel, outcome, reason = found
    allowed = {consent.channel: consent.in_force for consent in view.consents if consent.purpose == purpose}
    if not all(allowed.get(way, allowed.get(ALL, True)) for way in ((channel,) if channel in SPOKEN else SPOKEN)):
        return Offer(contact, locale.say("silent.consent", purpose=locale.word("purpose", purpose)))
    if outcome == "silent":
        return Offer(contact, _silence(str(reason or ""), locale))
    scripts = await knowledge.scripts(connection, offer=contact)
    return Offer(contact, "", scripts[0].script.name, scripts[0].script.title) if scripts else Offer(contact, "")


def _silence(reason: str, locale: Locale) -> str:
    """Why one should be silent, in words."""
    word, _, rest = reason.partition(" ")
    if word == "consent":
        return locale.say("silent.consent", purpose=locale.word("purpose", rest.partition("/")[0]))
    return locale.word("silence", word)


def _warning(opened: Open | None, leaving: Leaving | None, locale: Locale) -> str:
    """The worst that an agent must know before he speaks."""
    if opened is not None:
        late = sum(line.sla == "late" for line in opened.requests)
        if late:
            return locale.say("warning.late", late)
        if opened.promise is not None and opened.promise.state == "broken":
            return locale.say("warning.broken")
    if leaving is not None and leaving.high:
        return locale.say("warning.leaving")
    return ""


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
