"""Transfers, calls that a program originates, and phones behind Local channels: sequences as Asterisk 20 sends them, one call each."""

from typing import Any

from infra.asterisk.call import Told
from infra.asterisk.calls import Calls, found, hear, missed
from tests.asterisk.pbx import AGENT, AT, CALLER, Said, answered, of_call, ringing

NUMBER, OTHER = "09121234567", "09127654321"


def on(name: str, id_: str, *, at: float, linked: str = CALLER, number: str = NUMBER, **fields: str) -> Said:
    """What an event says of a channel of this name."""
    return of_call(id_, linked=linked, number=number, **fields) | {"Channel": name, "Timestamp": str(AT + at)}


def new(name: str, id_: str, *, at: float, linked: str = "", number: str = "", state: str = "0", exten: str = "") -> Said:
    """A channel begins: Down (0) when Asterisk dials it, Ring (4) when somebody dials us."""
    return {"Event": "Newchannel", **on(name, id_, at=at, linked=linked or id_, number=number), "ChannelState": state, "Exten": exten}


def dials(by: Said, name: str, id_: str, string: str, *, at: float) -> Said:
    """One channel dials another."""
    to = {"DestChannel": name, "DestUniqueid": id_, "DestLinkedid": by.get("Linkedid", id_), "DialString": string}
    return by | {"Event": "DialBegin", **to, "Timestamp": str(AT + at)}


def takes(by: Said, name: str, id_: str, *, at: float, status: str = "ANSWER") -> Said:
    """And is answered, or not."""
    to = {"DestChannel": name, "DestUniqueid": id_, "DestLinkedid": by.get("Linkedid", id_), "DialStatus": status}
    return by | {"Event": "DialEnd", **to, "Timestamp": str(AT + at)}


def ends(id_: str, *, at: float, linked: str = CALLER, cause: str = "16") -> Said:
    """A channel is over."""
    return {"Event": "Hangup", **on("PJSIP/any-00000001", id_, at=at, linked=linked), "Cause": cause}


def completes(at: float, talk: int, reason: str) -> Said:
    """The queue is done with a call."""
    return {
        "Event": "AgentComplete",
        **on("PJSIP/trunk-00000001", CALLER, at=at),
        "Queue": "sales",
        "TalkTime": str(talk),
        "Reason": reason,
    }


def blind(at: float, transferee: str = CALLER, linked: str = CALLER, to: str = "205") -> Said:
    """The agent sends the other one to an extension."""
    transferer = {"TransfererUniqueid": AGENT, "TransfererLinkedid": linked, "TransfererChannel": "PJSIP/204-0000001a"}
    whom = {"TransfereeUniqueid": transferee, "TransfereeLinkedid": linked, "TransfereeChannel": "PJSIP/trunk-00000001"}
    return {"Event": "BlindTransfer", "Result": "Success", **transferer, **whom, "Extension": to, "Timestamp": str(AT + at)}


def attended(at: float, second: str = "5.1", linked: str = "5.1", target: str = "PJSIP/205-0000001e", **more: str) -> Said:
    """The agent joins his two calls, and leaves."""
    first = {"OrigTransfererUniqueid": AGENT, "OrigTransfererLinkedid": CALLER, "OrigTransfererChannel": "PJSIP/204-0000001a"}
    asked = {"SecondTransfererUniqueid": second, "SecondTransfererLinkedid": linked, "SecondTransfererChannel": "PJSIP/204-0000001d"}
    told = {"Event": "AttendedTransfer", "Result": "Success", "TransferTargetChannel": target, "DestType": "Bridge"}
    return told | first | asked | {"Timestamp": str(AT + at)} | more


def asks(answers: bool = True) -> list[Said]:
    """Maryam (204) asks 205 in a call of its own, while the customer waits."""
    own = new("PJSIP/204-0000001d", "5.1", at=60, number="204", state="4", exten="205")
    to = ("PJSIP/205-0000001e", "5.2")
    asking = [own, new(*to, at=60, linked="5.1", number="205"), dials(own, *to, "205", at=60)]
    return [*asking, takes(own, *to, at=65)] if answers else asking


def heard(*messages: Said) -> tuple[list[Told], Calls]:
    calls: Calls = {}
    return [told for message in messages for told in hear(calls, message, AT)[1]], calls


def short(facts: list[Told]) -> list[tuple[str, Any]]:
    """What happened, and whose phone it was at or how long it took."""
    return [(told.what, told.data.get("extension") or told.data.get("talk_seconds")) for told in facts]


TALKS = [("queued", None), ("ringing", "204"), ("answered", "204")]


