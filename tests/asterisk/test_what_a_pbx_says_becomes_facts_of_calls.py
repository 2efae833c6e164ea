"""Events of the manager, and lines of its files, become the same facts of the same calls."""

from typing import Any

from infra.asterisk import cdr, queue_log
from infra.asterisk.call import Told, event
from infra.asterisk.calls import Calls, found, hear, missed
from infra.asterisk.reconcile import merged
from tests.asterisk.pbx import AT, CALLER, Said, answered, gave_up, hung_up, of_call, ringing

QUEUE_LOG = """\
1795000000|NONE|NONE|NONE|QUEUESTART|
1795000001|1795000000.1|sales|NONE|ENTERQUEUE||09121234567|1
1795000013|1795000000.1|sales|maryam|CONNECT|12|1795000000.2|10
1795000103|1795000000.1|sales|maryam|COMPLETECALLER|12|90|1
1795000200|1795000200.7|sales|NONE|ENTERQUEUE||09350000000|2
1795000240|1795000200.7|sales|NONE|ABANDON|1|2|40
"""
LEG = (
    '"","{src}","{dst}","ctx","{src}","{by}","{to}","{app}","","{began}","{answer}","{end}",{all},{talk},"{how}",'
    '"DOCUMENTATION","{id}",""{more}'
)  # one line a leg, as cdr-csv writes it


def leg(id_: str, src: str, dst: str, **more: Any) -> str:
    """A line of Master.csv."""
    told: dict[str, Any] = {
        "by": "PJSIP/trunk-0000000a",
        "more": "",
        "to": "PJSIP/204-0000001a",
        "app": "Dial",
        "began": "2026-11-18 09:00:00",
        "answer": "2026-11-18 09:00:10",
    }
    told |= {"end": "2026-11-18 09:01:10", "all": 70, "talk": 60, "how": "ANSWERED"} | more
    return LEG.format(id=id_, src=src, dst=dst, **told)


def heard(*messages: Said) -> list[Told]:
    """What is told of these messages, one after the other."""
    calls: Calls = {}
    return [told for number, message in enumerate(messages) for told in hear(calls, message, AT + number)[1]]


def what(facts: list[Told]) -> list[tuple[str, dict[str, Any]]]:
    return [(told.what, event(told, "/pbx")["data"]) for told in facts]


def test_a_call_to_a_queue_is_told_from_its_first_ring_to_its_end() -> None:
    facts = what(heard(*ringing(), *answered(), *hung_up()))
    who = {"who": {"phone": "09121234567"}, "call_id": CALLER}
    assert facts == [
        ("queued", who | {"queue": "sales", "position": 1}),
        ("ringing", who | {"direction": "inbound", "number": "09121234567", "queue": "sales", "extension": "204", "trunk": "trunk"}),
        ("answered", who | {"agent": "maryam", "extension": "204", "queue": "sales", "wait_seconds": 12.0}),
        (
            "ended",
            who
            | {"direction": "inbound", "queue": "sales", "agent": "maryam", "wait_seconds": 12.0, "talk_seconds": 90.0}
            | {"hold_seconds": 15.0, "reason": "caller", "outcome": "answered"},
        ),
    ]


def test_who_gives_up_abandoned_the_call_and_it_ends_once() -> None:
    facts = what(heard(*ringing(), *gave_up()))
    assert [name for name, _ in facts] == ["queued", "ringing", "abandoned"]
    assert facts[-1][1] == {"who": {"phone": "09121234567"}, "call_id": CALLER, "queue": "sales", "wait_seconds": 40.0, "position": 1}


def test_who_is_sent_on_when_the_queue_takes_too_long_is_answered_by_whoever_was_dialled_then() -> None:
    leaves = {"Event": "QueueCallerLeave", **of_call(CALLER), "Queue": "sales", "Timestamp": str(AT + 60)}
    dials = {"Event": "DialBegin", **of_call(CALLER), "DestChannel": "PJSIP/200-0000001c", "DestUniqueid": "1.9", "Timestamp": str(AT + 61)}
    takes = {"Event": "DialEnd", **of_call(CALLER), "DestChannel": "PJSIP/200-0000001c", "DestUniqueid": "1.9", "DialStatus": "ANSWER"}
    facts = heard(*ringing(), leaves, dials, takes | {"Timestamp": str(AT + 65)}, hung_up()[-1])
    assert [told.what for told in facts] == ["queued", "ringing", "ringing", "answered", "ended"]
    assert (facts[3].data["agent"], facts[3].data["wait_seconds"], facts[4].data["talk_seconds"]) == ("200", 65.0, 38.0)


