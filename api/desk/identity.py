"""The desk's pages of identity: the queue of who may be one, decided with one key each, and why a customer is one, drawn.

The same functions as the API's do the work. Reading order: add, compared, objection, drawn.
"""

import re
from decimal import Decimal
from math import cos, pi, sin
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api import access, duplicate_weights, duplicates, explaining, identity_conflicts, identity_rules, looks, position, query, uniting
from api.access import Caller
from api.answers import path_id
from api.desk.forms import form
from api.desk.locale import Locale
from api.desk.rendering import HEADERS, locale_of, page
from api.desk.values import Value, code, identifier
from api.desk.values import field as of_field
from api.desk.visitor import acting
from api.duplicate_weights import LevelShown, WeightsShown
from api.explaining import Identity
from api.identity import DECIDERS, present
from api.ports import Dependencies
from api.problem import Problem
from api.uniting import Divided, Named
from projections.duplicates import table as pairs
from projections.identity import conflicts

WAITING = 30
PATIENCE = 5.0
"""Seconds that a page waits for a decision to be visible; it is in the log in any case."""

WIDE, HIGH = 640, 360
RULES = {"named_together": "identity.rule.named", "followed": "identity.rule.followed", "person": "identity.rule.person"}
STEPS = {
    "founded": "identity.step.founded",
    "joined": "identity.step.joined",
    "left": "identity.step.left",
    "kept_apart": "identity.step.apart",
}


NUMBERED = frozenset({"phone", "email", "national_id", "birth_date", "postal_code"})
"""Fields whose values run from left to right on every page."""

OBJECTION = re.compile(r"(merge|link): more than (\d+) (?:identifiers|of (.+))")


def compared(name: str, value: str, locale: Locale) -> Value:
    """What one of two who may be one is known to have, as other pages show it."""
    if name in NUMBERED:
        return of_field(name, value, None, locale) if name in {"phone", "birth_date"} else code(value, locale)
    return Value(value)


def objection(reason: str, locale: Locale) -> str:
    """Why the rules did not join, in the reader's words; as the log says it where that says more."""
    found = OBJECTION.fullmatch(reason)
    if found is None:
        return reason
    what, number, kind = found.groups()
    said = locale.digits(number)
    why = locale.say("identity.objection.limit", number=said, kind=locale.word("contact", kind)) if kind else None
    return locale.say(f"identity.objection.{what}", why=why or locale.say("identity.objection.most", number=said))


def firing(rule: str, locale: Locale) -> str:
    """What a rule kept from being joined, in the reader's words."""
    what, _, kind = rule.partition(":")
    return locale.say(f"identity.fired.{what}", kind=locale.word("contact", kind) if kind else "")


def chance(probability: float, locale: Locale) -> str:
    """A chance in percent: nothing that was only judged is certain."""
    return locale.number(Decimal(f"{min(max(probability * 100, 0.1), 99.9):.1f}"))


def bits(said: float, locale: Locale) -> str:
    """What a field speaks for one person, or against it."""
    return "+" * (said > 0) + locale.number(Decimal(f"{said:.1f}"))


def part(share: float, locale: Locale) -> str:
    """A part of all in percent, to two digits."""
    return locale.number(Decimal(f"{share * 100:.2g}"))


def agreements(weights: WeightsShown) -> list[tuple[str, list[tuple[str, LevelShown]]]]:
    """By field what each agreement says, by the end of its message; of equal values what the commonest and the rarest of them say."""
    found = []
    for field in weights.fields:
        same = [level for level in field.levels if level.rarity is not None]
        unlike = [(level.agreement, level) for level in field.levels if level.rarity is None]
        found.append((field.field, [*unlike, ("same", same[0]), ("same_rare", same[-1])]))
    return found


class Node(NamedTuple):
    """An identifier in the drawing."""

    id: str
    kind: str
    text: str
    x: float
    y: float
    weak: bool
    shared: bool


