"""Logs for machines: one JSON object a line, with ids and never with what somebody sent.

The message of an exception may quote a value, so of an exception only its type and where it was raised are told. What libraries log goes
the same way; a client that looks for a broker says so ten times a second, and is heard once in ten.
Reading order: configure, Unfailing, Seldom.
"""

import logging
import sys
import time
import traceback
from contextlib import suppress
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

FRAMES = 12
PAUSE = 10.0


def configure(process: str) -> None:
    """Let every log line of this process be JSON, with the process's name in it, whichever thread or task it comes from."""

    def named(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {**event, "process": process}

    common: list[Processor] = [
        named,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_messages,
    ]
    structlog.configure(
        processors=[*common, structlog.processors.JSONRenderer()],
        logger_factory=lambda *_: Unfailing(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(Seldom())
    renderers: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=renderers, foreign_pre_chain=common))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


class Unfailing(structlog.PrintLogger):
    """Writes to what is stdout by then; where that cannot be written, on a full disk, what was to be told is lost, and nothing else is."""

    def msg(self, message: str) -> None:
        """Write one line."""
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg


class Seldom(logging.Filter):
    """Lets each message of each library through once in `PAUSE` seconds, whatever it is about."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        last = self._said.get((record.name, str(record.msg)))
        if last is not None and now - last < PAUSE:
            return False
        self._said[record.name, str(record.msg)] = now
        return True


def without_messages(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and the places it came through."""
    given: Any = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = type(error).__name__
        event["frames"] = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-FRAMES:]]
    return event