def test_who_is_sent_on_blindly_is_rung_answered_and_talked_with_by_the_second_agent() -> None:
    caller = on("PJSIP/trunk-00000001", CALLER, at=73)
    to = ("PJSIP/205-0000001c", "1.9")
    rest = [dials(caller, *to, "205", at=73), takes(caller, *to, at=80), ends("1.9", at=140), ends(CALLER, at=140)]
    sent = [blind(73), completes(73, 60, "transfer"), ends(AGENT, at=73)]
    facts, calls = heard(*ringing(), *answered(), *sent, *rest)
    assert short(facts) == [*TALKS, ("ringing", "205"), ("answered", "205"), ("ended", 120.0)]
    assert [told.part for told in facts if told.what == "answered"] == ["", "2"]
    assert (facts[-1].data["agent"], facts[-1].data["queue"], facts[-1].data["wait_seconds"]) == ("205", "sales", 12.0)
    assert calls == {}


def test_it_does_not_matter_whether_the_queue_or_the_transfer_is_heard_of_first() -> None:
    rest = [ends(AGENT, at=73), ends(CALLER, at=95)]
    one, _ = heard(*ringing(), *answered(), blind(73), completes(73, 60, "transfer"), *rest)
    other, _ = heard(*ringing(), *answered(), completes(73, 60, "transfer"), blind(73), *rest)
    assert one == other
    assert one[-1].data["talk_seconds"] == 60.0  # nobody took it after that


def test_who_takes_a_call_by_an_attended_transfer_is_told_and_the_question_is_no_call() -> None:
    gone = [completes(90, 77, "transfer"), ends(AGENT, at=90), ends("5.1", at=90)]
    facts, calls = heard(*ringing(), *answered(), *asks(), attended(90), *gone, ends("5.2", at=150), ends(CALLER, at=150))
    assert short(facts) == [*TALKS, ("answered", "205"), ("ended", 137.0)]
    assert facts[-1].data["agent"] == "205"
    assert calls == {}


def test_a_transfer_while_it_still_rings_is_answered_in_the_customers_call() -> None:
    """The one who was asked answers in the call that began as a question; it is the customer's by now."""
    question = on("PJSIP/204-0000001d", "5.1", at=66, linked="5.1", number="204")
    done = attended(66, target="", DestType="App", DestApp="Dial")
    rest = [ends("5.1", at=66, linked="5.1"), takes(question, "PJSIP/205-0000001e", "5.2", at=70), ends(CALLER, at=100)]
    facts, calls = heard(*ringing(), *answered(), *asks(answers=False), done, completes(66, 53, "transfer"), *rest)
    assert short(facts) == [*TALKS, ("answered", "205"), ("ended", 83.0)]
    assert calls == {}


def test_a_transfer_by_feature_code_is_answered_when_it_is_done_and_not_when_it_is_asked_for() -> None:
    behind = on("Local/205@from-internal-00000003;2", "6.2", at=60)
    to = ("PJSIP/205-0000001e", "6.3")
    local = [new("Local/205@from-internal-00000003;1", "6.1", at=60, linked=CALLER), new(behind["Channel"], "6.2", at=60, linked=CALLER)]
    asked = [*local, dials(behind, *to, "205", at=60), takes(behind, *to, at=64)]
    before, calls = heard(*ringing(), *answered(), *asked)
    assert short(before) == [*TALKS, ("ringing", "205")]
    done = attended(90, second=AGENT, linked=CALLER, target="Local/205@from-internal-00000003;1")
    after = [told for message in (done, ends(AGENT, at=90), ends(CALLER, at=100)) for told in hear(calls, message, AT)[1]]
    assert short(after) == [("answered", "205"), ("ended", 87.0)]


def test_a_transfer_that_fails_or_is_taken_back_changes_nothing() -> None:
    kept = [ends("5.2", at=80, linked="5.1"), ends("5.1", at=80, linked="5.1"), completes(103, 90, "caller"), ends(CALLER, at=103)]
    facts, calls = heard(*ringing(), *answered(), *asks(), attended(79, Result="Fail", DestType="Fail"), *kept)
    assert short(facts) == [*TALKS, ("ended", 90.0)]
    assert calls == {}


def test_a_call_that_we_made_and_handed_on_ends_with_the_customer() -> None:
    """The channel that began it was the agent's, and is gone before."""
    own = new("PJSIP/204-0000001a", "7.1", at=0, number="204", state="4", exten=OTHER)
    trunk, to = ("PJSIP/trunk-0000001b", "7.2"), ("PJSIP/205-0000001c", "7.3")
    made = [own, new(*trunk, at=1, linked="7.1"), dials(own, *trunk, f"{OTHER}@trunk", at=1), takes(own, *trunk, at=8)]
    customer = on(*trunk, at=60, linked="7.1", number=OTHER)
    passed = blind(58, transferee="7.2", linked="7.1") | {"TransfererUniqueid": "7.1"}
    rest = [passed, dials(customer, *to, "205", at=58), ends("7.1", at=58, linked="7.1"), takes(customer, *to, at=63)]
    over = [new(*to, at=58, linked="7.1"), ends("7.2", at=93, linked="7.1"), ends("7.3", at=93, linked="7.1")]
    facts, calls = heard(*made, *rest[:2], over[0], *rest[2:], *over[1:])
    assert short(facts) == [("ringing", "204"), ("answered", "204"), ("ringing", "205"), ("answered", "205"), ("ended", 80.0)]
    assert {told.number for told in facts} == {OTHER}
    assert calls == {}


