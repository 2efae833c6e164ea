"""The desk's pages of contacts: what became of every candidate and why, the policy, what goes out and what failed, webhooks.

The same functions as the API's do the work. Reading order: add, then the page of each address.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from aggregates import webhook as webhooks
from aggregates.access import Role
from aggregates.contact_policy import reading
from aggregates.touchpoint import derive
from aggregates.webhook import AddressRefused, NotAllowed, WebhookNotFound
from aggregates.written.problem import Problem as Written
from api import access, cursor, hints, query, rehearsing
from api.answers import path_id
from api.contact_policy import check_approval, policy_shown
from api.deliveries import STATES, pauses
from api.desk.forms import form
from api.desk.looking import met
from api.desk.ranging import RANGES, asked, replayed
from api.desk.rendering import locale_of, page
from api.desk.trying import tried
from api.desk.visitor import acting
from api.desk.wording import told, went
from api.desk.written import no_day
from api.ports import Dependencies
from api.problem import Problem, invalid, not_found
from api.rehearsing import DryRun
from api.webhooks import MOST, troubles
from projections.contacts import belonging
from projections.contacts import decisions as decided
from projections.contacts.decisions import Share
from projections.deliveries import table as deliveries
from projections.deliveries import webhooks as standing

SHOWN = 30
DAYS = 30
READERS: tuple[Role, ...] = ("marketer", "analyst", "supervisor", "admin")
NEW_POLICY = """\
policy: contact
zone: Asia/Tehran
priority: [service, retention, marketing]
transactional: {ignores: [caps, cooldown, quiet, block_while], never_ignores: [consent_to_channel, erasure]}
quiet: {from: "21:00", to: "09:00", then: hold, expires: 24h}
caps:
  - {channels: all, max: 3, within: 7d}
