"""Logs are JSON, and an exception's message, which may quote what somebody sent, is not in them."""

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
import structlog

from infra import telemetry


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Logging is of the whole process: leave it as it was."""
    configuration, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    yield
    structlog.configure(**configuration)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_a_log_line_is_json_and_keeps_an_exceptions_message_to_itself(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure("tests")
    log = structlog.get_logger()
    try:
        raise ValueError("+989121234567")
    except ValueError as error:
        log.error("failed", offset=7, exc_info=error)
        log.error("failed", exc_info=True)
        logging.getLogger("library").exception("it failed")
    log.info("plain")
    text = capsys.readouterr().out
    assert "9121234567" not in text
    first, second, third, fourth = (json.loads(line) for line in text.splitlines())
    assert (first["event"], first["level"], first["offset"], first["process"]) == ("failed", "error", 7, "tests")
    assert first["exception"] == second["exception"] == third["exception"] == "ValueError"
    assert first["frames"][-1].startswith(__file__)
    assert (third["event"], third["level"]) == ("it failed", "error")
    assert "exception" not in fourth


def test_whoever_logs_on_a_full_disk_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry.configure("tests")
    with Path("/dev/full").open("w", buffering=1) as full, monkeypatch.context() as patched:
        patched.setattr("sys.stdout", full)
        structlog.get_logger().error("said")
        with suppress(OSError):  # what nobody wrote down is in the file's own memory still
            full.close()


def test_what_a_library_repeats_is_heard_once(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure("tests")
    for node in range(50):
        logging.getLogger("library").error("Unable to connect to node %s", node)
    logging.getLogger("library").error("Something else")
    assert [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()] == ["Unable to connect to node 0", "Something else"]


def test_a_thread_names_its_process_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Libraries begin threads of their own, which inherit no context."""
    telemetry.configure("tests")
    for speaks in (logging.getLogger("library").error, structlog.get_logger().error):
        thread = Thread(target=speaks, args=("said",))
        thread.start()
        thread.join()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["process"], line["event"], line["level"]) for line in lines] == [("tests", "said", "error")] * 2