class Line(NamedTuple):
    """What ties two of them."""

    x1: float
    y1: float
    x2: float
    y2: float
    rule: str


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of identity."""

    @routes.get("/identity")
    async def queue(request: Request) -> Response:
        """The next pair that may be one person, the conflicts, and the rules."""
        return await waiting(request, access.staff(request, dependencies, access.INSIDE))

    async def waiting(request: Request, asking: Caller, *, late: bool = False, status: int = 200) -> Response:
        """`late`: somebody else decided what was to be decided."""
        skipped = query.text(request, "after")
        async with dependencies.pool.connection() as connection:
            found = await pairs.page(connection, 2, duplicates.place(skipped))
            many = await pairs.waiting(connection)
            shown = await duplicates.shown(dependencies, connection, found[:1], asking.role)
            open_ = await identity_conflicts.shown(dependencies, connection, await conflicts.page(connection, WAITING), asking.role)
            seen = {customer for pair in found[:1] for customer in (pair.one, pair.other)} | identity_conflicts.customers(open_)
            await looks.note_all(request, connection, asking, seen, "identity")
            rules = await identity_rules.shown(connection)
            weights = await duplicate_weights.shown(connection)
        locale = locale_of(request, dependencies)
        following = f"/identity?after={quote(duplicates.cursor(found[0]))}" if len(found) > 1 else ""
        return page(
            request,
            dependencies,
            "identity.html",
            status,
            back="/identity",
            late=late,
            pair=shown[0] if shown else None,
            waiting=many,
            following=following,
            conflicts=open_,
            objections=[objection(conflict.reason, locale) for conflict in open_],
            rules=rules,
            weights=weights,
            agreements=agreements(weights),
            part=part,
            fired_words=[firing(one.rule, locale) for one in rules.fired],
            compared=compared,
            chance=chance,
            bits=bits,
            may_decide=asking.role in DECIDERS,
        )

    @routes.post("/identity/duplicates/{id}")
    async def decide_pair(request: Request) -> Response:
        """They are one, or they are two."""
        asking = acting(request, dependencies, DECIDERS)
        verb = (await form(request)).get("do")
        try:
            async with dependencies.pool.connection() as connection:
                await duplicates.decide(
                    dependencies, connection, asking, request.path_params["id"], "accept" if verb == "accept" else "reject", ""
                )
        except Problem as problem:
            if problem.body.status != 404:
                raise
            return await waiting(request, asking, late=True, status=409)
        return RedirectResponse("/identity", 303, HEADERS)

    @routes.post("/identity/conflicts/{id}")
    async def decide_conflict(request: Request) -> Response:
        """What the rules did not join is one, or two."""
        asking = acting(request, dependencies, DECIDERS)
        verb = (await form(request)).get("do")
        try:
            async with dependencies.pool.connection() as connection:
                chosen = "merge" if verb == "merge" else "keep-apart"
                _, at = await identity_conflicts.decide(dependencies, connection, asking, path_id(request), chosen, "")
        except Problem as problem:
            if problem.reason != "already_decided":
                raise
            return await waiting(request, asking, late=True, status=409)
        await dependencies.awaiting.reached(position.offsets(at), None, PATIENCE)
        return RedirectResponse("/identity", 303, HEADERS)

    @routes.get("/customers/{id}/identity")
    async def why(request: Request) -> Response:
        """Why a customer is one."""
        asking = access.staff(request, dependencies, access.INSIDE)
        return await explain(request, asking, None, "", asking.role in DECIDERS)

    @routes.post("/customers/{id}/identity")
    async def split(request: Request) -> Response:
        """Who would get which events; then, when he says so, done."""
        asking = acting(request, dependencies, DECIDERS)
        fields = await form(request)
        go = [Named(id=name.removeprefix("id:")) for name in fields if name.startswith("id:")]
        try:
            async with dependencies.pool.connection() as connection:
                customer = await present(dependencies, connection, path_id(request))
                divided = await uniting.split(
                    dependencies,
                    connection,
                    asking,
                    customer,
                    go=go,
                    reason=fields.get("reason", "")[:500],
                    dry_run=fields.get("do") != "split",
                )
        except Problem as problem:
            if problem.body.status not in {409, 422}:
                raise
            return await explain(request, asking, None, "identity.split.wrong", True)
        if divided.position is None:
            return await explain(request, asking, divided, "", True)
        await dependencies.awaiting.reached(position.offsets(divided.position), None, PATIENCE)
        return RedirectResponse(f"/customers/{customer}/identity", 303, HEADERS)

    async def explain(request: Request, asking: Caller, preview: Divided | None, wrong: str, may_decide: bool) -> Response:
        async with dependencies.pool.connection() as connection:
            customer: UUID = await present(dependencies, connection, path_id(request))
            await looks.note(request, connection, asking, customer, "identity")
            shown = await explaining.explained(dependencies, connection, customer, asking.role)
        nodes, lines = drawn(shown, locale_of(request, dependencies))
        return page(
            request,
            dependencies,
            "customer_identity.html",
            shown=shown,
            nodes=nodes,
            lines=lines,
            named={node.id: node for node in nodes},
            wide=WIDE,
            high=HIGH,
            rules=RULES,
            steps=STEPS,
            preview=preview,
            going={one.id for one in preview.go.identifiers} if preview else set(),
            wrong=wrong,
            may_decide=may_decide,
        )


def drawn(shown: Identity, locale: Locale) -> tuple[list[Node], list[Line]]:
    """His identifiers on an ellipse, those that decide first at its top, and lines for what ties them."""
    count = max(len(shown.identifiers), 1)
    nodes: dict[str, Node] = {}
    for number, one in enumerate(shown.identifiers):
        angle = 2 * pi * number / count - pi / 2
        x, y = WIDE / 2 + cos(angle) * (WIDE / 2 - 110), HIGH / 2 + sin(angle) * (HIGH / 2 - 40)
        text = identifier(one.kind, one.value, locale).text
        nodes[one.id] = Node(one.id, one.kind, text if len(text) < 25 else text[:24] + "…", round(x, 1), round(y, 1), one.weak, one.shared)
    lines: list[Line] = []
    for link in shown.links:
        a, b = nodes[link.one], nodes[link.other]
        lines.append(Line(a.x, a.y, b.x, b.y, link.rule))
    return list(nodes.values()), lines