counts: [sms, email, call, agent_offer, partner_visit]
"""


class Line(NamedTuple):
    """A rule in the funnel: from candidates to sent, and each silence by its reason."""

    rule: str
    candidates: int
    sent: int
    held: int
    silences: Sequence[tuple[str, int]]


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of contacts."""

    @routes.get("/contacts")
    async def funnel(request: Request) -> Response:
        """From candidates to sent, and why not; the latest decisions, of one rule or of all."""
        access.staff(request, dependencies, READERS)
        rule = query.text(request, "rule")
        async with dependencies.pool.connection() as connection:
            shares, resting = await decided.recent(connection, dependencies.clock(), timedelta(days=DAYS))
            found = await decided.page(
                connection,
                SHOWN + 1,
                before=cursor.place(query.text(request, "cursor")),
                rule=rule,
                outcome=query.choice(request, "outcome", ("sent", "held", "silent")),
            )
        older = _older(request, found[SHOWN - 1].at, found[SHOWN - 1].signal) if len(found) > SHOWN else None
        of_rules: dict[str, Any] = {"lines": lines(shares), "resting": resting, "days": DAYS, "rule": rule}
        return page(request, dependencies, "contacts.html", decisions=found[:SHOWN], older=older, **of_rules)

    @routes.get("/customers/{id}/decisions")
    async def of_customer(request: Request) -> Response:
        """Whether and why one customer was or was not approached."""
        asking = access.staff(request, dependencies, access.INSIDE)
        async with dependencies.pool.connection() as connection:
            id_, name = await met(request, dependencies, connection, asking, "decisions")
            before, whose = cursor.place(query.text(request, "cursor")), await belonging.merged(connection, id_)
            found = await decided.page(connection, SHOWN + 1, before=before, customers=whose)
        older = _older(request, found[SHOWN - 1].at, found[SHOWN - 1].signal) if len(found) > SHOWN else None
        return page(request, dependencies, "decisions.html", id=id_, name=name, decisions=found[:SHOWN], older=older)

    @routes.get("/contacts/policy")
    async def policy(request: Request) -> Response:
        """The policy in force, to be read and changed."""
        access.staff(request, dependencies, READERS)
        return await _policy(request, dependencies)

    @routes.post("/contacts/policy")
    async def publish(request: Request) -> Response:
        """Put another in force; what is wrong is shown where it stands."""
        asking = acting(request, dependencies, access.CAMPAIGNERS)
        fields = await form(request)
        text, seen = fields.get("text", "").replace("\r\n", "\n"), fields.get("seen")
        problems = reading.read(text).problems
        if problems:
            return await _policy(request, dependencies, text, problems)
        try:
            await check_approval(dependencies, asking, text)
        except Problem:
            return await _policy(request, dependencies, text, wrong="contacting.lifts_approval", status=403)
        async with dependencies.pool.connection() as connection:
            now = await policy_shown(connection)
        if seen is not None and now is not None and seen != str(now.version):
            return await _policy(request, dependencies, text, wrong="knowledge.overtaken", status=409)
        await dependencies.policies.publish(asking.name, text)
        return RedirectResponse("/contacts/policy", 303)

    @routes.post("/contacts/policy/dry-run")
    async def dry_run(request: Request) -> Response:
        """What would have become of the contacts of all rules under another policy, beside what became of them."""
        acting(request, dependencies, access.CAMPAIGNERS)
        fields = await form(request)
        text, locale = fields.get("text", "").replace("\r\n", "\n"), locale_of(request, dependencies)
        read = reading.read(text)
        if read.policy is None:
            return await _policy(request, dependencies, text, read.problems)
        try:
            past = asked(fields, dependencies.clock(), locale.zone)
        except Problem:
            return await _policy(request, dependencies, text, typed=fields)
        again: dict[str, Any] = {"text": text, "days": past.days, "until": past.said, "ranges": RANGES, "seen": fields.get("seen", "")}
        again |= {"back": "/contacts/policy", "hints": told(hints.ordered(read.hints), locale)}

        async def found(ran: DryRun) -> dict[str, Any]:
            return {"ran": ran, "replayed": await replayed(dependencies, past.since, locale)}

        wanted = await rehearsing.of_policy(dependencies, read.policy, past.since, past.until)
        return await tried(request, dependencies, "policy_run.html", wanted, found, **again)

    @routes.get("/contacts/deliveries")
    async def outgoing(request: Request) -> Response:
        """What goes out, what failed, what is stopped; of one way or of all."""
        asking = access.staff(request, dependencies, READERS)
        state, lane = query.choice(request, "state", STATES), query.text(request, "lane")
        async with dependencies.pool.connection() as connection:
            before = cursor.place(query.text(request, "cursor"))
            found = await deliveries.page(connection, SHOWN + 1, before=before, state=state, lane=lane)
            held = await standing.every(connection) if asking.role in access.CAMPAIGNERS else []
            stopped = (await pauses(dependencies, connection)).items
        older = _older(request, found[SHOWN - 1].created, found[SHOWN - 1].id) if len(found) > SHOWN else None
        of = {"lane": lane} if lane else {}
        states = [(name, f"/contacts/deliveries?{urlencode(of | ({'state': name} if name else {}))}") for name in ("", *STATES)]
        return page(
            request,
            dependencies,
            "deliveries.html",
            deliveries=found[:SHOWN],
            state=state,
            states=states,
            lane=lane,
            filtered=f"?{request.url.query}".rstrip("?"),
            receivers={f"{deliveries.WEBHOOK}{one.id}": one.url.partition("//")[2].partition("/")[0] for one in held},
            older=older,
            stopped=stopped,
            went=went,
        )

    @routes.post("/contacts/deliveries/{id}/resend")
    async def resend(request: Request) -> Response:
        """Try one again; of what went out already that is asked first. The list comes back as it was filtered."""
        acting(request, dependencies, access.CAMPAIGNERS)
        id_, fields = path_id(request), await form(request)
        back = f"/contacts/deliveries?{request.url.query}".rstrip("?")
        async with dependencies.pool.connection() as connection:
            stands = await deliveries.one(connection, id_)
            if stands is None:
                raise not_found("No delivery has this id.")
            if stands.state == "sent" and "sure" not in fields:
                return _twice(request, dependencies, back)
            await deliveries.resend(connection, id_)
        return RedirectResponse(back, 303)

    @routes.post("/contacts/pause")
    async def pause(request: Request) -> Response:
        """Stop everything or a channel, or let it go on."""
        asking = acting(request, dependencies, access.CAMPAIGNERS)
        fields = await form(request)
        scope = fields.get("scope", "").strip()
        if scope != deliveries.EVERYTHING and not scope.startswith((deliveries.CHANNEL, deliveries.RULE)):
            raise invalid("/scope", "This is nothing that can be stopped.", "everything, channel:sms, rule:NAME")
        async with dependencies.pool.connection() as connection:
            if fields.get("do") == "resume":
                await deliveries.resume(connection, scope)
            else:
                await deliveries.pause(connection, scope[:100], dependencies.clock(), asking.name)
        return RedirectResponse("/contacts/deliveries", 303)

    @routes.get("/contacts/webhooks")
    async def hooks(request: Request) -> Response:
        """Who hears of us."""
        access.staff(request, dependencies, access.CAMPAIGNERS)
        return await _webhooks(request, dependencies)

    @routes.post("/contacts/webhooks")
    async def register(request: Request) -> Response:
        """Register another; its secret is shown this once."""
        asking = acting(request, dependencies, access.CAMPAIGNERS)
        fields = await form(request)
        url, types = fields.get("url", "").strip(), tuple(fields.get("types", "").split())
        draft = fields.get("draft")
        id_ = derive("webhook", str(asking.key), draft) if draft else None  # the same form, sent again, registers no other
        try:
            made = await dependencies.webhooks.register(str(asking.key), url[: webhooks.LONGEST_URL], types, "", id_)
        except (AddressRefused, NotAllowed) as refused:
            if id_ and (secret := await _shown_again(dependencies, id_, str(asking.key))):
                return await _webhooks(request, dependencies, secret=secret)
            return await _webhooks(request, dependencies, url=url, wrong=str(refused))
        return await _webhooks(request, dependencies, secret=made.secret)

    @routes.post("/contacts/webhooks/{id}")
    async def change(request: Request) -> Response:
        """Rotate its secret, disable or enable it, delete it."""
        asking = acting(request, dependencies, access.CAMPAIGNERS)
        fields = await form(request)
        do, id_, by, seen = fields.get("do"), path_id(request), str(asking.key), fields.get("seen", "")[:9]
        if do == "delete" and "sure" not in fields:
            return await _sure(request, dependencies, id_)
        try:
            if do == "rotate":
                made = await dependencies.webhooks.rotate(id_, by, timedelta(days=1), int(seen) if seen.isdecimal() else None)
                return await _webhooks(request, dependencies, secret=made.secret)
            if do == "disable":
                await dependencies.webhooks.disable(id_, by, "by hand")
            elif do == "enable":
                await dependencies.webhooks.enable(id_, by)
            elif do == "delete":
                await dependencies.webhooks.delete(id_, by)
        except WebhookNotFound as error:
            raise not_found("No webhook has this id.") from error
        except NotAllowed as refused:
            secret = await _shown_again(dependencies, id_, by) if do == "rotate" else ""
            return await _webhooks(request, dependencies, wrong="" if secret else str(refused), secret=secret)
        return RedirectResponse("/contacts/webhooks", 303)


