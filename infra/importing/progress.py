"""What a home remembers of an import that did not end, so that it goes on where it was cut off, also after kill -9.

It is forgotten when the import ends: sending all of it again adds nothing twice, remembering only spares the time.
"""

import hashlib
from pathlib import Path

import msgspec

from infra.home import write_private


class Progress(msgspec.Struct, frozen=True):
    """How much of one file, under one mapping, was answered for by the door."""

    rows: int = 0
    accepted: int = 0
    refused: int = 0


class Memory:
    """The file in which the progress of one import is kept."""

    def __init__(self, folder: Path, *parts: str) -> None:
        name = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
        self.file = folder / f"{name}.json"

    def read(self) -> Progress:
        """How far it came."""
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=Progress)
        except (FileNotFoundError, msgspec.MsgspecError):
            return Progress()

    def write(self, progress: Progress) -> None:
        """Remember."""
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self.file, msgspec.json.encode(progress).decode())

    def forget(self) -> None:
        """It is over."""
        self.file.unlink(missing_ok=True)