def test_what_a_phone_behind_a_queue_says_by_itself_is_no_second_answer() -> None:
    inner = {"Event": "DialEnd", **of_call(CALLER), "DestUniqueid": "1.10", "DialStatus": "ANSWER", "Timestamp": str(AT + 12)}
    leaves = {"Event": "QueueCallerLeave", **of_call(CALLER), "Queue": "sales", "Timestamp": str(AT + 13)}
    facts = heard(*ringing(), inner, leaves, *answered(), *hung_up())
    assert [told.what for told in facts] == ["queued", "ringing", "answered", "ended"]


def test_who_comes_into_the_same_queue_again_is_told_of_again_live_and_from_the_file() -> None:
    joins = {"Event": "QueueCallerJoin", **of_call(CALLER), "Queue": "sales", "Position": "3", "Timestamp": str(AT + 70)}
    live = [told.id for told in heard(*ringing(), joins) if told.what == "queued"]
    lines = [f"1795000000|{CALLER}|sales|NONE|ENTERQUEUE||09121234567|1", f"1795000060|{CALLER}|sales|NONE|EXITWITHTIMEOUT|1|1|60"]
    file = [told.id for told in queue_log.read([*lines, f"1795000070|{CALLER}|sales|NONE|ENTERQUEUE||09121234567|3"])]
    assert live == file == [f"{CALLER}:queued:sales", f"{CALLER}:queued:sales:2"]


def test_a_channel_that_a_transfer_gave_to_another_call_ends_the_call_it_began() -> None:
    calls: Calls = {}
    asks = {"Event": "Newchannel", **of_call("5.1", number="204"), "Exten": "205", "Timestamp": str(AT)}
    given = {"Event": "Hangup", **of_call("5.1", linked=CALLER, number="204"), "Cause": "16", "Timestamp": str(AT + 30)}
    for message in (*ringing(), asks, given):
        hear(calls, message, AT)
    assert list(calls) == [CALLER]


def test_a_number_that_was_withheld_is_no_number() -> None:
    begins = {"Event": "Newchannel", **of_call("6.1", number="<unknown>"), "Exten": "204", "Timestamp": str(AT)}
    facts = what(heard(begins, {"Event": "Hangup", **of_call("6.1"), "Cause": "16", "Timestamp": str(AT + 9)}))
    assert facts == [("abandoned", {"call_id": "6.1", "wait_seconds": 9.0})]


def test_a_direct_call_that_nobody_takes_is_abandoned() -> None:
    begins = {"Event": "Newchannel", **of_call("9.1"), "Exten": "204", "Timestamp": str(AT)}
    ends = {"Event": "Hangup", **of_call("9.1"), "Cause": "16", "Timestamp": str(AT + 20)}
    assert [(told.what, told.data["wait_seconds"]) for told in heard(begins, ends)] == [("abandoned", 20.0)]


def test_a_call_that_we_make_is_outbound_and_names_whom_we_called() -> None:
    begins = {"Event": "Newchannel", **of_call("7.1", number="204"), "Exten": "09127654321", "Timestamp": str(AT)}
    dials = {"Event": "DialBegin", **of_call("7.1", number="204"), "DestChannel": "PJSIP/trunk-0000001b", "DestUniqueid": "7.2"}
    takes = {"Event": "DialEnd", **of_call("7.1", number="204"), "DestUniqueid": "7.2", "DialStatus": "ANSWER", "Timestamp": str(AT + 8)}
    ends = {"Event": "Hangup", **of_call("7.1", number="204"), "Cause": "16", "Timestamp": str(AT + 68)}
    facts = heard(begins, dials | {"Timestamp": str(AT + 1)}, takes, ends)
    assert [told.what for told in facts] == ["ringing", "answered", "ended"]
    assert {told.number for told in facts} == {"09127654321"}
    assert facts[0].data["direction"] == "outbound"
    assert facts[0].data["extension"] == "204"
    assert facts[2].data["talk_seconds"] == 60.0


def test_calls_between_our_own_extensions_are_no_customers() -> None:
    begins = {"Event": "Newchannel", **of_call("8.1", number="204"), "Exten": "205"}
    ends = {"Event": "Hangup", **of_call("8.1", number="204"), "Cause": "16"}
    assert heard(begins, ends) == []


