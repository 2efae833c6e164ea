"""Logs are JSON, and an exception's message, which may quote what somebody sent, is not in them."""

import json

import pytest
import structlog

from infra import telemetry


def test_a_log_line_is_json_and_keeps_an_exceptions_message_to_itself(capsys: pytest.CaptureFixture[str]) -> None:
    configuration = structlog.get_config()
    try:
        telemetry.configure("tests")
        log = structlog.get_logger()
        try:
            raise ValueError("+989121234567")
        except ValueError as error:
            log.error("failed", offset=7, exc_info=error)
            log.error("failed", exc_info=True)
        log.info("plain")
    finally:
        structlog.contextvars.clear_contextvars()
        structlog.configure(**configuration)
    text = capsys.readouterr().out
    assert "912" not in text
    first, second, third = (json.loads(line) for line in text.splitlines())
    assert (first["event"], first["level"], first["offset"], first["process"]) == ("failed", "error", 7, "tests")
    assert first["exception"] == second["exception"] == "ValueError"
    assert first["frames"][-1].startswith(__file__)
    assert "exception" not in third
