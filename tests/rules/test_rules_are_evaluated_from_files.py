"""`yekta evaluate rules`: files in, signals and outcomes out."""

import gzip
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from infra.cli.evaluate_rules import rules as evaluate
from infra.errors import Refusal
from tests.rules.telling import at, event

RULE = "{rule: seen, when: {count: shop.seen, at_least: 2, within: 1d}, do: {contact: offer, prefer: [sms]}}"


def files(folder: Path, events: list[dict[str, Any] | str], rules: str = RULE, policy: str = "zone: UTC") -> dict[str, Any]:
    lines = [line if isinstance(line, str) else json.dumps(line) for line in events]
    for name, text in (("rules.yaml", rules), ("policy.yaml", policy), ("events.jsonl", "\n".join(lines))):
        (folder / name).write_text(text, "utf-8")
    return {"rules": folder / "rules.yaml", "policy": folder / "policy.yaml", "events": folder / "events.jsonl"}


def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_the_answer_has_the_shape_that_the_api_speaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(**files(tmp_path, [event("shop.seen", at(0), "a"), event("shop.seen", at(0, 1), "b")]), json=True)
    found = answer(capsys)
    ((signal,), (outcome,)) = found["signals"], found["outcomes"]
    assert list(found) == ["signals", "outcomes"]
    assert list(signal) == ["id", "rule", "version", "customer_id", "cause", "occurred_at", "recorded_at", "late", "withdrawn"]
    assert list(outcome) == ["signal", "rule", "customer_id", "outcome", "channel", "at", "until", "reason"]
    assert signal["cause"] == {"source": "/test", "id": "b"}
    assert (outcome["signal"], outcome["customer_id"]) == (signal["id"], signal["customer_id"])


def test_an_event_that_comes_twice_counts_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = event("shop.seen", at(0), "a")
    evaluate(**files(tmp_path, [one, one | {"time": at(0, 2).isoformat()}]), json=True)
    assert answer(capsys)["signals"] == []


def test_what_is_due_when_a_copy_is_recorded_has_come(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waiting = RULE.replace("do:", "wait: 1h, do:")
    facts = [event("shop.seen", at(0, hour), name) for hour, name in enumerate("ab")]
    for hour, fired in ((1, 0), (2, 1)):
        evaluate(**files(tmp_path, [*facts, facts[0] | {"yektarecordedtime": at(0, hour).isoformat()}], waiting), json=True)
        assert len(answer(capsys)["signals"]) == fired


def test_without_a_recorded_time_an_event_was_recorded_when_it_happened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts: list[dict[str, Any] | str] = [
        event("shop.seen", at(0, 1), "b"),
        event("shop.seen", at(0, 9), "c"),
        event("shop.seen", at(0), "a"),
    ]
    evaluate(**files(tmp_path, facts), json=True)
    found = [(one["cause"]["id"], one["late"], one["withdrawn"]) for one in answer(capsys)["signals"]]
    assert found == [("c", False, True), ("b", True, False)]


@pytest.mark.parametrize("said", ["1970-01-01T00:00:20Z", at(0, 1, 6).isoformat()])
def test_a_time_that_no_door_would_believe_is_that_of_recording(said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doubtful = event("shop.seen", at(0, 1), "b", recorded=at(0, 1)) | {"time": said}
    evaluate(**files(tmp_path, [event("shop.seen", at(0), "a"), doubtful]), json=True)
    (signal,) = answer(capsys)["signals"]
    assert (signal["cause"]["id"], signal["occurred_at"]) == ("b", signal["recorded_at"])


def test_spellings_of_one_phone_are_one_customer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spellings = ("09121234567", "+98 912 123 4567", "۰۹۱۲۱۲۳۴۵۶۷")
    evaluate(**files(tmp_path, [event("shop.seen", at(0, hour), who={"phone": phone}) for hour, phone in enumerate(spellings)]), json=True)
    assert len(answer(capsys)["signals"]) == 1


def test_an_event_without_identifiers_is_nobodys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(**files(tmp_path, [event("shop.seen", at(0, hour), who={}) for hour in range(3)]), json=True)
    assert answer(capsys)["signals"] == []


def test_lines_that_cannot_be_placed_are_told_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = event("shop.seen", at(0), "a") | {"time": "2026-03-01 00:00"}
    whole = [event("shop.seen", at(0), "b"), event("shop.seen", at(0, 1), "c")]
    evaluate(**files(tmp_path, [*whole, "{not json", "", odd, '{"id": "x"}']), json=True)
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)["signals"]) == 1
    assert [line.split(" was")[0] for line in captured.err.splitlines()] == ["line 3", "line 5", "line 6"]


