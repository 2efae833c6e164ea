"""Logs for machines: one JSON object a line, with ids and never with what somebody sent.

The message of an exception may quote a value, so of an exception only its type and where it was raised are told.
"""

import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

FRAMES = 12


def configure(process: str) -> None:
    """Let every log line of this process be JSON, with the process's name in it."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_messages,
            structlog.processors.JSONRenderer(),
        ],
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


def without_messages(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and the places it came through."""
    given: Any = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = type(error).__name__
        event["frames"] = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-FRAMES:]]
    return event
