"""The one exception that people meet: what cannot be done, in one sentence, and what to do about it."""

import errno
import sys
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


def say(sentence: object) -> None:
    """Tell whoever started this, while it goes on."""
    sys.stderr.write(f"{SAYS}{sentence}\n")
    sys.stderr.flush()


def refusal_of(error: OSError, path: Path | None = None, setting: str = "YEKTA_HOME") -> Refusal | None:
    """Turn what the operating system refused into a sentence; None when it is not a matter of files and disks. The setting is the one that
    says where the files are."""
    where = path or error.filename
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return Refusal(
                f"The disk is full: nothing more can be written{_at(where)}.",
                "Free some space and start again.",
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return Refusal(f"No permission to write{_at(where)}.", f"Choose another folder with {setting}.")
        case errno.ENOTDIR | errno.EEXIST | errno.EISDIR:
            return Refusal(f"A file stands where a folder is needed{_at(where)}.", f"Choose another folder with {setting}.")
        case errno.EMFILE | errno.ENFILE:
            return Refusal("No more files may be open at once.", "Raise the limit: see `ulimit -n`.")
        case errno.EADDRINUSE:
            return Refusal("The address is used by another program.", "Choose another port.")
    return None


def unreachable(error: Exception) -> Refusal | None:
    """Turn an engine that went away under a command into a sentence; None when it is another matter. A command that does not speak to an
    engine has not imported what speaks to it, and cannot have failed by it."""
    kafka, psycopg, pools = (sys.modules.get(name) for name in ("aiokafka.errors", "psycopg", "psycopg_pool"))
    if kafka is not None and isinstance(error, (kafka.KafkaConnectionError, kafka.KafkaTimeoutError)):
        return Refusal("Kafka does not answer.", "See `yekta status`; if nothing runs, start it with `yekta up`.")
    if psycopg is not None and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return Refusal("PostgreSQL does not answer.", "See `yekta status`; if nothing runs, start it with `yekta up`.")
    if pools is not None and isinstance(error, pools.PoolTimeout):
        return Refusal("PostgreSQL has no connection free.", "See `yekta status`, and try again.")
    return None


def _at(where: object) -> str:
    return f" at {where}" if where else ""
