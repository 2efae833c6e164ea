"""The catalogs, the calendar and the numerals; nothing here needs a browser but the last word on the calendar."""

import ast
import importlib
import re
import string
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints
from zoneinfo import ZoneInfo

from jinja2 import Environment
from jinja2.nodes import Assign
from playwright.async_api import Browser

import api.desk
from aggregates import jalali
from aggregates.access import Role
from aggregates.contracts import CONTRACTS
from aggregates.contracts.explain import judged, says_of
from aggregates.matching.customers import RARE
from aggregates.written.problem import Problem
from api.desk.catalog import LANGUAGES, messages
from api.desk.entries import LINES
from api.desk.identity import bits, chance, compared, firing, objection
from api.desk.locale import Locale
from api.desk.navigation import ways
from api.desk.prose import prose
from api.desk.refusals import explained
from api.desk.wording import capped, told, went
from api.desk.written import of_rules
from infra.delivery.smpp import UNSAID
from projections.view.traits import COMMON

TEHRAN = ZoneInfo("Asia/Tehran")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FA, EN = Locale("fa", TEHRAN, NOW), Locale("en", TEHRAN, NOW)

GROUPS = {"type", "channel", "contact", "field", "trait", "currency", "purpose", "means", "direction", "role", "weekday", "jalali"} | {
    "gregorian",
    "ago",
    "duration",
    "entry",
    "error",
    "matter.call",
    "matter.subscription",
    "language",
    *(
        "priority",
        "state",
        "sla",
        "outcome",
        "category",
        "verb",
        "promise",
        "silence",
        "call.stage",
        "list",
        "trend",
        "escalated",
        "period",
        "look",
    ),
    *("scored", "account.kind", "account.role", "rating.score"),
    *("uplift.arms", "uplift.verdict", "rule.state", "rule.verb", "quiet", "contact.outcome", "marketing"),
    *("delivery", "scope", "way", "silenced", "blocking", "contacting", "hears", "disabled"),
    *("reason", "letter.became", "letter.status", "letter.state"),
    *("model.name", "model.status", "model.topic", "source.snippet", "source.set", "identity.objection", "identity.believed"),
    *("identity.fired", "identity.level"),
    "answer",
    *("form", "form.kinds", "form.acts", "form.changes"),
}
"""Groups of messages that are looked up by a word, not written out in the code."""


def forms(language: str, key: str) -> list[str]:
    message = messages(language)[key]
    return [message] if isinstance(message, str) else list(message.values())


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_no_message_is_missing_in_either_language() -> None:
    assert messages("fa").keys() == messages("en").keys()


def test_a_message_says_the_same_values_in_both() -> None:
    for key in messages("en"):
        wanted = holes(forms("en", key)[-1])
        for language in LANGUAGES:
            assert all(form and holes(form) == wanted for form in forms(language, key)), key
            assert isinstance(messages(language)[key], str) or "other" in messages(language)[key], key


def test_a_message_that_says_a_number_has_its_forms() -> None:
    plain = {
        key for language in LANGUAGES for key, message in messages(language).items() if isinstance(message, str) and "{count}" in message
    }
    assert not plain, "the braces themselves would be shown"


def test_more_than_fit_on_a_page_of_results_are_counted_in_words() -> None:
    assert FA.say("search.found_more", 20).startswith("۲۰ مشتریِ")
    assert EN.say("search.found_more", 20).startswith("The first 20 customers")


def test_words_that_channels_choose_never_meet_a_sentence_of_the_desk() -> None:
    for group in ("type", "channel", "contact", "field", "trait", "currency", "purpose", "means", "direction", "matter.subscription"):
        for language in LANGUAGES:
            words = [message for key, message in messages(language).items() if key.startswith(f"{group}.")]
            assert words
            assert all(isinstance(word, str) and not holes(word) for word in words), group
    assert EN.word("contact", "more") == "more"
    assert EN.word("ago", "day") == "day"


def test_every_message_is_used_and_every_message_used_exists() -> None:
    folder = Path(api.desk.__file__).parent
    text = "\n".join(file.read_text("utf-8") for suffix in ("*.py", "*.html", "*.js") for file in folder.rglob(suffix))
    written = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)*)"', text))
    spoken = set(re.findall(r"""say\(\s*["']([a-z_.]+)["'][,)]""", text))
    assert spoken <= messages("en").keys()
    groups = {key for key in messages("en") if key.rpartition(".")[0] in GROUPS or key.partition(".")[0] in GROUPS}
    assert messages("en").keys() - groups - written - spoken == set()