def test_a_service_of_the_pbx_that_one_of_us_dials_is_no_call_of_a_customer() -> None:
    for code in ("*97", "*8204", "s", "voicemail"):
        begins = {"Event": "Newchannel", **of_call("8.1", number="204"), "Exten": code}
        assert heard(begins, {"Event": "Hangup", **of_call("8.1", number="204"), "Cause": "16"}) == []
        assert list(cdr.read([leg("8.1", "204", code, by="PJSIP/204-0000001a", to="", app="VoiceMailMain")], "Asia/Tehran")) == []
    assert list(cdr.read([leg("8.2", "", "204", by="PJSIP/204-0000001a", to="", app="Playback")], "Asia/Tehran")) == []


def test_a_withheld_number_is_a_call_of_nobody_in_the_files_too() -> None:
    for shown in ("", "anonymous"):
        facts = list(cdr.read([leg("3.1", shown, "600")], "Asia/Tehran"))
        assert [told.what for told in facts] == ["answered", "ended"]
        assert all("who" not in event(told, "/pbx")["data"] for told in facts)


def test_a_call_that_another_phone_picked_up_is_answered_there() -> None:
    begins = {"Event": "Newchannel", **of_call("9.1"), "Exten": "204", "ChannelState": "4", "Timestamp": str(AT)}
    rings = {"Event": "DialBegin", **of_call("9.1"), "DestChannel": "PJSIP/204-0000001a", "DestUniqueid": "9.2"}
    picks = {"Event": "Newchannel", **of_call("9.3", number="205"), "Exten": "*8204", "ChannelState": "4"}
    taken = {"Event": "DialEnd", **of_call("9.1"), "DestChannel": "PJSIP/205-0000001b", "DestUniqueid": "9.2", "DialStatus": "ANSWER"}
    facts = heard(begins, rings, picks, taken, {"Event": "Hangup", **of_call("9.3", number="205")}, {"Event": "Hangup", **of_call("9.1")})
    assert [(told.what, told.data.get("extension") or told.data.get("agent")) for told in facts] == [
        ("ringing", "204"),
        ("answered", "205"),
        ("ended", "205"),
    ]


def test_a_withheld_number_is_a_call_of_nobody() -> None:
    (queued,) = [told for told in heard(*ringing(number="anonymous")) if told.what == "queued"]
    assert "who" not in event(queued, "/pbx")["data"]


def test_messages_of_calls_that_were_never_heard_of_tell_nothing() -> None:
    assert heard(*hung_up()) == []
    assert heard({"Event": "PeerStatus"}, {"Event": "Newchannel"}, {"Response": "Success"}) == []


def test_calls_that_are_gone_when_we_listen_again_have_ended() -> None:
    calls: Calls = {}
    for message in (*ringing(), *answered(), *ringing("5.1", "5.2", at=AT + 30)):
        hear(calls, message, AT)
    gone, facts = missed(calls, live=[], since=AT + 60)
    assert sorted(gone) == [CALLER, "5.1"]
    assert {(told.call, told.what) for told in facts} == {(CALLER, "ended"), ("5.1", "abandoned")}
    (ended,) = [told for told in facts if told.what == "ended"]
    assert ended.data["outcome"] == "connection_lost"
    assert ended.data["talk_seconds"] == 47.0
    assert calls == {}


def test_calls_that_live_when_we_listen_again_go_on() -> None:
    calls: Calls = {}
    for message in ringing():
        hear(calls, message, AT)
    found(calls, of_call(CALLER), AT + 5)
    assert missed(calls, [CALLER], AT) == ([], [])
    assert [told.what for message in answered() for told in hear(calls, message, AT + 13)[1]] == ["answered"]


def test_a_call_that_began_while_nobody_listened_is_known_from_then_on() -> None:
    calls: Calls = {}
    found(calls, of_call("6.1", Duration="00:01:30", BridgeId="b"), AT)
    facts = hear(calls, {"Event": "Hangup", **of_call("6.1"), "Cause": "16", "Timestamp": str(AT + 10)}, AT)[1]
    assert [told.what for told in facts] == ["ended"]


