"""The desk's pages of dead letters: how many there are and why, one letter with its bytes, correcting, replaying.

Every replay can be tried first. The same functions as the API's do the work. Reading order: add, one, several.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from aggregates.sealing import KeyDestroyed
from api import access, cursor, query
from api.answers import path_id
from api.dead_letters import OPEN, REPLAYED, corrected, following, one, text_of
from api.desk.forms import form
from api.desk.locale import Locale
from api.desk.refusals import explained
from api.desk.rendering import locale_of, page
from api.desk.visitor import acting
from api.mappings import checked, publish
from api.ports import Dependencies
from api.problem import Problem
from api.replaying import Correction, Outcome, raw_of, replay, totals
from projections.dead_letters import table
from projections.dead_letters.table import Count, Letter

SHOWN = 30
AT_ONCE = 200
FILTERS = ("source", "reason", "file", "mapping")


class Result(NamedTuple):
    """What became of letters that were tried."""

    dry: bool
    said: str  # in one sentence
    outcomes: Sequence[Outcome]
    more: bool


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The routes of dead letters."""

    @routes.get("/dead-letters")
    async def letters(request: Request) -> Response:
        """Counts, and the newest letters."""
        access.staff(request, dependencies, access.OPERATORS)
        return await several(request, dependencies)

    @routes.post("/dead-letters")
    async def replay_several(request: Request) -> Response:
        """Try or replay all open letters that the filter finds, the newest 200."""
        asking = acting(request, dependencies, access.OPERATORS)
        fields = await form(request)
        dry = fields.get("do") != "replay"
        chosen = {name: fields[name] for name in FILTERS if fields.get(name, "").isprintable() and fields.get(name)}
        locale = locale_of(request, dependencies)
        try:
            correction = _correction(fields, many=True)
            if correction.mapping is not None and not dry and chosen.get("mapping"):
                await publish(dependencies, asking.key, chosen["mapping"], fields["correction"])
            async with dependencies.pool.connection() as connection:
                found = await table.page(connection, AT_ONCE + 1, status=OPEN, **_typed(chosen))
            outcomes, _ = await replay(dependencies, asking, found[:AT_ONCE], correction, dry_run=dry)
            result = Result(dry, _said(locale, outcomes), outcomes, len(found) > AT_ONCE)
        except Problem as problem:
            if problem.body.status not in {400, 409, 422}:
                raise
            return await several(request, dependencies, chosen, fields.get("correction", ""), wrong=problem)
        return await several(request, dependencies, chosen, fields.get("correction", ""), result=result)

    @routes.get("/dead-letters/{id}")
    async def letter(request: Request) -> Response:
        """One letter."""
        access.staff(request, dependencies, access.OPERATORS)
        return await single(request, dependencies, path_id(request))

    @routes.post("/dead-letters/{id}")
    async def replay_one(request: Request) -> Response:
        """Try or replay one letter, as it came or corrected."""
        asking = acting(request, dependencies, access.OPERATORS)
        fields = await form(request)
        dry, id_ = fields.get("do") != "replay", path_id(request)
        try:
            correction = _correction(fields, many=False)
            async with dependencies.pool.connection() as connection:
                found = await one(connection, id_)
            outcomes, _ = await replay(dependencies, asking, [found], correction, dry_run=dry)
        except Problem as problem:
            if problem.body.status not in {400, 422}:
                raise
            return await single(request, dependencies, id_, fields.get("correction", ""), wrong=problem)
        result = Result(dry, _said(locale_of(request, dependencies), outcomes), outcomes, more=False)
        return await single(request, dependencies, id_, fields.get("correction", ""), result=result)


async def several(
    request: Request,
    dependencies: Dependencies,
    chosen: dict[str, str] | None = None,
    correction: str = "",
    result: Result | None = None,
    wrong: Problem | None = None,
) -> Response:
    """The page of all letters."""
    if chosen is None:
        chosen = {name: value for name in FILTERS if (value := query.text(request, name))}
    status = query.choice(request, "status", (OPEN, REPLAYED, "all")) or OPEN
    async with dependencies.pool.connection() as connection:
        counts = await table.by_reason_and_source(connection)
        found = await table.page(
            connection,
            SHOWN + 1,
            before=cursor.place(query.text(request, "cursor")),
            status=None if status == "all" else status,
            **_typed(chosen),
        )
    next_ = following(found, SHOWN)
    return page(
        request,
        dependencies,
        "dead_letters.html",
        200 if wrong is None else wrong.body.status,
        explained=explained,
        counts=counts,
        open=sum(count.open for count in counts),
        of=_address_of,
        letters=found[:SHOWN],
        chosen=chosen,
        which=status,
        statuses=[(name, "?" + urlencode({**chosen, "status": name})) for name in (OPEN, REPLAYED, "all")],
        following="?" + urlencode({**chosen, "status": status, "cursor": next_}) if next_ else None,
        correction=correction,
        result=result,
        wrong=None if wrong is None else wrong.body,
        waiting=sum(count.open for count in counts if _matches(count, chosen)),
    )


