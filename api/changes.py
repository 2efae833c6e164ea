"""That the read models moved, as who waits for it hears it; `infra` brings the adapter."""

from typing import Protocol


class Changes(Protocol):
    """Tells that the read models moved; one connection a process, however many wait."""

    @property
    def version(self) -> int:
        """How often something may have changed so far."""
        ...

    @property
    def connected(self) -> bool:
        """Whether changes are heard now; while not, some may be missed."""
        ...

    async def changed(self, since: int, within: float) -> int:
        """The version once it is above `since`, or as it is after `within` seconds."""
        ...
