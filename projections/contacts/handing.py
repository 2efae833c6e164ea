"""Gives people what they are to do for a contact, if it may still be made: for a call, sending it is taking it; for an offer, showing it.

Asked of each is what is asked of all that leaves, by whoever is given as `Rechecks`; what must not be made any more leaves the list.
Reading order: Rechecks, take, looked, ready, offered.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from aggregates.contact_policy.candidate import Result
from projections.contacts import table, tasks
from projections.contacts.tasks import CALL, Connection, Task
from projections.deliveries import table as deliveries
from projections.deliveries.table import CHANNEL, EVERYTHING, RULE

AT_ONCE = 50
"""Tasks that are asked about for one who wants any: each that may not be made is off the list, or waits, for who comes next."""

SOON = 60.0
PAUSED = "paused"
TALKS = "block_while in_call"
"""Who speaks with him just now may be shown what he is to be called for."""


class Again(NamedTuple):
    """What a contact comes to when it is asked about once more: it may be made, or must wait, or must not be made any more."""

    result: Result
    reason: str = ""
    seconds: float | None = None  # it waits; None: nobody knows


class Rechecks(Protocol):
    """Asks once more about a contact, under the lock on its customer."""

    async def again(self, connection: Connection, task: Task, *, looking: bool = False) -> Again:
        """In the transaction under way. What must not be made any more is silent then; who only looks silences nothing for what passes."""
        ...


async def take_next(connection: Connection, rechecks: Rechecks, by: str, channel: str) -> Task | None:
    """Give somebody the task that waits longest, of those that may be done now."""
    passed: list[UUID] = []
    while len(passed) < AT_ONCE and (task := await tasks.free(connection, by, channel, passed)):
        taken = await take(connection, rechecks, by, task)
        if isinstance(taken, Task):
            return taken
        passed.append(task.id)
    return None


async def take(connection: Connection, rechecks: Rechecks, by: str, task: Task) -> Task | Again | None:
    """Give somebody this task, or say why it must not be done; None: another has it. Who has it is given it again."""
    if not await tasks.may_take(connection, task.id, by):
        return None
    async with connection.transaction():
        if not (task.state == "taken" and task.taken_by == by):
            if _paused(task, await _pauses(connection)):
                return Again("held", PAUSED)
            again = await rechecks.again(connection, task)
            if again.result == "silent":
                await tasks.close(connection, task.id, again.reason, by)
                return again
            if again.result == "held":
                await tasks.wait(connection, task.id, again.seconds or SOON)
                return again
        taken = await tasks.take(connection, task.id, by)
        if taken is not None:
            await table.reach(connection, taken.customer_id, taken.signal)
        return taken


async def end(connection: Connection, id_: UUID, by: str, outcome: str, note: str) -> Task | None:
    """It was done with this outcome; None when another has it, or it is done."""
    async with connection.transaction():
        ended = await tasks.end(connection, id_, by, outcome, note)
        if ended is not None:
            await table.reach(connection, ended.customer_id, ended.signal)
        return ended


async def looked(connection: Connection, rechecks: Rechecks, found: Sequence[Task]) -> list[Task]:
    """These tasks, as they stand once those that are open were asked about."""
    return [task for task, _ in [await _looked(connection, rechecks, task) for task in found]]


async def ready(connection: Connection, rechecks: Rechecks, found: Sequence[Task]) -> list[Task]:
    """The same without those that are open and must wait."""
    paused = await _pauses(connection)
    asked = [await _looked(connection, rechecks, task) for task in found if task.state != "open" or not _paused(task, paused)]
    return [task for task, again in asked if again.result != "held"]


async def offered(connection: Connection, rechecks: Rechecks, found: Sequence[Task]) -> list[Task]:
    """What may be shown to whoever speaks with the customer, or to himself: an offer is made by it."""
    paused = await _pauses(connection)
    shown = []
    for task in found:
        if _paused(task, paused):
            continue
        task_now, again = await _looked(connection, rechecks, task, shows=task.channel != CALL)
        if task_now.state != "done" and (again.result != "held" or (task.channel == CALL and again.reason == TALKS)):
            shown.append(task_now)
    return shown


async def _looked(connection: Connection, rechecks: Rechecks, task: Task, *, shows: bool = False) -> tuple[Task, Again]:
    """A task as it stands, and what came of asking: whoever has it, or had, is not asked about."""
    if task.state != "open":
        return task, Again("sent")
    async with connection.transaction():
        again = await rechecks.again(connection, task, looking=True)
        if again.result == "silent":
            closed = await tasks.close(connection, task.id, again.reason)
            return closed or await tasks.one(connection, task.id) or task, again
        if again.result == "sent" and shows:
            await table.reach(connection, task.customer_id, task.signal)
        return task, again


async def _pauses(connection: Connection) -> set[str]:
    return {scope for scope, _, _ in await deliveries.pauses(connection)}


def _paused(task: Task, scopes: Collection[str]) -> bool:
    return not {EVERYTHING, f"{CHANNEL}{task.channel}", f"{RULE}{task.rule}"}.isdisjoint(scopes)
