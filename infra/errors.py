"""The one exception that people meet: what cannot be done, in one sentence, and what to do about it."""

import errno
from pathlib import Path

REFUSED = 78  # the exit code that goes with the sentence (EX_CONFIG, as sysexits.h has it)
SAYS = "yekta: "  # how the line with the sentence begins


class Refusal(Exception):
    """Say in one sentence why Yekta will not go on; the command line prints it without a stack trace."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}".strip()


def refusal_of(error: OSError, path: Path | None = None) -> Refusal | None:
    """Turn what the operating system refused into a sentence; None when it is not a matter of files and disks."""
    where = path or error.filename
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return Refusal(f"The disk is full: nothing more can be written{_at(where)}.", "Free some space and start again.")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return Refusal(f"No permission to write{_at(where)}.", "Choose another folder with YEKTA_HOME.")
        case errno.ENOTDIR | errno.EEXIST | errno.EISDIR:
            return Refusal(f"A file stands where a folder is needed{_at(where)}.", "Choose another folder with YEKTA_HOME.")
        case errno.EADDRINUSE:
            return Refusal("The address is used by another program.", "Choose another port.")
    return None


def _at(where: object) -> str:
    return f" at {where}" if where else ""
