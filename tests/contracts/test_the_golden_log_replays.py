"""Events of every version of the format read today as they were read when they came, and as the newest version has them."""

from datetime import datetime
from typing import Any

import pytest

from aggregates.contracts import CONTRACTS, SHAPES, VersionUnknown, upcast
from aggregates.reading import read
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint
from tests.contracts import golden

LOG = [pytest.param(line, id=line["event"]["id"]) for version in (1,) for line in golden.log(version)]
NAMES = ("event_id", "version", "occurred", "subject", "who", "data", "personal", "attributes", "simulated", "backfill", "clock")


def replayed(line: dict[str, Any]) -> Touchpoint:
    touchpoint = read(line["event"], Source(**line["source"]), datetime.fromisoformat(line["recorded"]))
    assert isinstance(touchpoint, Touchpoint)
    return touchpoint


@pytest.mark.parametrize("line", LOG)
def test_an_event_is_understood_as_on_the_day_it_came(line: dict[str, Any]) -> None:
    touchpoint = replayed(line)
    assert golden.understood(touchpoint, *NAMES) | {"body": touchpoint.body.decode()} == {
        name: value for name, value in line["touchpoint"].items() if name != "newest"
    }


@pytest.mark.parametrize("line", LOG)
def test_its_data_is_read_as_the_newest_version_has_it(line: dict[str, Any]) -> None:
    touchpoint = replayed(line)
    whole = {**touchpoint.data, **touchpoint.personal}
    assert upcast(touchpoint.type, touchpoint.version, whole) == line["touchpoint"]["newest"]


def test_the_golden_log_holds_every_earlier_version() -> None:
    held = {(line["event"]["type"], line["touchpoint"]["version"]) for line in golden.log(1)}
    earlier = {(type_, version) for type_, version in SHAPES if version < CONTRACTS[type_].version}
    assert earlier
    assert earlier <= held


def test_what_the_log_keeps_is_what_was_sent() -> None:
    line = next(line for line in golden.log(1) if line["touchpoint"]["version"] == 1 and line["event"]["type"] == "call.ended")
    touchpoint = replayed(line)
    assert touchpoint.data["duration"] == 187.5
    assert upcast("call.ended", 1, dict(touchpoint.data))["talk_seconds"] == 187.5


def test_upcasting_leaves_the_newest_version_the_unknown_type_and_the_time_before_contracts_alone() -> None:
    for type_, version in (("call.ended", 2), ("no.such", 1), ("call.ended", 0)):
        data = {"duration": 1}
        assert upcast(type_, version, data) == {"duration": 1}


def test_a_record_of_a_newer_program_is_not_guessed_at() -> None:
    with pytest.raises(VersionUnknown, match=r"call\.ended version 3"):
        upcast("call.ended", 3, {})