def lines(shares: Sequence[Share]) -> list[Line]:
    """The funnel of each rule, the one with the most candidates first."""
    found = []
    for rule in dict.fromkeys(share.rule for share in shares):
        mine = [share for share in shares if share.rule == rule]
        silent: dict[str, int] = {}
        for share in mine:
            if share.outcome == "silent":
                silent[share.reason or ""] = silent.get(share.reason or "", 0) + share.candidates
        counts = {name: sum(share.candidates for share in mine if share.outcome == name) for name in ("sent", "held")}
        total = sum(share.candidates for share in mine)
        found.append(Line(rule, total, counts["sent"], counts["held"], sorted(silent.items(), key=lambda item: -item[1])))
    return sorted(found, key=lambda line: -line.candidates)


async def _policy(
    request: Request,
    dependencies: Dependencies,
    text: str | None = None,
    problems: Sequence[Written] = (),
    wrong: str = "",
    status: int = 422,
    typed: Mapping[str, str] | None = None,
) -> Response:
    asking = access.staff(request, dependencies, READERS) if request.method == "GET" else acting(request, dependencies, READERS)
    async with dependencies.pool.connection() as connection:
        shown = await policy_shown(connection)
    assert shown is not None  # noqa: S101 - without a version it is always there
    locale, may_write = locale_of(request, dependencies), asking.role in access.CAMPAIGNERS
    written = shown.text or NEW_POLICY if text is None else text
    return page(
        request,
        dependencies,
        "contact_policy.html",
        status=status if problems or wrong or typed else 200,
        shown=shown,
        overtaken=wrong == "knowledge.overtaken",
        text=written,
        mistakes=[locale.say(wrong)] if wrong else told(problems, locale),
        hints=[] if problems or not may_write else told(hints.ordered(reading.read(written).hints), locale),
        may_write=may_write,
        ranges=RANGES,
        back="/contacts/policy",
        **no_day(typed, locale),
    )


