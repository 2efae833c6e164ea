"""Mistakes in rules and policies: line, pointer, the nearest valid word, in English and Persian."""

import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aggregates.contact_policy import reading as policies
from aggregates.rules import reading, segment
from aggregates.written.messages import MESSAGES
from aggregates.written.node import Node, parse
from aggregates.written.problem import Problem

GOOD = """
- rule: many
  when: {count: service.request_opened, more_than: 3, within: 30d}
  do: {notify: team:retention}
"""


def problems(text: str) -> list[tuple[int, str, str, str]]:
    return [(one.line, one.pointer, one.code, one.suggestion) for one in reading.read(text, "Asia/Tehran").problems]


@pytest.mark.parametrize(
    ("written", "instead", "found"),
    [
        ("when:", "wen:", (3, "/0/wen", "unknown_word", "when")),
        ("more_than", "more_then", (3, "/0/when/more_then", "unknown_word", "more_than")),
        ("count:", "coutn:", (3, "/0/when/coutn", "unknown_word", "count")),
        ("within: 30d", "in: monht", (3, "/0/when/in", "unknown_choice", "month")),
        ("within: 30d", "within: 30", (3, "/0/when/within", "no_duration", "30d")),
        ("within: 30d", "within: 99999d", (3, "/0/when/within", "duration_too_long", "")),
        ("within: 30d", "within: 0d", (3, "/0/when/within", "duration_zero", "")),
        ("within: 30d", "within: 30d, in: month", (3, "/0/when", "exactly_one", "")),
        (", within: 30d", "", (3, "/0/when", "exactly_one", "")),
        ("more_than: 3", "more_than: 3, at_least: 4", (3, "/0/when", "exactly_one", "")),
        ("more_than: 3", "more_than: many", (3, "/0/when/more_than", "not_whole", "")),
        ("more_than: 3", "more_than: 3, absent: call.ended", (3, "/0/when/absent", "not_together", "")),
        ("service.request_opened", "requests!", (3, "/0/when/count", "no_type", "")),
        ("service.request_opened", "x.y, where: 'data.total >> 5'", (3, "/0/when/where", "cel_unreadable", "")),
        ("service.request_opened", "x.y, where: 'total > 5'", (3, "/0/when/where", "cel_name", "data.total")),
        ("service.request_opened", "x.y, where: 'data.a.startWith(\"b\")'", (3, "/0/when/where", "cel_method", "startsWith")),
        ("service.request_opened", "x.y, where: 'siz(data.a) > 1'", (3, "/0/when/where", "cel_function", "size")),
        ("service.request_opened", "x.y, where: {page: [a]}", (3, "/0/when/where/page", "no_value", "")),
        ("{notify: team:retention}", "{notfy: team:retention}", (4, "/0/do/notfy", "unknown_word", "notify")),
        ("{notify: team:retention}", "tell them", (4, "/0/do", "not_mapping", "")),
        ("{notify: team:retention}", "{contact: a, prefer: [an sms]}", (4, "/0/do/prefer/0", "no_word", "an_sms")),
        ("  do:", "  holdout: 0.1\n  do:", (4, "/0/holdout", "no_percent", "10%")),
        ("more_than: 3", 'more_than: "3.5"', (3, "/0/when/more_than", "not_whole", "")),
        ("more_than: 3", "more_than: ۳", (3, "/0/when/more_than", "not_whole", "3")),
        ("  do:", "  holdout: ۱۰٪\n  do:", (4, "/0/holdout", "no_percent", "10%")),
        ("  do:", "  if: {score: churn, below: ۰٫۵}\n  do:", (4, "/0/if/below", "not_number", "0.5")),
        ("  do:", "  holdout: 150%\n  do:", (4, "/0/holdout", "no_percent", "")),
        ("  do:", "  cooldown: 2 month\n  do:", (4, "/0/cooldown", "no_duration", "")),
        ("within: 30d", "within: 7 Days", (3, "/0/when/within", "no_duration", "7d")),
        ("within: 30d", "within: ۳ روز", (3, "/0/when/within", "no_duration", "3d")),
        ("  do:", "  unless: {event: a.b, since: firstmatch}\n  do:", (4, "/0/unless/since", "unknown_choice", "first_match")),
        ("  do:", "  if: {percentile: value, at_lest: 90}\n  do:", (4, "/0/if/at_lest", "unknown_word", "at_least")),
        ("rule: many", "rule: many of them", (2, "/0/rule", "no_name", "many-of-them")),
        ("rule: many", "rule: many\n  rule: more", (3, "/0/rule", "twice", "")),
        ("  do: {notify: team:retention}\n", "", (2, "/0", "missing", "")),
        ("within: 30d}", "within: 30d", (4, "", "not_closed", "")),
    ],
)
def test_a_mistake_is_shown_in_its_line_at_its_pointer_with_the_nearest_word(
    written: str, instead: str, found: tuple[int, str, str, str]
) -> None:
    assert problems(GOOD) == []
    assert written in GOOD
    assert found in problems(GOOD.replace(written, instead, 1))