def test_the_bar_has_what_is_done_daily_in_each_role() -> None:
    bars = {role: [way.address for way in ways(role) if way.daily] for role in get_args(Role)}
    assert {"/calls", "/requests", "/knowledge"} <= set(bars["agent"])
    assert {"/rules", "/contacts"} <= set(bars["marketer"]) & set(bars["analyst"])
    assert {"/board", "/requests"} <= set(bars["supervisor"])
    assert all(bar[0] == "/" and len(bar) < 5 for bar in bars.values())


def test_the_frame_around_a_page_takes_no_name_from_it() -> None:
    frame = (Path(api.desk.__file__).parent / "templates" / "base.html").read_text("utf-8")
    assert list(Environment(autoescape=True).parse(frame).find_all(Assign)) == [], (
        "what a template sets, the page in it would find instead of its own"
    )


def test_why_two_were_not_joined_is_said_in_the_readers_words() -> None:
    assert objection("merge: more than 1 of customer_number", EN) == "As one customer there would be more than 1 × Customer number"
    assert objection("link: more than 50 identifiers", FA) == "با این شناسه می‌شد بیش از ۵۰ شناسه"
    assert objection("as a later version says it", FA) == "as a later version says it"


def test_what_a_rule_kept_from_being_joined_is_said_in_the_readers_words() -> None:
    assert firing("blocked:phone", EN) == "proves nothing: Phone"
    assert firing("kept_apart", FA) == "کسی گفته که دو نفرند"


def test_every_trait_that_is_kept_first_has_a_name() -> None:
    assert {f"trait.{name}" for name in COMMON} <= messages("fa").keys()


def test_everything_that_two_are_compared_by_has_a_name() -> None:
    assert [name for name in RARE if not {f"trait.{name}", f"contact.{name}"} & messages("fa").keys()] == []


def test_a_way_that_is_not_set_up_is_called_by_its_name() -> None:
    for locale in (FA, EN):
        assert locale.say("way.email") in went("nothing is set up that would send by email", locale)
        assert "pigeon" in went("nothing is set up that would send by pigeon", locale)


def test_every_reason_of_a_silence_has_words_for_marketing_and_for_who_answers_the_customer() -> None:
    marketing, agents = (
        {key.removeprefix(group) for key in messages("en") if key.startswith(group)} for group in ("silenced.", "silence.")
    )
    assert marketing - {"consent"} == agents  # an agent is told of a consent with its purpose
    assert marketing >= {"address", "block_while", "budget", "cancelled", "cap", "channel", "holdout", "lost", "quiet", "refused", "test"}


def test_what_went_wrong_on_the_way_out_is_said_in_both_languages() -> None:
    for error in (
        UNSAID,
        "it could not be sent: TypeError",
        "the gateway refused the number",
        "ConnectError: All connection attempts failed",
    ):
        for locale in (FA, EN):
            assert not went(error, locale).startswith('<bdi lang="en"')


def test_numbers_of_a_rule_have_the_signs_of_the_language_and_names_keep_theirs() -> None:
    text = "rule: r\nwhen: {score: v1.5, rises_to: 0.7}\ndo: {contact: c2, prefer: [call]}\nholdout: 10%\n"
    said, _ = of_rules(text, FA, "Asia/Tehran")
    assert "۰٫۷" in said
    assert "۱۰٪" in said
    assert "v1.5" in said
    assert "c2" in said
    assert "0.7" in of_rules(text, EN, "Asia/Tehran")[0]


def test_usual_channels_and_purposes_are_called_by_name_and_ones_own_stay_as_they_are() -> None:
    text = "rule: r\nwhen: {count: a.b, at_least: 1, within: 1h}\nif: {consent: retention, channel: in_app}\n"
    said, _ = of_rules(text + "do: {contact: c, prefer: [sms, kiosk]}\n", FA, "Asia/Tehran")
    usual = [("purpose", "marketing"), ("purpose", "retention"), ("way", "sms"), ("way", "in_app")]
    assert [name for group, name in usual if FA.word(group, name) not in said or name in said] == []
    assert "kiosk" in said


def test_a_rule_speaks_of_events_and_scores_as_the_desk_calls_them_and_of_ones_own_as_they_are() -> None:
    text = (
        "rule: r\nwhen: {after: sales.order_cancelled, absent: my.own, for: 14d}\nif: {score: churn, at_least: 0.5}\ndo: {notify: team:x}\n"
    )
    for locale in (FA, EN):
        said, _ = of_rules(text, locale, "Asia/Tehran")
        assert locale.say("sentence.type", type=locale.word("type", "sales.order_cancelled")) in said
        assert locale.word("scored", "churn") in said
        assert "my.own" in said
        assert "sales.order_cancelled" not in said


def test_a_cap_is_said_in_words_with_the_time_that_it_was_written_in() -> None:
    assert capped("all/7d", EN) == "all channels within 1 week"
    assert capped("sms,kiosk/1h30m", FA) == "پیامک، kiosk در ۱ ساعت و ۳۰ دقیقه"
    assert capped("what/ever", EN) == "what/ever"