def test_attributes_that_say_nothing_are_told_as_those_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = [event("shop.seen", at(0, hour), "a") | {name: ""} for hour, name in enumerate(("id", "source", "type"))]
    evaluate(**files(tmp_path, [*empty, event("shop.seen", at(0, 3), "b")]), json=True)
    captured = capsys.readouterr()
    assert json.loads(captured.out)["signals"] == []
    assert [line.split(": The")[0] for line in captured.err.splitlines()] == [
        f"line {number} was left out: /{name}" for number, name in enumerate(("id", "source", "type"), 1)
    ]


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_time_that_stands_for_never_is_told_and_left_out_where_nothing_says_when_it_was_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], time: str
) -> None:
    monthly = RULE.replace("within: 1d", "in: jalali_month")
    seen = event("shop.seen", at(0)) | {"time": time}
    recorded = event("shop.seen", at(0)) | {"time": time, "yektarecordedtime": at(0, 1).isoformat()}
    evaluate(**files(tmp_path, [seen, event("shop.seen", at(0)), recorded], monthly), json=True)
    captured = capsys.readouterr()
    assert [one["occurred_at"] for one in json.loads(captured.out)["signals"]] == ["2026-03-01T01:00:00Z"]
    assert captured.err.startswith("line 1 was left out: /time: ")


@pytest.mark.parametrize(
    ("recorded", "stands"), [("1970-01-02T09:00:00Z", "1969-12-31T10:00:00Z"), ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z")]
)
def test_late_evidence_in_a_log_from_before_1970_counts_at_its_time_and_of_a_clock_that_was_never_set_when_it_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], recorded: str, stands: str
) -> None:
    late: list[dict[str, Any] | str] = [
        event("shop.seen", at(0), name) | {"time": f"1969-12-31T{hour}:00:00Z", "yektarecordedtime": recorded}
        for name, hour in (("a", "10"), ("b", "09"))
    ]
    evaluate(**files(tmp_path, late), json=True)
    assert [one["occurred_at"] for one in answer(capsys)["signals"] if not one["withdrawn"]] == [stands]


def test_a_file_may_begin_as_editors_on_windows_begin_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = "\ufeff" + json.dumps(event("shop.seen", at(0)))
    evaluate(**files(tmp_path, [first, event("shop.seen", at(0, 1))]), json=True)
    captured = capsys.readouterr()
    assert (len(json.loads(captured.out)["signals"]), captured.err) == (1, "")


def test_events_may_be_packed_and_in_one_array(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = files(tmp_path, [event("shop.seen", at(0)), event("shop.seen", at(0, 1))])
    lines = given["events"].read_bytes()
    array = b"[" + lines.strip().replace(b"\n", b",") + b"]"
    for written in (lines, gzip.compress(lines), array, gzip.compress(b"\xef\xbb\xbf\n" + array)):
        given["events"].write_bytes(written)
        evaluate(**given, json=True)
        captured = capsys.readouterr()
        assert (len(json.loads(captured.out)["signals"]), captured.err) == (1, "")


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (gzip.compress(b"{}")[:-9], "cannot be read: Compressed file ended"),
        (b'[{"id": ', "cannot be read: Input data was truncated"),
        (b"customer,time\na,2024-01-01\n", r"No event of .* can be read; line 1: .*Write one CloudEvent as JSON a line"),
        (b'{"events": []}', r"No event of .* can be read; line 1: /id: The attribute id is missing\. Write"),
    ],
    ids=["packed and cut", "an array that is cut", "no JSON", "no event"],
)
def test_a_file_of_which_no_event_can_be_read_is_refused(tmp_path: Path, written: bytes, sentence: str) -> None:
    given = files(tmp_path, [])
    given["events"].write_bytes(written)
    with pytest.raises(Refusal, match=sentence):
        evaluate(**given, json=True)