@pytest.mark.parametrize(
    ("text", "line", "code", "said"),
    [
        ("rule: x\nwhen: {count: a.b", 2, "not_closed", "{ opens in line 2"),
        ("rule: x\nif: [1,\n  2\ndo: y", 4, "not_closed", "[ opens in line 2"),
        ("rule: 'x\n", 2, "quote_not_closed", "opens in line 1"),
        ("rule: x: y", 1, "colon_astray", "into quotes"),
        ("rule:\n\twhen: x", 2, "tabs", "spaces"),
        ("rule: x\nprefer: @home", 2, "character_astray", "begins with @"),
        ("rule: *", 1, "character_astray", "begins with *"),
        ("rule: *x", 1, "character_astray", "begins with *"),
        ("rule: {a: 1,, }", 1, "character_astray", "begins with ,"),
        ("- rule: x\nwhen: y", 2, "line_astray", "indented"),
        ("rule: \x01", 1, "unreadable", "neither YAML nor JSON"),
    ],
)
def test_of_a_text_that_is_no_yaml_it_is_said_what_to_mend_in_both_languages(text: str, line: int, code: str, said: str) -> None:
    (problem,) = reading.read(text, "Asia/Tehran").problems
    assert (problem.line, problem.code) == (line, code)
    assert said in problem.message("en")
    assert not set(problem.message("fa").lower()) & set("abdefghijklmnpqrstuvwxyz") - set("yamljsontab")


def test_all_mistakes_of_a_text_are_told_together() -> None:
    text = GOOD.replace("30d", "x").replace("notify", "tell").replace("many", "so many")
    assert [code for _, _, code, _ in problems(text)] == ["no_name", "no_duration", "unknown_word", "exactly_one"]


def test_that_two_rules_have_one_name_is_told_though_one_of_them_has_another_mistake() -> None:
    wrong = GOOD.replace("30d", "x")
    for text in (wrong + GOOD, GOOD + wrong):
        assert sorted(code for _, _, code, _ in problems(text)) == ["no_duration", "same_name"]
    assert [code for _, _, code, _ in problems(GOOD.replace("rule: many", "rule: ''") * 2)] == ["empty", "empty"]


@pytest.mark.parametrize(
    ("instead", "found"),
    [
        ("{count: a.b, at_leest: 3, within: 30dd}", [("at_leest", "at_least"), ("within", "")]),
        ("{count: a.b, at_leest: 3, in: monht}", [("at_leest", "at_least"), ("in", "month")]),
        ("{count: a.b, more_than: x, witin: 30d}", [("witin", "within"), ("more_than", "")]),
        ("{count: a.b, more_than: x, within: y, absent: a.c}", [("absent", ""), ("more_than", ""), ("within", "")]),
        ("{count: a.b, more_than: 1, within: 30dd, in: monht}", [("in", "month"), ("within", ""), ("", "")]),
        ("{coutn: no type, at_least: 3, within: 30dd}", [("coutn", "count"), ("", ""), ("coutn", ""), ("within", "")]),
        ("{after: a.b, absnt: a.c, for: 14}", [("absnt", "absent"), ("for", "14d")]),
        ("{score: churn, rises: 0.7, rearm_below: low}", [("rises", "rises_to"), ("rearm_below", "")]),
        ("{segment: '', chnge: left}", [("chnge", "change"), ("segment", "")]),
        ("{sequence: [a.b, {evnt: a.c, where: 'data.x >> 1'}], within: 1}", [("sequence/1/evnt", "event"), ("sequence/1", ""),
            ("sequence/1/where", ""), ("within", "1d")]),
    ],
)  # fmt: skip
def test_a_word_that_is_not_known_hides_nothing_else_that_is_wrong(instead: str, found: list[tuple[str, str]]) -> None:
    text = GOOD.replace("{count: service.request_opened, more_than: 3, within: 30d}", instead)
    expected = sorted((f"/0/when/{name}" if name else "/0/when", suggestion) for name, suggestion in found)
    assert sorted((pointer, suggestion) for _, pointer, _, suggestion in problems(text)) == expected