def test_what_is_wrong_with_a_text_calls_its_channel_as_the_desk_does() -> None:
    unwritten = [Problem(3, "/then/0", "no_text", {"word": "come_back", "channel": channel}) for channel in ("sms", "kiosk")]
    named, unknown = (line.striptags() for line in told(unwritten, EN))
    assert "come_back by SMS:" in named
    assert "come_back by kiosk:" in unknown
    assert "از راه پیامک" in told(unwritten, FA)[0].striptags()


REFUSING = {"Refused": 2, "Refusal": 2, "NotAnIdentifier": 1, "_wrong": 1}
"""What refuses events, and after how many arguments it says why and what to write."""


def spelt(node: ast.expr, module: ModuleType) -> str | None:
    """What an argument says, with a number where it names something; None where it is made elsewhere."""
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(parts):
            said = [spelt(part.value, module) or "7" if isinstance(part, ast.FormattedValue) else spelt(part, module) for part in parts]
            return "".join(filter(None, said))
        case ast.Name(name):
            found = getattr(module, name, None)
            return found if isinstance(found, str) else None
    return None


def written() -> Iterator[str]:
    """The sentences of all refusals of events and of what is done with requests that are written out in the code."""
    home = Path(api.desk.__file__).parents[2]
    beside = (home / "api/replaying.py", home / "infra/delivery/smpp_receipts.py")
    for file in (*(home / "aggregates").rglob("*.py"), *(home / "api/doors").glob("*.py"), *beside):
        module = importlib.import_module(".".join(file.relative_to(home).with_suffix("").parts))
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSING:
                said = node.args[:1] if "service_request" in file.parts else node.args[REFUSING[node.func.id] :]
                yield from filter(None, (spelt(argument, module) for argument in said))


def wanted(data: type[Any], *steps: str | int) -> Iterator[str]:
    """What contracts want at each place of their data."""
    for name in get_type_hints(data):
        yield from filter(None, (says_of(data, [*steps, name]).mend, says_of(data, [*steps, name, 0]).mend))


def test_why_an_event_was_refused_is_said_in_persian() -> None:
    said = {*written(), *(mend for contract in CONTRACTS.values() for mend in wanted(contract.data))}
    expected = (
        "Expected `str | int | null`, got `array`",
        "Expected `float` >= 0.0",
        "Expected `array` of length >= 1",
        "Invalid enum value 'x'",
    )
    for message in expected:
        said |= set(judged(message)[1:])
    assert len(said) > 100
    assert sorted(one for one in said if 'lang="en"' in explained(one, FA)) == []


def test_a_refusal_keeps_what_is_code_and_what_nobody_translated() -> None:
    told = explained("The field <b> is missing.", FA)
    assert told == 'فیلد <bdi dir="ltr" class="code">&lt;b&gt;</bdi> نیامده است.'
    assert explained("It is longer than 8,192 characters.", FA) == "بلندتر از ۸٬۱۹۲ نویسه است."
    assert "خانه‌اش خالی است" in explained("Add it: its cell is empty.", FA)
    assert explained("As a later version says it.", FA) == '<bdi lang="en" dir="ltr">As a later version says it.</bdi>'
    assert explained("The field <b> is missing.", EN) == "The field &lt;b&gt; is missing."


def test_every_type_of_our_contracts_has_a_name_and_a_line() -> None:
    for type_ in CONTRACTS:
        assert f"type.{type_}" in messages("fa")
        assert type_ in LINES


def test_a_sum_keeps_every_digit_and_has_its_currency() -> None:
    assert FA.money("4500000", "IRR") == "۴٬۵۰۰٬۰۰۰ ریال"
    assert EN.money("4143.8", "USD") == "4,143.80 USD"
    assert EN.money("0.1234", "USD") == "0.1234 USD"
    assert EN.money("-12.5", "EUR") == "\N{MINUS SIGN}12.50 EUR"
    alone = "\N{LEFT-TO-RIGHT ISOLATE}\N{MINUS SIGN}۱۲٫۵۰\N{POP DIRECTIONAL ISOLATE}"  # the currency stays on its left
    assert FA.money("-12.5", "EUR") == f"{alone} {FA.word('currency', 'EUR')}"
    assert FA.money("1234.5", "XAU") == "۱٬۲۳۴٫۵۰ XAU"
    assert EN.money("20133333.33", "IRR", rounded=True) == "20,133,333 IRR"