async def _webhooks(request: Request, dependencies: Dependencies, *, url: str = "", wrong: str = "", secret: str = "") -> Response:
    async with dependencies.pool.connection() as connection:
        held = await standing.every(connection, MOST)
        failing = await troubles(connection, held)
    shown: dict[str, Any] = {"failing": failing} | {
        "webhooks": held,
        "types": (*webhooks.FAMILIES, *webhooks.TYPES),
        "url": url,
        "wrong": wrong,
        "secret": secret,
    }
    shown |= {"draft": str(uuid4()), "back": "/contacts/webhooks"}
    return page(request, dependencies, "webhooks.html", 422 if wrong else 200, went=went, **shown)


def _twice(request: Request, dependencies: Dependencies, back: str) -> Response:
    """What is asked before somebody gets a second time what he got."""
    locale, action = locale_of(request, dependencies), f"{request.url.path}?{request.url.query}".rstrip("?")
    values: dict[str, Any] = {"asked": locale.say("contacting.resending"), "more": locale.say("contacting.resending.more")}
    values |= {"action": action, "sent": {}, "does": locale.say("contacting.resend"), "back": back}
    return page(request, dependencies, "sure.html", **values)


async def _sure(request: Request, dependencies: Dependencies, id_: UUID) -> Response:
    """What is asked before a webhook is deleted."""
    locale, back = locale_of(request, dependencies), "/contacts/webhooks"
    async with dependencies.pool.connection() as connection:
        url = next((one.url for one in await standing.every(connection) if one.id == id_), None)
    if url is None:
        raise not_found("No webhook has this id.")
    values: dict[str, Any] = {
        "asked": locale.say("contacting.deleting", url=f"\u2066{url}\u2069"),
        "more": locale.say("contacting.deleting.more"),
    }
    values |= {"action": f"{back}/{id_}", "sent": {"do": "delete"}, "does": locale.say("contacting.delete"), "back": back}
    return page(request, dependencies, "sure.html", **values)


async def _shown_again(dependencies: Dependencies, id_: UUID, by: str) -> str:
    """The secret that a press before this one made: the browser shows what answers the second alone. Empty: none did, just now."""
    made = await dependencies.webhooks.just_made(id_, by)
    if made is None:
        return ""
    async with dependencies.pool.connection() as connection:
        await dependencies.secrets.fetch(connection, [made.seal])
    return dependencies.secrets.unseal(made.seal, made.sealed, id_.bytes).decode()


def _older(request: Request, at: datetime, id_: UUID) -> str:
    """The address of the next page, with the filters of this one."""
    kept = {name: value for name, value in request.query_params.items() if name != "cursor"}
    return f"{request.url.path}?{urlencode({**kept, 'cursor': cursor.token(at, id_)})}"
