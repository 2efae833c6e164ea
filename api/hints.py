"""What may stand in what a person wrote, and is perhaps not meant so: a name that is nearly a usual one, no such segment, no such rule, a
contact that nobody has written a text for.

Nothing is refused for it: names of channels and purposes may be any, and a segment may come after the rule that speaks of it.
Reading order: of, found, of_scope, of_request, told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from aggregates.declaration import Kind
from aggregates.rules import reading, segment
from aggregates.rules.conditions import CHANNELS, PURPOSES
from aggregates.written.problem import Lang, nearest
from aggregates.written.problem import Problem as Written
from aggregates.written.reader import ALIKE
from api.ports import Connection, Dependencies
from api.problem import Mistake
from api.written import mistake
from projections.declared import table
from projections.deliveries.table import CHANNEL, RULE, WEBHOOK


async def of(dependencies: Dependencies, connection: Connection, kind: Kind, text: str, lang: Lang) -> tuple[Mistake, ...]:
    """The hints about a text of a rule or a segment that is right, as an answer has them."""
    return told(await found(dependencies, connection, kind, text), lang)


async def found(dependencies: Dependencies, connection: Connection, kind: Kind, text: str) -> list[Written]:
    """The hints about a text of a rule or a segment that is right, by line."""
    zone = dependencies.zone
    read = reading.read(text, zone) if kind == "rule" else segment.read(text, zone)
    hints = list(read.hints)
    if isinstance(read, reading.Reading):
        for one in read.contacts:
            for channel in dependencies.wordless(one.contact, one.prefer):
                hints.append(Written(one.line, one.pointer, "no_text", {"word": one.contact, "channel": channel}))
    if read.segments:
        listed = await table.listed(connection, "segment")
        known = [name for name, rows in listed.items() if any(row.state != "retired" for row in rows)]
        hints += [replace(one, suggestion=nearest(one.words["word"], known)) for one in read.segments if one.words["word"] not in known]
    return ordered(hints)


async def of_scope(connection: Connection, scope: str, lang: Lang) -> tuple[Mistake, ...]:
    """The hint about what is to be stopped, where there is nothing of this name, or where it is nearly a usual one."""
    pointer = "/scope"
    if scope.startswith(RULE):
        name = scope.removeprefix(RULE)
        rules = await table.listed(connection, "rule")
        return () if name in rules else told([Written(1, pointer, "no_rule", {"word": name}, nearest(name, rules))], lang)
    usual = (*CHANNELS, WEBHOOK.rstrip(":"))
    return told(_unusual(pointer, scope.removeprefix(CHANNEL), usual) if scope.startswith(CHANNEL) else (), lang)


def of_request(channels: Mapping[str, str], purpose: str, lang: Lang) -> tuple[Mistake, ...]:
    """The hints about what another system asks for: channels by where they stand, and the purpose."""
    found = [hint for pointer, channel in channels.items() for hint in _unusual(pointer, channel, CHANNELS)]
    return told([*found, *_unusual("/purpose", purpose, PURPOSES)], lang)


def _unusual(pointer: str, word: str, usual: Sequence[str]) -> list[Written]:
    """The hint about a word that is nearly a usual one."""
    near = nearest(word, usual, ALIKE) if word not in usual else ""
    return [Written(1, pointer, "unusual_word", {"word": word}, near)] if near else []


def ordered(hints: Iterable[Written]) -> list[Written]:
    """By line."""
    return sorted(hints, key=lambda one: one.line)


def told(hints: Iterable[Written], lang: Lang) -> tuple[Mistake, ...]:
    """As an answer has them, by line."""
    return tuple([mistake(one, lang) for one in ordered(hints)])