def dest_only(name: str, id_: str, string: str) -> Said:
    """Who is dialled first by a program is dialled by no channel."""
    return {"DestChannel": name, "DestUniqueid": id_, "DestLinkedid": id_, "DialString": string}


def test_a_click_that_calls_the_agent_first_is_one_outbound_call_to_the_customer() -> None:
    agent, trunk = ("PJSIP/204-0000002a", "8.1"), ("PJSIP/trunk-0000002b", "8.2")
    leg = on(*agent, at=5, linked="8.1", number="02188880000")  # what the agent's phone was told to show
    first = [
        new(*agent, at=0, number="<unknown>"),
        {"Event": "NewCallerid", **leg, "Exten": ""},
        {"Event": "DialBegin", **dest_only(*agent, "204"), "Timestamp": str(AT)},
        {"Event": "DialEnd", **dest_only(*agent, "204"), "DialStatus": "ANSWER", "Timestamp": str(AT + 5)},
    ]
    second = [new(*trunk, at=6, linked="8.1"), dials(leg, *trunk, f"{OTHER}@trunk", at=6), takes(leg, *trunk, at=12)]
    facts, calls = heard(*first, *second, ends("8.2", at=72, linked="8.1"), ends("8.1", at=72, linked="8.1"))
    assert short(facts) == [("ringing", "204"), ("answered", "204"), ("ended", 60.0)]
    assert {(told.number, told.data.get("direction", "outbound")) for told in facts} == {(OTHER, "outbound")}
    assert facts[1].data["agent"] == "204"
    assert calls == {}


def test_an_agent_who_does_not_pick_up_makes_no_call_of_anybody() -> None:
    agent = ("PJSIP/204-0000002a", "8.1")
    rings = {"Event": "DialBegin", **dest_only(*agent, "204"), "Timestamp": str(AT)}
    assert heard(new(*agent, at=0, number=OTHER), rings, ends("8.1", at=20, linked="8.1", cause="19")) == ([], {})


def test_a_computer_that_calls_the_customer_first_puts_him_through_to_an_agent() -> None:
    customer, agent = ("PJSIP/trunk-0000002a", "8.1"), ("PJSIP/204-0000002b", "8.2")
    leg = on(*customer, at=9, linked="8.1", number="204")
    first = [new(*customer, at=0), {"Event": "DialBegin", **dest_only(*customer, f"{OTHER}@trunk"), "Timestamp": str(AT)}]
    second = [dials(leg, *agent, "204", at=9), takes(leg, *agent, at=12)]
    facts, _ = heard(*first, *second, ends("8.2", at=42, linked="8.1"), ends("8.1", at=42, linked="8.1"))
    assert short(facts) == [("ringing", "204"), ("answered", "204"), ("ended", 30.0)]
    assert {told.number for told in facts} == {OTHER}


def test_whom_nobody_reaches_was_called_and_did_not_answer() -> None:
    customer = ("PJSIP/trunk-0000002a", "8.1")
    rings = {"Event": "DialBegin", **dest_only(*customer, f"trunk/{OTHER}"), "Timestamp": str(AT)}
    facts, _ = heard(new(*customer, at=0), rings, ends("8.1", at=30, linked="8.1", cause="17"))
    assert [(told.what, told.number, told.data["outcome"]) for told in facts] == [("ended", OTHER, "busy")]


def test_a_program_that_dials_by_local_channels_makes_one_call_whichever_leg_is_first() -> None:
    for name, inner, outer in (
        ("Local/204@from-internal-00000007", ("PJSIP/204-0000002b", "204"), ("PJSIP/trunk-0000002c", f"{OTHER}@trunk")),
        (f"Local/{OTHER}@from-internal-00000007", ("PJSIP/trunk-0000002b", f"{OTHER}@trunk"), ("PJSIP/204-0000002c", "204")),
    ):
        one, two = on(f"{name};1", "9.1", at=0, linked="9.1"), on(f"{name};2", "9.2", at=0, linked="9.1")
        begins = [new(f"{name};1", "9.1", at=0), new(f"{name};2", "9.2", at=0, linked="9.1", state="4")]
        first = [dials(two, inner[0], "9.3", inner[1], at=1), takes(two, inner[0], "9.3", at=4)]
        second = [dials(one, outer[0], "9.4", outer[1], at=5), takes(one, outer[0], "9.4", at=10)]
        facts, calls = heard(*begins, *first, *second, *(ends(f"9.{number}", at=70, linked="9.1") for number in (4, 3, 2, 1)))
        assert short(facts) == [("ringing", "204"), ("answered", "204"), ("ended", 60.0)]
        assert {told.number for told in facts} == {OTHER}
        assert calls == {}