def test_what_is_missing_hides_nothing_else_that_is_wrong() -> None:
    acts = GOOD.replace("{notify: team:retention}", "{contct: a, purpose: 'a b', prefer: [an sms]}")
    assert {pointer for _, pointer, _, _ in problems(acts)} == {"/0/do/contct", "/0/do", "/0/do/purpose", "/0/do/prefer/0"}
    stops = GOOD.replace("  do:", "  unless: {evnt: a.b, since: firstmatch, where: '>>'}\n  do:")
    assert {pointer for _, pointer, _, _ in problems(stops)} == {"/0/unless/evnt", "/0/unless", "/0/unless/since", "/0/unless/where"}
    policy = "policy: contact\ncaps: [{chanels: all, max: many, within: 7}]\nquiet: {frm: '21:00', to: '9', expires: 2}\n"
    pointers = {one.pointer for one in policies.read(policy).problems}
    capped = {"/caps/0", "/caps/0/chanels", "/caps/0/max", "/caps/0/within"}
    assert pointers == capped | {"/quiet", "/quiet/frm", "/quiet/to", "/quiet/expires"}


def test_where_one_rule_may_stand_each_other_is_a_mistake_in_its_line() -> None:
    read = reading.read_one(GOOD + GOOD.replace("many", "more"), "Asia/Tehran")
    assert [(one.line, one.pointer, one.code) for one in read.problems] == [(6, "/1", "many_rules")]
    assert read.rules == ()
    assert reading.read_one(GOOD, "Asia/Tehran").rules == reading.read(GOOD, "Asia/Tehran").rules


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("time - timestamp(data.at) > duration('7d')", ("duration", "7d", "168h")),
        ("data.name.matches('(a')", ("matches", "(a", "")),
        ("matches(data.name, '(a') || data.x == 1", ("matches", "(a", "")),
        ("time.getHours('Asia/Teheran') > 8", ("getHours", "Asia/Teheran", "")),
        ("time > timestamp('yesterday')", ("timestamp", "yesterday", "")),
    ],
)
def test_a_text_that_never_has_a_value_is_hinted_at(expression: str, found: tuple[str, str, str]) -> None:
    rule = GOOD.replace("service.request_opened", f'{{event: a.b, where: "{expression}"}}')
    read = reading.read(rule, "Asia/Tehran")
    assert (len(read.rules), read.problems) == (1, ())
    (hint,) = read.hints
    assert (hint.line, hint.pointer, hint.code) == (3, "/0/when/count/where", "cel_never")
    assert (hint.words["word"], hint.words["given"], hint.suggestion) == found


def test_texts_that_have_a_value_or_may_have_one_are_not_hinted_at() -> None:
    fine = (
        "time.getHours('+03:30') > 8 && data.a.matches('^a') && data.a.matches(data.b) && duration('168h') > time - timestamp('2026-01-01')"
    )
    assert reading.read(GOOD.replace("service.request_opened", f'{{event: a.b, where: "{fine}"}}'), "Asia/Tehran").hints == ()


