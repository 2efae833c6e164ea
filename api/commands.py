"""Makes a command count once: whoever sends it again with the same key is answered as the first time, and nothing happens twice.

The key comes in the header `Idempotency-Key`, or as `request_id` in the body; it is one caller's own.
Reading order: Key, key_of, known, claim.
"""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request

from aggregates.decision import Also
from api.access import Caller
from api.ports import Connection
from api.problem import Problem, invalid

LONGEST = 200


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two commands the same, and a digest of what was asked."""

    text: str
    asked: bytes

    def also(self, id_: UUID, version: int) -> Also:
        """Remember which decision it led to, in that decision's transaction."""
        statement = "INSERT INTO decisions.commands (key, asked, id, version) VALUES (%s, %s, %s, %s)"
        return statement, (self.text, self.asked, id_, version)


def text_of(request: Request, request_id: str = "") -> str:
    """What was sent as the key of a command; empty: nothing was."""
    text = request.headers.get("idempotency-key") or request_id
    if len(text) > LONGEST or (text and not text.isprintable()):
        raise invalid("/header/Idempotency-Key", f"A key has at most {LONGEST} printable characters.", "A uuid will do.")
    return text


def key_of(request: Request, caller: Caller, content: bytes, request_id: str = "") -> Key | None:
    """The key of a command; None: it has none, and counts as often as it is sent."""
    text = text_of(request, request_id)
    if not text:
        return None
    return Key(f"{caller.name}\x1f{text}", hashlib.sha256(request.url.path.encode() + b"\0" + content).digest())


async def known(connection: Connection, key: Key | None) -> UUID | None:
    """What the same command was about when it came first. Raises a 422 problem when another command had the key."""
    if key is None:
        return None
    cursor = await connection.execute("SELECT id, asked FROM decisions.commands WHERE key = %s", (key.text,))
    row = await cursor.fetchone()
    if row is None:
        return None
    if bytes(row[1]) != key.asked:
        raise Problem(
            422, "key_used", "Another command came with this key.", pointer="/header/Idempotency-Key", mend="Give every command its own."
        )
    return UUID(str(row[0]))


async def claim(connection: Connection, fact: UUID, asked: bytes) -> None:
    """Have what was asked be what the fact with this id tells, before it is told. Raises a 422 problem when it tells something else."""
    key = Key(str(fact), asked)
    statement = "INSERT INTO decisions.commands (key, asked, id, version) VALUES (%s, %s, %s, 0) ON CONFLICT DO NOTHING"
    await connection.execute(statement, (key.text, key.asked, fact))
    await known(connection, key)