def test_a_phone_behind_a_local_channel_rings_and_answers_once() -> None:
    caller, to = on("PJSIP/trunk-00000001", CALLER, at=2), "Local/204@follow-me-00000005"
    behind = on(f"{to};2", "3.2", at=2)
    begins = new(caller["Channel"], CALLER, at=0, number=NUMBER, state="4", exten="204")
    rings = [dials(caller, f"{to};1", "3.1", "204@follow-me", at=2), dials(behind, "PJSIP/204-0000000b", "3.3", "204", at=2)]
    mobile = dials(behind, "PJSIP/trunk-0000000c", "3.4", "09350000000@trunk", at=2)
    both = [takes(behind, "PJSIP/204-0000000b", "3.3", at=8), takes(caller, f"{to};1", "3.1", at=8)]
    facts, _ = heard(begins, *rings, mobile, *both, ends(CALLER, at=68))
    assert short(facts) == [("ringing", "204"), ("answered", "204"), ("ended", 60.0)]
    assert {told.number for told in facts} == {NUMBER}


def test_each_phone_of_a_group_behind_a_local_channel_rings() -> None:
    caller, to = on("PJSIP/trunk-00000001", CALLER, at=2), "Local/600@ring-group-00000005"
    behind = on(f"{to};2", "3.2", at=2)
    begins = new(caller["Channel"], CALLER, at=0, number=NUMBER, state="4", exten="600")
    group = [dials(behind, f"PJSIP/{number}-0000000b", f"3.{number}", str(number), at=2) for number in (204, 205)]
    both = [takes(behind, "PJSIP/205-0000000b", "3.205", at=8), takes(caller, f"{to};1", "3.1", at=8)]
    facts, _ = heard(begins, dials(caller, f"{to};1", "3.1", "600@ring-group", at=2), *group, *both, ends(CALLER, at=68))
    assert short(facts) == [("ringing", "600"), ("ringing", "204"), ("ringing", "205"), ("answered", "205"), ("ended", 60.0)]


def test_a_number_that_the_dialplan_finds_out_is_the_callers_and_one_that_it_shows_is_not() -> None:
    begins = new("PJSIP/trunk-00000001", CALLER, at=0, number="<unknown>", state="4", exten="s")
    known = {"Event": "NewCallerid", **on("PJSIP/trunk-00000001", CALLER, at=1), "Exten": "s"}
    joins = {"Event": "QueueCallerJoin", **on("PJSIP/trunk-00000001", CALLER, at=2), "Queue": "sales", "Position": "1"}
    shown = known | {"CallerIDNum": "02188880000"}
    facts, _ = heard(begins, known, joins, shown, {"Event": "Hangup", **on("x", CALLER, at=9)})
    assert [(told.what, told.number) for told in facts] == [("queued", NUMBER), ("abandoned", NUMBER)]


def test_a_phone_that_is_known_by_a_name_and_gets_its_extension_later_makes_an_outbound_call() -> None:
    name = ("PJSIP/softphone-00000001", "4.1")
    begins = new(*name, at=0, number="softphone", state="4", exten=OTHER)
    known = {"Event": "NewCallerid", **on(*name, at=0, linked="4.1", number="204"), "Exten": OTHER}
    calls = dials(known, "PJSIP/trunk-00000002", "4.2", f"{OTHER}@trunk", at=1)
    facts, _ = heard(begins, known, calls, ends("4.1", at=20, linked="4.1", cause="19"))
    assert [(told.what, told.number, told.data["direction"]) for told in facts] == [
        ("ringing", OTHER, "outbound"),
        ("ended", OTHER, "outbound"),
    ]


def test_a_call_that_was_handed_on_is_one_call_also_after_the_line_to_the_pbx_was_lost() -> None:
    _, calls = heard(*ringing(), *answered(), *asks(), attended(90), ends(AGENT, at=90), ends("5.1", at=90))
    assert list(calls) == [CALLER]
    assert found(calls, on("PJSIP/205-0000001e", "5.2", at=95, linked="5.1"), AT + 95) == CALLER
    gone, facts = missed(calls, live=[], since=AT + 100)
    assert (gone, short(facts)) == ([CALLER], [("ended", 87.0)])