def test_a_name_that_is_nearly_a_usual_one_is_hinted_at_and_any_other_is_ones_own() -> None:
    rule = GOOD.replace("{notify: team:retention}", "{contact: a, purpose: markting, prefer: [custmer, kiosk, fax, emial]}")
    read = reading.read(rule, "Asia/Tehran")
    assert read.problems == ()
    found = [(one.line, one.pointer, one.code, one.suggestion) for one in read.hints]
    assert found == [
        (4, "/0/do/purpose", "unusual_word", "marketing"),
        (4, "/0/do/prefer/0", "unusual_word", "customer"),
        (4, "/0/do/prefer/3", "unusual_word", "email"),
    ]
    policy = "policy: contact\npriority: [markting, survey]\ncounts: [emial, sms]\ncaps: [{channels: [cal], max: 1, within: 7d}]\n"
    policy += "block_while: {in_call: sm}\nbudget: {amount: 1, costs: {smss: 1, fax: 2}}\n"
    hints = policies.read(policy).hints
    assert sorted((one.pointer, one.suggestion) for one in hints) == [
        ("/block_while/in_call", "sms"),
        ("/budget/costs/smss", "sms"),
        ("/caps/0/channels/0", "call"),
        ("/counts/0", "email"),
        ("/priority/0", "marketing"),
    ]
    assert policies.read(policy).policy is not None


WAITED = """
rule: waits
when: {sequence: [web.pageview, {event: web.page_viewed, where: {pagee: price, url: /}}, shop.order_placed], within: 2d}
if: [{consent: markting, channel: smss}, {score: chrun, below: 0.5}, {not: {percentile: valu, at_least: 90}}]
unless: [call.anwsered, {event: sales.order_placed, where: 'data.totl > 5 || has(data.campain) || data.totl < data.total'}]
do: {notify: team}
"""


def test_what_is_waited_for_and_nearly_a_name_of_a_contract_is_hinted_at_since_it_would_never_come() -> None:
    read = reading.read(WAITED, "UTC")
    assert read.problems == ()
    assert [(one.line, one.pointer, one.words["word"], one.suggestion) for one in sorted(read.hints, key=lambda one: one.line)] == [
        (3, "/when/sequence/0", "web.pageview", "web.page_viewed"),
        (3, "/when/sequence/1/where/pagee", "pagee", "page"),
        (4, "/if/0/consent", "markting", "marketing"),
        (4, "/if/0/channel", "smss", "sms"),
        (4, "/if/1/score", "chrun", "churn"),
        (4, "/if/2/not/percentile", "valu", "value"),
        (5, "/unless/0", "call.anwsered", "call.answered"),
        (5, "/unless/1/where", "totl", "total"),
        (5, "/unless/1/where", "campain", "campaign"),
    ]


def test_a_score_that_is_a_share_and_is_asked_for_in_parts_of_a_hundred_is_hinted_at() -> None:
    rule = "rule: a\nwhen: {score: churn, rises_to: 70, rearm_below: 0.6}\nif: [{score: churn, below: 900}, {score: value, at_least: 90}]\n"
    read = reading.read(f"{rule}do: {{notify: team:crm}}\n", "UTC")
    assert [(one.line, one.pointer, one.code, one.suggestion) for one in read.hints] == [
        (2, "/when/rises_to", "share", "0.7"),
        (3, "/if/0/below", "share", ""),
    ]


def test_a_holdout_of_what_only_tells_our_own_people_is_hinted_at() -> None:
    told = GOOD.replace("  do:", "  holdout: 10%\n  do:")
    assert [(one.line, one.pointer, one.code) for one in reading.read(told, "UTC").hints] == [(4, "/0/holdout", "keeps_nobody")]
    for fine in (told.replace("10%", "0%"), told.replace("{notify: team:retention}", "{contact: a}")):
        assert reading.read(fine, "UTC").hints == ()


@pytest.mark.parametrize(
    ("type_", "where", "meant"),
    [
        ("call.answered", "extension: 101", '"101"'),
        ("call.answered", 'extension: "101"', None),
        ("call.answered", "agent: true", '"true"'),
        ("call.ringing", "direction: inbond", "inbound"),
        ("call.ringing", "direction: outbound", None),
        ("call.ended", 'talk_seconds: "60"', "60"),
        ("call.ended", "talk_seconds: 60", None),
        ("call.ended", "talk_seconds: true", ""),
        ("sales.order_placed", "total: 500", None),
        ("sales.order_placed", 'total: "500"', None),
        ("sales.order_placed", "lines: 3", ""),
        ("a.b", "extension: 101", None),
    ],
)
def test_what_a_field_never_is_is_hinted_at(type_: str, where: str, meant: str | None) -> None:
    read = reading.read(GOOD.replace("service.request_opened", f"{{event: {type_}, where: {{{where}}}}}"), "UTC")
    assert read.problems == ()
    assert [(one.code, one.suggestion) for one in read.hints] == ([] if meant is None else [("never_equal", meant)])