async def single(
    request: Request,
    dependencies: Dependencies,
    id_: UUID,
    correction: str = "",
    result: Result | None = None,
    wrong: Problem | None = None,
) -> Response:
    """The page of one letter, with its bytes as they came."""
    async with dependencies.pool.connection() as connection:
        letter = await one(connection, id_)
        try:
            raw: bytes | None = await raw_of(connection, dependencies, letter)
        except KeyDestroyed:
            raw = None
    shown, at = _pretty(raw or b"", letter.pointer)
    return page(
        request,
        dependencies,
        "dead_letter.html",
        200 if wrong is None else wrong.body.status,
        explained=explained,
        letter=letter,
        erased=raw is None,
        lines=shown,
        failing=at,
        size=len(raw or b""),
        correction=correction or _suggested(letter),
        result=result,
        wrong=None if wrong is None else wrong.body,
        replayed=letter.replayed_as is not None or (result is not None and any(o.status == "replayed" for o in result.outcomes)),
    )


def _address_of(count: Count) -> str:
    return "?" + urlencode({"source": count.source, "reason": count.reason})


def _matches(count: Count, chosen: dict[str, str]) -> bool:
    return chosen.get("source", count.source) == count.source and chosen.get("reason", count.reason) == count.reason


def _typed(chosen: dict[str, str]) -> dict[str, Any]:
    return {name: chosen.get(name) for name in FILTERS}


def _correction(fields: dict[str, str], *, many: bool) -> Correction:
    """What stands in the form: nothing, a patch, a whole event, or for many rows a mapping. Raises a problem for what is none of these."""
    text = fields.get("correction", "").strip()
    if not text:
        return Correction()
    if text.startswith("["):
        return corrected(text.encode(), "application/json-patch+json")
    return Correction(mapping=checked(text)) if many else corrected(text.encode())


def _said(locale: Locale, outcomes: Sequence[Outcome]) -> str:
    counts = totals(outcomes)
    if not counts:
        return locale.say("letter.none_open")
    return locale.join(locale.say(f"letter.became.{status}", count) for status, count in sorted(counts.items()))


def _suggested(letter: Letter) -> str:
    """A patch to begin with: it replaces what is wrong, or adds what is missing."""
    if not letter.pointer:
        return ""
    op = "add" if letter.reason == "missing_field" else "replace"
    return json.dumps([{"op": op, "path": letter.pointer, "value": ""}], ensure_ascii=False)


def _pretty(raw: bytes, pointer: str) -> tuple[list[str], int]:
    """The bytes as lines, JSON with one value a line; and which line holds what is wrong (0: none)."""
    text = text_of(raw)
    if text is None:
        return [raw[begin : begin + 16].hex(" ") for begin in range(0, min(len(raw), 4_096), 16)], 0
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return text.splitlines()[:400], 0
    lines: list[str] = []
    places: dict[str, int] = {}
    _lay(document, "", 0, "", lines, places)
    while pointer and pointer not in places:
        pointer = pointer.rpartition("/")[0]
    return lines[:2_000], places.get(pointer, 0) if pointer else 0


def _lay(value: Any, pointer: str, depth: int, before: str, lines: list[str], places: dict[str, int]) -> None:
    """One value and all below it, as lines; `places` tells in which line each pointer stands."""
    pad = "  " * depth
    if isinstance(value, dict | list) and value:
        opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
        lines.append(f"{pad}{before}{opening}")
        places[pointer] = len(lines)
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in items:
            part = str(name).replace("~", "~0").replace("/", "~1")
            label = f"{json.dumps(name, ensure_ascii=False)}: " if isinstance(value, dict) else ""
            _lay(item, f"{pointer}/{part}", depth + 1, label, lines, places)
        lines.append(f"{pad}{closing}")
    else:
        lines.append(f"{pad}{before}{json.dumps(value, ensure_ascii=False)}")
        places[pointer] = len(lines)
