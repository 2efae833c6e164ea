"""What a home remembers of its demo, so that a second run loads nothing again and a stopped one goes on."""

from pathlib import Path

import msgspec

from infra.home import write_private


class Progress(msgspec.Struct, frozen=True):
    """How far a home's demo is; another log or another feed begins anew."""

    topic_id: str
    customers: int
    feed: int
    sent: int = 0
    checked: bool = False

    def covers(self, wanted: "Progress") -> bool:
        """Whether all that is wanted was loaded, and found to be there."""
        return self.checked and (self.topic_id, self.feed) == (wanted.topic_id, wanted.feed) and self.customers >= wanted.customers

    def goes_on(self, wanted: "Progress") -> "Progress":
        """Where to begin what is wanted."""
        same = (self.topic_id, self.feed, self.customers) == (wanted.topic_id, wanted.feed, wanted.customers)
        return self if same else wanted


def read(file: Path) -> Progress | None:
    """What a home remembers; None when it remembers nothing."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Progress)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def checked(progress: Progress) -> Progress:
    """The same, found to be there."""
    return msgspec.structs.replace(progress, checked=True)


def write(file: Path, progress: Progress) -> None:
    write_private(file, msgspec.json.encode(progress).decode())