def test_the_queue_log_tells_the_same_facts_under_the_same_ids() -> None:
    live = {told.id for told in heard(*ringing(), *answered(), *hung_up()) if told.what != "ringing"}
    filed = [told for told in queue_log.read(QUEUE_LOG.splitlines()) if told.call == CALLER]
    assert {told.id for told in filed} == live
    assert filed[-1].data["talk_seconds"] == 90.0
    abandoned = [told for told in queue_log.read(QUEUE_LOG.splitlines()) if told.call == "1795000200.7"][-1]
    assert (abandoned.what, abandoned.data["wait_seconds"]) == ("abandoned", 40.0)


def test_the_cdr_tells_calls_of_several_legs_once() -> None:
    nobody = {"answer": "", "talk": 0, "how": "NO ANSWER", "to": "PJSIP/205-0000001b"}
    facts = list(cdr.read([leg("3.1", "09121234567", "600", **nobody), leg("3.1", "09121234567", "600")], "Asia/Tehran"))
    assert [told.what for told in facts] == ["answered", "ended"]
    assert facts[1].data["talk_seconds"] == 60.0
    assert facts[1].data["agent"] == "204"


def test_a_queue_that_answers_the_line_is_nobody_who_took_the_call() -> None:
    waits = leg("4.1", "09121234567", "600", to="", app="Queue")
    assert [told.what for told in cdr.read([waits], "Asia/Tehran")] == ["abandoned"]


NOBODY: dict[str, Any] = {"answer": "", "talk": 0, "how": "NO ANSWER"}
LOCAL = "Local/204@agents-0000000c"


def test_a_local_channel_inside_the_pbx_is_no_second_call() -> None:
    outer = leg("3.1", "09121234567", "600", to=f"{LOCAL};1")
    inner = leg("3.3", "09121234567", "204", by=f"{LOCAL};2", to="PJSIP/204-0000001a")
    facts = list(cdr.read([inner, outer], "Asia/Tehran"))
    assert [(told.id, told.data.get("extension")) for told in facts] == [("3.1:answered", "204"), ("3.1:ended", None)]
    assert facts[1].data["talk_seconds"] == 60.0


def test_the_phone_behind_a_group_is_who_took_the_call() -> None:
    group = "Local/600@group-0000000c"
    lines = [leg("3.1", "09121234567", "600", to=f"{group};1"), leg("3.3", "09121234567", "600", by=f"{group};2", to="PJSIP/205-0000001b")]
    assert next(cdr.read(lines, "Asia/Tehran")).data["agent"] == "205"


def test_what_a_computer_dialled_is_an_outbound_call_in_the_cdr_too() -> None:
    trunk = "PJSIP/trunk-0000001b"
    by_phone = leg("8.1", "02188880000", "09127654321", by="PJSIP/204-0000002a", to=trunk)
    agent_first = [leg("9.2", "", "204", by=f"{LOCAL};2"), leg("9.1", "02188880000", "09127654321", by=f"{LOCAL};1", to=trunk)]
    to_him = "Local/09127654321@out-0000000d"
    customer_first = [leg("7.2", "", "09127654321", by=f"{to_him};2", to=trunk), leg("7.1", "", "204", by=f"{to_him};1")]
    for id_, lines in (("8.1", [by_phone]), ("9.1", agent_first), ("7.1", customer_first)):
        facts = list(cdr.read(lines, "Asia/Tehran"))
        assert [told.id for told in facts] == [f"{id_}:answered", f"{id_}:ended"]
        assert {told.number for told in facts} == {"09127654321"}
        assert (facts[1].data["direction"], facts[1].data["agent"], facts[1].data["talk_seconds"]) == ("outbound", "204", 60.0)


def test_whom_a_computer_did_not_reach_is_known_where_the_file_says_to_which_call_a_line_belongs() -> None:
    inner = leg("1795000000.8", "", "09127654321", by="Local/09127654321@out-0000000d;2", to="PJSIP/trunk-0000001b", **NOBODY)
    assert list(cdr.read([inner], "Asia/Tehran")) == []
    linked = leg("1795000000.8", "204", "09127654321", by="Local/09127654321@out-0000000d;2", more=',"","1795000000.7","3"', **NOBODY)
    assert [told.id for told in cdr.read([linked], "Asia/Tehran")] == ["1795000000.7:ended"]


SECOND = {
    "to": "PJSIP/205-0000001c",
    "began": "2026-11-18 09:01:10",
    "answer": "2026-11-18 09:01:20",
    "end": "2026-11-18 09:02:00",
    "talk": 40,
}