def test_a_chance_is_never_certain_and_evidence_has_its_sign() -> None:
    assert [chance(probability, EN) for probability in (1.0, 0.99999, 0.853, 0.0)] == ["99.9", "99.9", "85.3", "0.1"]
    assert chance(0.853, FA) == "۸۵٫۳"
    assert [bits(said, FA) for said in (14.09, 0.0)] == ["+۱۴٫۱", "۰٫۰"]
    assert bits(-0.58, EN) == "\N{MINUS SIGN}0.6"


def test_who_was_judged_to_leave_is_never_told_to_be_certain_or_impossible() -> None:
    assert [EN.judged(share) for share in (0.0, 0.004, 0.46, 0.996)] == ["under 1%", "under 1%", "46%", "over 99%"]
    assert FA.judged(0.002) == "زیر ۱٪"


def test_times_are_told_in_the_zone_of_the_desk() -> None:
    at = datetime(2026, 11, 21, 20, 45, tzinfo=UTC)  # past midnight in Tehran
    assert FA.moment(at) == "۱ آذر ۱۴۰۵، ۰۰:۱۵"
    assert FA.heading(at) == "امروز · یکشنبه ۱ آذر ۱۴۰۵"
    assert EN.heading(at) == "Today · Sunday, 22 November 2026"
    assert FA.other(at) == "یکشنبه · ۲۲ نوامبر ۲۰۲۶ · ۰۰:۱۵:۰۰"
    assert EN.ago(at) == "15 hours ago"
    assert FA.ago(NOW + timedelta(hours=1)) == "جلوتر از ساعت ما"
    assert (EN.since(at), EN.since(datetime(1998, 6, 30, 12, tzinfo=UTC))) == ("15 hours ago", "30 June 1998")
    assert FA.since(datetime(1998, 6, 30, 12, tzinfo=UTC)) == "۹ تیر ۱۳۷۷"
    assert EN.duration(3725) == "1 h 2 min"
    assert FA.duration(187.5) == "۳ دقیقه و ۸ ثانیه"


def test_times_at_the_edges_of_the_calendar_are_told_all_the_same() -> None:
    for year in (1, 622, 1500, 9999):
        assert FA.moment(datetime(year, 1, 1, tzinfo=UTC))
        assert EN.other(datetime(year, 12, 31, 23, 59, tzinfo=UTC))


async def test_the_calendar_is_that_of_browsers(browser: Browser) -> None:
    page = await browser.new_page()
    days = [date(1900, 1, 1) + timedelta(days=13 * number) for number in range(6200)]
    told = await page.evaluate(
        """(days) => {
            const numeric = {year: "numeric", month: "numeric", day: "numeric"};
            const format = new Intl.DateTimeFormat("en-u-ca-persian-nu-latn", {timeZone: "UTC", ...numeric});
            return days.map((day) => {
              const parts = format.formatToParts(new Date(`${day}T12:00:00Z`));
              return ["year", "month", "day"].map((type) => Number(parts.find((part) => part.type === type).value));
            });
          }""",
        [day.isoformat() for day in days],
    )
    await page.close()
    assert [list(jalali.of(day)) for day in days] == told


def test_who_may_be_one_is_compared_in_the_readers_digits_and_calendar() -> None:
    known = {"phone": "+989125550019", "birth_date": "1990-05-01", "national_id": "0012345679", "email": "m@x.ir", "name": "مینا"}
    shown = {name: compared(name, value, FA) for name, value in known.items()}
    assert [value.text for value in shown.values()] == ["۰۹۱۲ ۵۵۵ ۰۰۱۹", "۱۱ اردیبهشت ۱۳۶۹", "۰۰۱۲۳۴۵۶۷۹", "m@x.ir", "مینا"]
    assert (shown["phone"].copy, shown["national_id"].copy) == ("+989125550019", "0012345679")
    assert compared("birth_date", "1990-05-01", EN).text == "1 May 1990"


def test_a_number_in_what_people_wrote_is_not_turned_round_by_the_words_beside_it() -> None:
    for number in ("0912 345 6789", "۰۹۱۲ ۳۴۵ ۶۷۸۹", "021-88001122", "+98 (912) 345-6789", "+989123456789", "2026-11-30"):
        assert prose(f"به {number} زنگ بزنید.") == f'به <bdi dir="ltr">{number}</bdi> زنگ بزنید.'
    for none in ("سفارش‌های 12345 67890", "1. در سامانه ببینید", "o-5001-22", "از ۸ تا ۱۷", "۱۴۰۵/۰۹/۱۲", "۹۸٬۰۰۰٬۰۰۰ ریال"):
        assert prose(none) == none
    assert prose("<b> 021-88001122") == '&lt;b&gt; <bdi dir="ltr">021-88001122</bdi>'


def test_the_way_past_the_bar_is_named_for_every_page_and_not_only_a_customers() -> None:
    assert (FA.say("nav.skip"), EN.say("nav.skip")) == ("رفتن به محتوای صفحه", "To the content")