def test_a_cap_that_would_never_bind_is_hinted_at() -> None:
    policy = "policy: contact\ncounts: [sms, push]\ncaps:\n- {channels: [sms, Call, push], max: 1, within: 7d}\n"
    policy += "- {channels: email, max: 1, within: 7d}\n- {channels: al, max: 1, within: 7d}\n"
    read = policies.read(policy)
    assert read.policy is not None
    assert sorted((one.pointer, one.code, one.suggestion) for one in read.hints) == [
        ("/caps/0/channels/1", "not_counted", ""),
        ("/caps/1/channels", "not_counted", ""),
        ("/caps/2/channels", "unusual_word", "all"),
    ]


@pytest.mark.parametrize("every", ["all", "All", "[all]", "[sms, all]"])
def test_all_is_all_channels_however_it_is_written(every: str) -> None:
    read = policies.read(
        f"policy: contact\ncounts: [sms]\ncaps: [{{channels: {every}, max: 1, within: 7d}}]\nblock_while: {{in_call: {every}}}\n"
    )
    assert read.policy is not None
    assert (read.policy.caps[0].channels, read.policy.block_while, read.hints) == ((), {"in_call": ()}, ())


def test_two_rules_cannot_have_one_name() -> None:
    assert problems(GOOD + GOOD) == [(6, "/1", "same_name", "")]


@pytest.mark.parametrize("name", [".", "..", "schema", "new"])
def test_what_is_to_be_kept_has_no_name_that_leads_elsewhere_and_what_has_one_is_still_read(name: str) -> None:
    text = GOOD.replace("rule: many", f'rule: "{name}"')
    (problem,) = reading.read_one(text, "UTC").problems
    assert (problem.line, problem.pointer, problem.code) == (2, "/0/rule", "leads_elsewhere")
    assert [rule.name for rule in reading.read(text, "UTC").rules] == [name]
    text = f'segment: "{name}"\nwhen: {{count: a.b, at_least: 1, within: 1d}}\n'
    (problem,) = segment.read_one(text, "UTC").problems
    assert (problem.line, problem.pointer, problem.code) == (1, "/segment", "leads_elsewhere")
    found = segment.read(text, "UTC").segment
    assert found is not None
    assert found.name == name


def test_a_name_that_leads_elsewhere_hides_nothing_else_that_is_wrong() -> None:
    found = reading.read_one(GOOD.replace("rule: many", "rule: new").replace("30d", "x"), "UTC").problems
    assert [problem.code for problem in found] == ["leads_elsewhere", "no_duration"]


def test_a_rule_may_stand_alone_or_in_a_list_in_yaml_or_json() -> None:
    alone = "\n".join(line[2:] for line in GOOD.strip().splitlines())
    when = '{"count": "service.request_opened", "more_than": 3, "within": "30d"}'
    as_json = f'{{\n\t"rule": "many",\n\t"when": {when},\n\t"do": {{"notify": "team:retention"}}\n}}'
    (rule,) = reading.read(GOOD, "UTC").rules
    assert reading.read(alone, "UTC").rules == reading.read(as_json, "UTC").rules == (rule,)


def test_documents_of_one_text_are_a_list_and_a_mistake_is_shown_in_its_own() -> None:
    alone = "\n".join(line[2:] for line in GOOD.strip().splitlines())
    other = alone.replace("rule: many", "rule: other")
    listed = reading.read(f"---\n{alone}\n---\n{GOOD.replace('many', 'more')}---\n{other}\n---\n", "UTC")
    assert [rule.name for rule in listed.rules] == ["many", "more", "other"]
    (problem,) = reading.read(f"{alone}\n---\n{other.replace('more_than', 'more_then')}\n", "UTC").problems
    assert (problem.line, problem.pointer) == (len(alone.splitlines()) + 3, "/1/when/more_then")
    assert [problem.code for problem in reading.read("---\n---\n", "UTC").problems] == ["no_rules"]


