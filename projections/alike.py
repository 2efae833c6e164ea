"""What is the same for every customer (the models in force, the costs), read once for all that are told together. Reading order: Alike."""

from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from projections.rows import Connection

Asked = ParamSpec("Asked")
Told = TypeVar("Told")


class Alike:
    """Remembers what was read, for as long as it is kept: whoever is told by it must have changed before it began."""

    def __init__(self) -> None:
        self._read: dict[tuple[Any, ...], Any] = {}

    async def read(
        self,
        reading: Callable[Concatenate[Connection, Asked], Awaitable[Told]],
        connection: Connection,
        *asked: Asked.args,
        **further: Asked.kwargs,
    ) -> Told:
        """What this reading says; asked for on the connection when nobody did before."""
        key = (reading, asked, tuple(further.items()))
        if key not in self._read:
            self._read[key] = await reading(connection, *asked, **further)
        return cast("Told", self._read[key])