def test_data_may_be_in_base64_as_at_a_door(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = [event("shop.seen", at(0, hour)) for hour in range(2)]
    sent = [{**one, "data_base64": b64encode(json.dumps(one["data"]).encode()).decode()} for one in plain]
    bare: list[dict[str, Any] | str] = [{name: value for name, value in one.items() if name != "data"} for one in sent]
    evaluate(**files(tmp_path, [*bare, event("shop.seen", at(0, 3)) | {"data": None, "data_base64": "no"}]), json=True)
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)["signals"]) == 1
    assert captured.err.startswith("line 3 was left out: /data_base64: ")


def test_times_in_any_offset_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = [event("shop.seen", at(0), "a"), event("shop.seen", at(0), "b") | {"time": "2026-03-01T05:00:00+03:30"}]
    evaluate(**files(tmp_path, [*facts]), json=True)
    assert answer(capsys)["signals"][0]["occurred_at"] == "2026-03-01T01:30:00Z"


def test_a_date_alone_is_the_start_of_that_day_where_its_source_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    consent = event("consent.given", at(0), purpose="marketing", valid_until="2026-03-03")  # 20:30 of the day before, in UTC
    seen = [event("shop.seen", at(1, 19), "a"), event("shop.seen", at(1, 20), "b")]
    evaluate(**files(tmp_path, [consent, *seen]), json=True)
    assert answer(capsys)["outcomes"][0]["outcome"] == "sent"
    evaluate(**files(tmp_path, [consent, seen[0], event("shop.seen", at(1, 20, 30), "b")]), json=True)
    assert answer(capsys)["outcomes"][0]["reason"] == "consent marketing/sms"
    evaluate(**files(tmp_path, [consent | {"data": consent["data"] | {"valid_until": "1405-01-01"}}, *seen]), json=True)
    assert len(answer(capsys)["signals"]) == 1


def test_a_table_is_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(**files(tmp_path, [event("shop.seen", at(0), "a"), event("shop.seen", at(0, 1), "b")]))
    told = capsys.readouterr().out
    assert "consent marketing/sms 1" in told
    assert "2 events" in told


@pytest.mark.parametrize(("lang", "said"), [("en", "Did you mean count?"), ("fa", "آیا منظورتان count است؟")])
def test_mistakes_are_told_before_anything_runs(tmp_path: Path, lang: Any, said: str) -> None:
    wrong = files(tmp_path, [], RULE.replace("count", "cuont"))
    with pytest.raises(Refusal, match=r"line 1|سطر 1") as refusal:
        evaluate(**wrong, lang=lang)
    assert said in str(refusal.value)


def test_what_is_perhaps_not_meant_so_is_told_beside_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = RULE.replace("at_least", "where: \"time - timestamp(data.at) > duration('7d')\", at_least").replace("[sms]", "[smss]")
    evaluate(**files(tmp_path, [event("shop.seen", at(0))], rule, "{zone: UTC, counts: [emial]}"), json=True)
    said = capsys.readouterr()
    assert json.loads(said.out) == {"signals": [], "outcomes": []}
    assert [word in said.err for word in ("Did you mean 168h?", "Did you mean sms?", "Did you mean email?")] == [True] * 3


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    given = files(tmp_path, [])
    with pytest.raises(Refusal, match="nowhere"):
        evaluate(**given | {"events": tmp_path / "nowhere"})