def test_a_mistake_is_told_in_both_languages() -> None:
    (problem,) = reading.read(GOOD.replace("more_than", "more_then"), "UTC").problems
    assert problem.text("en") == "line 3, /0/when/more_then: more_then is not known here. Did you mean more_than?"
    assert problem.text("fa") == "سطر 3، /0/when/more_then: more_then اینجا شناخته نیست. آیا منظورتان more_than است؟"


def test_every_message_has_both_languages_with_the_same_words() -> None:
    for code, said in MESSAGES.items():
        fields = [sorted(name for _, name, _, _ in string.Formatter().parse(said[lang]) if name) for lang in ("en", "fa")]
        assert fields[0] == fields[1], code
        assert any("\u0600" <= letter <= "\u06ff" for letter in said["fa"]), code


def test_a_time_of_day_that_is_a_number_is_explained() -> None:
    assert policies.read('quiet: {from: "21:00", to: 540}').problems[0].suggestion == '"09:00"'
    assert policies.read("quiet: {from: 21:00, to: 09:00}").policy is not None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zone: Asia/Teheran", (1, "/zone", "no_zone", "Asia/Tehran")),
        ("caps: [{channel: all, max: 3, within: 7d}]", (1, "/caps/0/channel", "unknown_word", "channels")),
        ("block_while: {open_complain: all}", (1, "/block_while/open_complain", "unknown_word", "open_complaint")),
        ("transactional: {ignores: [cap]}", (1, "/transactional/ignores/0", "unknown_choice", "caps")),
        ('quiet: {from: "21:00", to: "21:00"}', (1, "/quiet/to", "quiet_all_day", "")),
        ("prefer: [declare]", (1, "/prefer/0", "unknown_choice", "declared")),
        ("holdout: five", (1, "/holdout", "no_percent", "")),
        ("holdout: 200%", (1, "/holdout", "no_percent", "")),
    ],
)
def test_a_mistake_in_a_policy_is_shown_likewise(text: str, found: tuple[int, str, str, str]) -> None:
    assert [(one.line, one.pointer, one.code, one.suggestion) for one in policies.read(text).problems][0] == found  # noqa: RUF015


def test_words_are_words_as_the_newer_yaml_has_them() -> None:
    read = parse("a: no\nb: on\nc: 2026-01-01\nd: 010\ne: true\nf: 1.5\ng: ~")
    assert isinstance(read, Node)
    assert read.plain == {"a": "no", "b": "on", "c": "2026-01-01", "d": 10, "e": True, "f": 1.5, "g": None}


def test_a_small_text_cannot_mean_a_large_one() -> None:
    laughs = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + step)}: &{chr(98 + step)} [{', '.join([f'*{chr(97 + step)}'] * 8)}]\n" for step in range(8)
    )
    found = parse(laughs)
    assert isinstance(found, Problem)
    assert found.code == "too_many_values"
    endless = parse("a: &a [*a]")
    assert isinstance(endless, Problem)
    assert endless.code == "too_deep"


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("\n" + "[" * 10_000, 2, "too_deep"),
        ("[[[[[[[[],\n" * 1_000, 10, "too_deep"),
        ("- a: b\n" * 200_000, 1, "too_long"),
        ("- a: b\n" * 100_000, 10_000, "too_many_values"),
        ("{" + ", ".join(f"a{number}: b" for number in range(21_000)) + "}", 1, "too_many_values"),
    ],
)
def test_no_text_is_read_further_than_it_may_go(text: str, line: int, code: str) -> None:
    """While the parser goes on the process hears nobody else: it went through all of a text before anybody counted."""
    found = parse(text)
    assert isinstance(found, Problem)
    assert (found.line, found.pointer, found.code) == (line, "", code)


@given(st.text(max_size=80) | st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists).map(yaml.safe_dump))
def test_no_text_breaks_the_readers(text: str) -> None:
    assert reading.read(text, "UTC").problems or reading.read(text, "UTC").rules
    assert policies.read(text).problems or policies.read(text).policy
