"""Carries out what marketers do with rules and segments: write a draft, discard it, publish, pause, resume, retire; for API and desk.

Reading order: Declaring, Standing, unknown.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from aggregates import declaration
from aggregates.decision import Overtaken
from aggregates.declaration import OPEN, Declaration, Event, Kind, NotPossible, Person, Verb, Version
from aggregates.written import standing
from aggregates.written.problem import Lang
from api.access import Caller
from api.ports import Dependencies
from api.problem import Problem, unavailable
from projections.contacts import policies
from projections.declared import table

ATTEMPTS = 5
WAITS = 5.0
"""Seconds in which every partition usually hears of a decision; the answer waits so long, so that what is sent next meets it."""

AGAIN = 0.03


Decide = Callable[[Declaration | None, datetime], Event | None]
"""What is to happen, seen what was before; None: nothing, it stands so already."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How something stands after a command, and whether every partition knows."""

    declaration: Declaration
    version: Version  # the one that the command was about
    in_force: bool


class Declaring:
    """Commands for one kind."""

    def __init__(self, dependencies: Dependencies, kind: Kind) -> None:
        self._dependencies, self.kind = dependencies, kind

    async def draft(self, name: str, text: str, wanted: int, asking: Caller, lang: Lang = "en") -> Standing:
        """Write a version that is not in force yet; what is said already stays as it is."""

        def decide(before: Declaration | None, at: datetime) -> Event | None:
            return declaration.draft(before, self.kind, name, text, at, _person(asking), wanted=wanted)

        after, _ = await self._record(name, decide, lang)
        newest = after.newest
        return Standing(after, newest, in_force=newest.state not in OPEN and await self._heard(after))

    async def command(self, name: str, verb: Verb, asking: Caller, seen: int | None = None, lang: Lang = "en") -> Standing:
        """Carry out a command; return when every partition has heard of it, or after a while. Raises 404 and 409 problems, in `lang`.

        `seen` is the number of the decision that the one who asks has looked at: nobody approves what he has not read.
        """
        approval = self.kind == "rule" and await self._approval()

        def decide(before: Declaration | None, at: datetime) -> Event | None:
            if before is None:
                raise unknown(self.kind, lang)
            if seen is not None and before.number != seen:
                raise NotPossible("changed", name=name)
            return declaration.decide(before, verb, at, _person(asking), approval=approval)

        try:
            after, told = await self._record(name, decide, lang)
        except NotPossible as error:
            raise Problem(409, "not_possible", error.message(lang), headers={"Content-Language": lang}) from error
        if (told is not None and verb == "discard") or (verb in ("publish", "approve", "reject") and after.latest.state in OPEN):
            return Standing(after, after.latest, in_force=False)
        version = after.current or max((one for one in after.versions if one.state == "retired"), key=lambda one: one.at)
        return Standing(after, version, in_force=told is None or (told and await self._heard(after)))

    async def _approval(self) -> bool:
        async with self._dependencies.pool.connection() as connection:
            return (await policies.in_force(connection))[1].approval

    async def _record(self, name: str, decide: Decide, lang: Lang) -> tuple[Declaration, bool | None]:
        """How it stands then, and whether partitions are told of it; None: it stood so already."""
        for _ in range(ATTEMPTS):
            before = declaration.replay(await self._dependencies.decisions.load(declaration.id_of(self.kind, name)))
            event = decide(before, self._dependencies.clock())
            if event is None:
                assert before is not None  # noqa: S101 - a first draft is always an event
                return before, None
            after = declaration.evolve(before, event)
            also = table.kept(after)
            if self.kind == "rule":
                also.append(table.stopped(after, event))
            told = declaration.told(after, event, self._dependencies.zone)
            if told is not None:
                id_ = declaration.announced(after)
                also.append(table.announce(id_, declaration.decided_type(self.kind), msgspec.to_builtins(told)))
            try:
                await self._dependencies.decisions.record([declaration.decision_of(self.kind, name, after.number, event)], also)
            except Overtaken:
                continue
            return after, told is not None
        raise unavailable(standing.said("others", {"name": name}, lang))

    async def _heard(self, after: Declaration) -> bool:
        try:
            async with asyncio.timeout(WAITS):
                while True:
                    async with self._dependencies.pool.connection() as connection:
                        heard = await table.in_force(connection, self.kind, after.name, after.number)
                    if heard is not False:
                        return bool(heard)
                    await asyncio.sleep(AGAIN)
        except TimeoutError:
            return False


def unknown(kind: Kind, lang: Lang) -> Problem:
    """The problem that there is no such rule or segment."""
    return Problem(404, "not_found", standing.said("unknown", {"kind": kind}, lang), headers={"Content-Language": lang})


def _person(asking: Caller) -> Person:
    return Person(asking.name, str(asking.key))