def test_a_call_that_was_handed_on_has_both_who_took_it_and_all_that_was_talked() -> None:
    lines = [leg("3.1", "09121234567", "600"), leg("3.1", "09121234567", "205", **SECOND)]
    facts = list(cdr.read(lines, "Asia/Tehran"))
    assert [(told.id, told.data["agent"]) for told in facts] == [("3.1:answered", "204"), ("3.1:answered:2", "205"), ("3.1:ended", "205")]
    assert facts[2].data["talk_seconds"] == 100.0


def test_whom_we_called_and_handed_on_is_in_the_same_call() -> None:
    trunk = "PJSIP/trunk-0000001b"
    made = leg("1795000000.7", "204", "09127654321", by="PJSIP/204-0000001a", to=trunk)
    for more in ("", ',"","1795000000.7","2"'):
        handed = leg("1795000000.8", "09127654321", "205", by=trunk, more=more, **SECOND)
        facts = list(cdr.read([made, handed], "Asia/Tehran"))
        assert [told.data["agent"] for told in facts] == ["204", "205", "205"]
        assert {told.call for told in facts} == {"1795000000.7"}


def test_a_question_to_a_colleague_is_no_call_of_the_customer() -> None:
    asked = leg("1795000000.9", "204", "205", by="PJSIP/204-0000001d", to="PJSIP/205-0000001c", more=',"","1795000000.1","2"')
    facts = list(cdr.read([leg("1795000000.1", "09121234567", "600"), asked], "Asia/Tehran"))
    assert [(told.what, told.data["agent"]) for told in facts] == [("answered", "204"), ("ended", "204")]


def test_what_a_queue_handed_on_ends_when_its_cdr_says_so_and_without_one_where_the_queue_stopped() -> None:
    at = 1_795_000_000
    lines = [f"{at + 1}|{CALLER}|sales|NONE|ENTERQUEUE||09121234567|1", f"{at + 13}|{CALLER}|sales|maryam|CONNECT|12|{at}.2|10"]
    lines += [f"{at + 73}|{CALLER}|sales|maryam|BLINDTRANSFER|205|from-internal|12|60|1"]
    alone = list(queue_log.read(lines))
    assert (alone[-1].what, alone[-1].data["talk_seconds"], alone[-1].data["agent"]) == ("ended", 60.0, "maryam")
    again = leg(CALLER, "09121234567", "205", **SECOND)
    facts = merged(queue_log.read(lines), cdr.read([leg(CALLER, "09121234567", "600", talk=70), again], "Asia/Tehran"))
    assert sorted(told.id for told in facts) == [f"{CALLER}:{end}" for end in ("answered", "answered:2", "ended", "queued:sales")]
    (end,) = [told for told in facts if told.what == "ended"]
    assert (end.data["talk_seconds"], end.data["agent"], end.data["queue"]) == (100.0, "205", "sales")
    waits = [f"{at + 80}|{CALLER}|support|NONE|ENTERQUEUE||09121234567|1", f"{at + 99}|{CALLER}|support|NONE|ABANDON|1|1|19"]
    assert [told.what for told in merged(queue_log.read([*lines, *waits]), [])] == ["queued", "answered", "queued", "abandoned"]


def test_an_attended_transfer_in_the_queue_log_counts_what_was_talked_before_it() -> None:
    line = f"1795000073|{CALLER}|sales|maryam|ATTENDEDTRANSFER|BRIDGE|4f1-b|12|60|1"
    assert [told.data["talk_seconds"] for told in queue_log.read([line])] == [60.0]


def test_what_both_files_know_is_told_once_and_the_queue_log_wins() -> None:
    facts = merged(
        queue_log.read(QUEUE_LOG.splitlines()),
        cdr.read([leg(CALLER, "09121234567", "600", talk=102), leg("3.1", "09127654321", "600")], "Asia/Tehran"),
    )
    ends = [(told.call, told.data.get("talk_seconds")) for told in facts if told.what in {"ended", "abandoned"}]
    assert sorted(ends, key=str) == [("1795000000.1", 90.0), ("1795000200.7", None), ("3.1", 60.0)]
    assert len({told.id for told in facts}) == len(facts)


def test_lines_that_are_broken_are_passed_over() -> None:
    assert list(queue_log.read(["", "x|y", "1795000001|1.1|q|a|COMPLETECALLER"])) != []
    assert list(cdr.read(["", "a,b", '"unfinished'], "Asia/Tehran")) == []
