"""Cells as people write them become values as contracts have them, or are refused where they stand."""

from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from aggregates import jalali
from aggregates.refusal import Refusal, Refused
from aggregates.rows import cells, dates, headers
from aggregates.rows.growth import Growing
from aggregates.rows.identity import Numbering
from aggregates.rows.layout import layout
from aggregates.rows.mapping import Mapping, of_plain, read
from aggregates.rows.row import Row, alone, decode
from aggregates.rows.schema import schema
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint
from infra.importing.sending import numbered
from infra.importing.table import Read

SALE = {
    "شماره فاکتور": "۳۱۰",
    "تاريخ": "۱۴۰۴/۰۸/۳۰",
    "موبایل": "۰۹۱۲ ۱۲۳ ۴۵۶۷",
    "كد كالا": "TEA-250",
    "تعداد": "۲",
    "فی": "1,950,000",
    "مبلغ کل (تومان)": "۳۹۰٬۰۰۰",
}
NOW = datetime(2026, 11, 22, tzinfo=UTC)
NOVIN = Source("novin")


def understood(row: dict[str, Any], mapping: dict[str, Any] | None = None, type_: str = "reseller.sale_reported") -> Any:
    """What a row means by itself."""
    return alone(Row("azar.csv", 2, type_, "", row, mapping or {}), NOVIN, NOW)


def accepted(row: dict[str, Any], mapping: dict[str, Any] | None = None, type_: str = "reseller.sale_reported") -> Touchpoint:
    judged = understood(row, mapping, type_).judged
    assert isinstance(judged, Touchpoint), judged
    return judged


def test_an_ordinary_list_with_persian_headers_needs_no_mapping() -> None:
    sale = accepted(SALE)
    assert sale.data == {
        "sale_id": "310",
        "total": "3900000",
        "lines": [{"sku": "TEA-250", "quantity": 2, "unit_price": "1950000"}],
        "reseller": "novin",
        "currency": "IRR",
    }
    assert [str(identifier.value) for identifier in sale.who] == ["+989121234567"]
    assert sale.occurred == datetime(2025, 11, 20, 20, 30, tzinfo=UTC)
    assert (sale.id, sale.source, sale.backfill) == ("310", "/files/reseller.sale_reported", True)
    assert sale.attributes == {"yektafile": "azar.csv", "yektarow": 2}


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("تاريخ", "۱۴۰۴/۱۳/۰۱", "wrong_time"),
        ("تاريخ", "1404/12/30", "wrong_time"),
        ("تاريخ", "03/04/2025", "wrong_time"),
        ("تاريخ", "دیروز", "wrong_time"),
        ("تاريخ", "", "missing_field"),
        ("موبایل", "123", "not_an_identifier"),
        ("تعداد", "0", "wrong_value"),
        ("تعداد", "دو", "wrong_type"),
        ("مبلغ کل (تومان)", "رایگان", "wrong_money"),
        ("مبلغ کل (تومان)", "-5", "wrong_money"),
    ],
)
def test_what_cannot_be_read_is_refused_in_its_column(column: str, cell: str, reason: str) -> None:
    found = understood(SALE | {column: cell})
    assert isinstance(found.judged, Refusal)
    assert (found.judged.reason, found.column, found.judged.pointer) == (reason, column, f"/cells/{column}")
    assert found.judged.mend
    assert not cell or len(cell) < 3 or cell not in found.judged.detail + found.judged.mend


def test_what_no_column_gives_is_missed_with_the_advice_to_map_it() -> None:
    found = understood({name: cell for name, cell in SALE.items() if name != "تعداد"}).judged
    assert found.pointer == "/data/lines/0/quantity"
    assert "map a column to it" in found.mend


def test_a_mapping_says_which_column_fills_what_and_what_is_always_so() -> None:
    row = {"کی": "1404/08/30", "ساعت": "۱۴:۰۵", "خریدار": "09121234567", "جنس": "TEA", "چندتا": 1, "پول": 195.5, "چطور": "نقدی", "چرت": "x"}
    mapping = {
        "name": "novin",
        "source": "/novin/sales",
        "unit": "toman",
        "columns": {
            "کی": "time",
            "خریدار": "who.phone",
            "جنس": "lines.sku",
            "چندتا": "lines.quantity",
            "پول": "total",
            "چطور": {"field": "payment", "values": {"نقدی": "cash"}},
            "چرت": None,
        },
        "fixed": {"reseller": "novin-tehran", "sale_id": "s-1"},
        "contact": True,
    }
    sale = accepted(row, mapping)
    assert (sale.source, sale.backfill, sale.data["reseller"], sale.data["total"]) == ("/novin/sales", False, "novin-tehran", "1955")
    assert sale.occurred == datetime(2025, 11, 21, 10, 35, tzinfo=UTC)
    assert sale.personal["payment"] == "cash"
    assert "چرت" not in sale.personal


def test_columns_that_nobody_knows_are_kept_under_their_own_names_and_sealed() -> None:
    assert accepted(SALE | {"رنگ": "سبز"}).personal["رنگ"] == "سبز"
    assert "رنگ" not in accepted(SALE | {"رنگ": "سبز"}, {"unknown": "ignore"}).personal


def test_the_type_decides_what_a_header_means() -> None:
    payment = accepted(
        {"شماره سفارش": "7", "مبلغ (ریال)": "۵۰۰٬۰۰۰", "موبایل": "09121234567", "تاریخ": "1404/08/30"}, type_="sales.payment_received"
    )
    assert payment.data == {"order_id": "7", "amount": "500000", "currency": "IRR"}


def test_every_jalali_day_of_two_centuries_is_read_back() -> None:
    day = date(1900, 1, 1)
    while day < date(2100, 1, 1):
        assert dates.gregorian(*jalali.of(day)) == day
        day += timedelta(days=7)


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("۱۴۰۴/۰۸/۳۰", "2025-11-21T00:00:00+03:30"),
        ("1404-8-30 14:05", "2025-11-21T14:05:00+03:30"),
        ("۳۰ آبان ۱۴۰۴", "2025-11-21T00:00:00+03:30"),
        ("پنج شنبه ۳۰ آبان ۱۴۰۴ ساعت ۹:۱۵", "2025-11-21T09:15:00+03:30"),
        ("30/8/1404", "2025-11-21T00:00:00+03:30"),
        ("14040830", "2025-11-21T00:00:00+03:30"),
        ("1404-08-30T14:05:00", "2025-11-21T14:05:00+03:30"),
        ("2025-11-21", "2025-11-21T00:00:00+03:30"),
        ("21/11/2025", "2025-11-21T00:00:00+03:30"),
        ("2025-11-21T10:00:00Z", "2025-11-21T10:00:00+00:00"),
        ("1400/01/01 23:30", "2021-03-21T23:30:00+03:30"),
        ("1400/01/02 12:00", "2021-03-22T12:00:00+04:30"),
        ("چهارشنبه 1404/08/30", "2025-11-21T00:00:00+03:30"),
        ("سه\u200cشنبه، ۳۰ آبان ۱۴۰۴", "2025-11-21T00:00:00+03:30"),
        ("Fri 2025-11-21", "2025-11-21T00:00:00+03:30"),
        ("1404/08/30 2:05 ب.ظ", "2025-11-21T14:05:00+03:30"),
        ("1404/08/30 02:05:06 PM", "2025-11-21T14:05:06+03:30"),
        ("12:05am 1404/08/30", "2025-11-21T00:05:00+03:30"),
        ("۱۴۰۴/۰۸/۳۰ ساعت ۵:۳۰ بعد از ظهر", "2025-11-21T17:30:00+03:30"),
        ("Nov 21, 2025", "2025-11-21T00:00:00+03:30"),
        ("21-Nov-2025 14:05", "2025-11-21T14:05:00+03:30"),
        ("۲۱ نوامبر ۲۰۲۵", "2025-11-21T00:00:00+03:30"),
        ("2025-11-21 08:30:10+00:00", "2025-11-21T08:30:10+00:00"),
        ("2025-11-21 08:30:10.123456", "2025-11-21T08:30:10.123456+03:30"),
        ("45982", "2025-11-21T00:00:00+03:30"),
        ("45982.5868055556", "2025-11-21T14:05:00+03:30"),
    ],
)
def test_days_are_read_in_both_calendars(written: str, iso: str) -> None:
    assert dates.moment(written, "Asia/Tehran", "") == iso


@pytest.mark.parametrize(
    "written", ["30 آبان 2025", "21 November 1404", "1404/13/01", "04/08/30", "9999", "1404/08/30 25:00", "Smarch 3, 2025"]
)
def test_what_is_no_day_is_refused(written: str) -> None:
    with pytest.raises(Refused):
        dates.moment(written, "Asia/Tehran", "")


@pytest.mark.parametrize("header", ["شماره\u200cی فاکتور", "شماره\u200cفاکتور", "شمارهٔ فاکتور", "شماره  فاكتور", "شماره‌فاكتور:"])
def test_a_header_is_known_with_half_spaces_and_without(header: str) -> None:
    assert headers.meant("reseller.sale_reported", header) == headers.Meant("sale_id")


def test_a_day_that_could_be_two_is_read_when_it_is_said_which() -> None:
    assert dates.day("03/04/2025", "", "day_first") == "2025-04-03"
    assert dates.day("03/04/2025", "", "month_first") == "2025-03-04"
    with pytest.raises(Refused):
        dates.day("03/04/2025", "")


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("۱٬۹۵۰٬۰۰۰", "1950000"),
        ("1,950,000 تومان", "19500000"),
        ("۱۲٫۵", "12.5"),
        ("(1,000)", "-1000"),
        ("1000-", "-1000"),
        (5001.0, "5001"),
        ("1.95E6", "1950000"),
        ("۱ ۲۰۰", "1200"),
        (0.1, "0.1"),
        ("1.250.000", "1250000"),
        ("1.250.000,50", "1250000.5"),
        ("1.250,50", "1250.5"),
        ("۱٫۹۵۰٫۰۰۰", "1950000"),
        ("۱،۹۵۰،۰۰۰", "1950000"),
        ("۱۹۵۰ ت", "19500"),
        ("1950 Rls", "1950"),
        ("12/5", "12.5"),
        ("0/500", "0.5"),
        ("1950/000", "1950"),
        ("1,950/000", "1950"),
        ("۱۲٫۲۵", "12.25"),
        ("0.500", "0.5"),
        ("1250.000", "1250"),
        ("12.50", "12.5"),
    ],
)
def test_amounts_are_read_as_people_write_them(written: Any, amount: str) -> None:
    assert cells.amount(written, "", cells.factor("", written)) == amount


@pytest.mark.parametrize("written", ["1,95", "1.250.00", "1.250,5.5", "abc", "12 13", "۱۲/۳/۴", True])
def test_amounts_that_could_be_two_are_refused(written: Any) -> None:
    with pytest.raises(Refused):
        cells.amount(written, "")


@pytest.mark.parametrize("written", ["250/000", "۲۵۰/۰۰۰ تومان", "۱٫۹۵۰", "-1/000", "(12/500)", "950.000", "۱۲۰.۰۰۰ ریال"])
def test_whether_a_sign_stands_between_thousands_is_not_guessed(written: str) -> None:
    with pytest.raises(Refused) as raised:
        cells.amount(written, "")
    assert "thousands" in raised.value.refusal.detail
    assert cells.number("1/250", "") == cells.number("1.250", ""), "of a weight nobody doubts it"


@pytest.mark.parametrize(
    ("written", "mark", "amount"),
    [
        ("950.000", "none", "950000"),
        ("950.000", "comma", "950000"),
        ("950.000", "slash", "950000"),
        ("950.000", "point", "950"),
        ("۲۵۰٫۰۰۰", "slash", "250"),
        ("-250/000 تومان", "none", "-2500000"),
        ("1.950,5", "comma", "1950.5"),
        ("1,950", "comma", "1.95"),
        ("1,950", "point", "1950"),
        ("1950", "none", "1950"),
        ("1,95", "point", None),
        ("1950,000", "point", None),
        ("12.5", "none", None),
    ],
)
def test_what_a_mapping_says_of_the_mark_before_decimals_holds(written: str, mark: cells.Mark, amount: str | None) -> None:
    with nullcontext() if amount else pytest.raises(Refused):
        assert cells.amount(written, "", cells.factor("", written), mark) == amount


def test_a_column_may_have_another_mark_before_decimals_than_its_file() -> None:
    row = SALE | {"مبلغ کل (تومان)": "950.000", "تعداد": "1.250"}
    assert accepted(row, {"decimal": "point"}).data["total"] == "9500"
    sale = accepted(row, {"decimal": "none", "columns": {"تعداد": {"field": "lines.quantity", "decimal": "point"}}})
    assert (sale.data["total"], sale.data["lines"][0]["quantity"]) == ("9500000", 1.25)


def test_the_same_row_has_the_same_id_however_it_is_written() -> None:
    mapping = Mapping("x.y")
    one: dict[str, Any] = {"تاریخ": "۱۴۰۴/۰۸/۳۰", "مبلغ": "310", "شرح": ""}
    other: dict[str, Any] = {"مبلغ": 310.0, "تاريخ": "1404/08/30"}
    ids = [Numbering(mapping).id(layout(mapping, row), row) for row in (one, other)]
    assert ids[0] == ids[1]
    assert ids[0].startswith("row-")


def test_equal_rows_of_one_file_are_counted_and_a_file_grown_by_rows_keeps_its_ids() -> None:
    mapping = Mapping("x.y")
    rows = [{"a": "1"}, {"a": "2"}, {"a": "1"}]
    numbering = Numbering(mapping)
    ids = [numbering.id(layout(mapping, row), row) for row in rows]
    again = Numbering(mapping)
    grown = [again.id(layout(mapping, row), row) for row in [{"a": "0"}, *rows, {"a": "1"}]]
    assert len(set(ids)) == 3
    assert ids == grown[1:4]
    assert len(set(grown)) == 5


def test_the_partners_own_number_is_the_id_in_one_column_or_several() -> None:
    own = read("{type: x.y, id: [شعبه, شماره]}").mapping
    assert own is not None
    row = {"شماره": "۷", "شعبه": "شیراز"}
    assert Numbering(own).id(layout(own, row), row) == "شیراز/7"


def test_mistakes_in_a_mapping_are_said_with_their_line_and_what_was_meant() -> None:
    text = "type: reseller.sale_reported\ncolumns:\n  مبلغ: {field: totl, unit: tomn}\n  x: lines.skuu\nfixd: {}\nid: []\n"
    said = [problem.text() for problem in read(text).problems]
    assert "line 3, /columns/مبلغ/field: totl is not known here. Did you mean total?" in said
    assert "line 4, /columns/x: lines.skuu is not known here. Did you mean lines.sku?" in said
    assert "line 5, /fixd: fixd is not known here. Did you mean fixed?" in said
    assert any("Did you mean toman" in one for one in said)


def test_two_columns_cannot_fill_one_field() -> None:
    assert [problem.code for problem in read("{type: x.y, columns: {a: time, b: time}}").problems] == ["not_together"]


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        (
            "{type: x.y, decimal: none, columns: {a: {field: total, decimal: slash}, c: null}, file: {delimiter: ';', header_row: 3}}",
            True,
        ),
        ("{type: x.y, id: [a, b], fixed: {currency: IRR}, unknown: ignore, contact: true, dates: day_first}", True),
        ("{type: x.y, columns: {a: {unit: rial}}}", False),
        ("{type: x.y, unknown: maybe}", False),
        ("{type: x.y, decimal: dot}", False),
        ("{type: x.y, wrong: 1}", False),
    ],
)
def test_the_schema_and_the_reader_agree(text: str, valid: bool) -> None:
    assert (not read(text).problems) is valid
    assert jsonschema.Draft202012Validator(schema()).is_valid(yaml.safe_load(text)) is valid


def test_a_kept_row_is_understood_again_under_a_newer_mapping() -> None:
    row = Row("a.csv", 9, "reseller.sale_reported", "9", SALE | {"موبایل": "داخلی ۱۲"})
    assert isinstance(alone(row, NOVIN, NOW).judged, Refusal)
    assert isinstance(alone(row, NOVIN, NOW, {"columns": {"موبایل": "note"}}).judged, Touchpoint)
    assert isinstance(alone(row, NOVIN, NOW, {"columnz": {}}).judged, Refusal)


def test_every_header_word_means_something_for_some_type() -> None:
    for place, names in headers.WORDS.items():
        assert all(headers.key(name) for name in names if name), place


def test_the_mapping_on_the_page_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "files.md").read_text("utf-8")
    text = page.partition("```yaml\n")[2].partition("```")[0]
    reading = read(text)
    assert reading.problems == ()
    assert jsonschema.Draft202012Validator(schema()).is_valid(yaml.safe_load(text))
    row = {
        "شماره حواله": "7",
        "تاریخ تحویل": "1404/08/30",
        "خریدار": "09121234567",
        "جنس": "TEA",
        "تعداد": "2",
        "دریافتی": "1000",
        "تسویه": "چک",
    }
    sale = accepted(row, yaml.safe_load(text))
    assert (sale.source, sale.id, sale.data["total"], sale.personal["payment"]) == ("/novin/sales", "7", "1000", "cheque")


INVOICES: list[dict[str, Any]] = [
    {"فاکتور": "۳۱۰", "تاریخ": "1404/08/30", "موبایل": "09121234567", "کالا": "TEA", "تعداد": 2, "مبلغ": 100},
    {"فاکتور": "311", "تاریخ": "1404/08/30", "موبایل": "09351234567", "کالا": "CUP", "تعداد": 1, "مبلغ": 50},
    {"فاکتور": "310", "کالا": "CUP", "تعداد": "۳", "مبلغ": "۱۵۰", "یادداشت": "دسته شکسته"},
    {"کالا": "TEA", "تاریخ": "1404/08/30", "تعداد": 1, "مبلغ": 7, "فاکتور": ""},
]
COLUMNS: dict[str, Any] = {"فاکتور": "sale_id", "کالا": "lines.sku", "تعداد": "lines.quantity"}
TOTAL: dict[str, Any] = {"field": "total", "unit": "rial"}
GROUPED: dict[str, Any] = {"group": "فاکتور", "columns": COLUMNS | {"مبلغ": TOTAL | {"sum": True}}}


def invoices(rows: list[dict[str, Any]], mapping: dict[str, Any]) -> list[Any]:
    """What the rows of a file become."""
    said = of_plain(mapping, "reseller.sale_reported").mapping
    assert said is not None
    reads = [Read(number, cells) for number, cells in enumerate(rows, 2)]
    return [
        alone(Row("azar.csv", one.read.number, said.type, one.id, one.read.cells, mapping, more=one.read.more), NOVIN, NOW)
        for one in numbered(said, reads)
    ]


def test_the_rows_of_one_invoice_are_one_sale() -> None:
    first, second, alone_ = [one.judged for one in invoices(INVOICES, GROUPED)]
    assert (first.id, first.data["total"]) == ("310", "250")
    assert first.data["lines"] == [{"sku": "TEA", "quantity": 2}, {"sku": "CUP", "quantity": 3}]
    assert first.personal["lines"][1] == {"sku": "CUP", "quantity": 3, "یادداشت": "دسته شکسته"}
    assert [str(identifier.value) for identifier in first.who] == ["+989121234567"]
    assert (second.id, second.data["lines"]) == ("311", [{"sku": "CUP", "quantity": 1}])
    assert alone_.id.startswith("row-")


def test_a_file_that_grew_by_invoices_has_the_same_sales_and_new_ones() -> None:
    grown = [*INVOICES, {"فاکتور": "312", "تاریخ": "1404/08/30", "کالا": "TEA", "تعداد": 1, "مبلغ": 50}]
    before, after = [{one.judged.id: one.judged.body for one in invoices(rows, GROUPED)} for rows in (INVOICES, grown)]
    assert before.items() <= after.items()
    assert after.keys() - before.keys() == {"312"}


def test_rows_of_one_invoice_that_contradict_each_other_are_refused_where_they_do() -> None:
    other = INVOICES[2] | {"تاریخ": "1404/09/01"}
    found = invoices([INVOICES[0], other], GROUPED)[0]
    assert (found.judged.reason, found.judged.pointer, found.column) == ("wrong_value", "/more/0/تاریخ", "تاریخ")
    assert "sum: true" in invoices(INVOICES, GROUPED | {"columns": COLUMNS | {"مبلغ": TOTAL}})[0].judged.mend
    bad = invoices([INVOICES[0], INVOICES[2] | {"تعداد": "چند"}], GROUPED)[0]
    assert (bad.judged.pointer, bad.column) == ("/more/0/تعداد", "تعداد")


def test_an_invoice_is_known_again_by_its_first_rows_and_the_others_are_a_sale_of_their_own() -> None:
    mapping = of_plain(GROUPED, "reseller.sale_reported").mapping
    assert mapping is not None
    first, other, further, *_ = INVOICES
    before = invoices([first, other], GROUPED)[0].judged
    row = Row("azar.csv", 2, mapping.type, "310", first, GROUPED, more=(further, further | {"کالا": "POT", "مبلغ": 8}))
    growing = Growing(row, mapping, layout(mapping, first), NOVIN, NOW)
    assert [(stop, fact.body == before.body) for stop, fact in growing.tried(0)] == [(2, False), (1, True)]
    rest = growing.part(1, 3)
    assert rest is not None
    assert (rest.id, rest.data["sale_id"], rest.data["total"]) == ("310+1", "310", "158")
    assert [line["sku"] for line in rest.data["lines"]] == ["CUP", "POT"]
    assert (rest.occurred, rest.who) == (before.occurred, before.who)  # said by the first row alone


@pytest.mark.parametrize("written", ["2026-11-22", "2026-11-22T10:00:00", "۱۴۰۴/۰۸/۳۰ ۱۰:۳۰"])
def test_a_time_of_a_source_whose_zone_nobody_knows_is_refused(written: str) -> None:
    with pytest.raises(Refused) as raised:
        dates.moment(written, "Foo/Bar", "/cells/when")
    assert (raised.value.refusal.reason, raised.value.refusal.pointer) == ("wrong_time", "/cells/when")


def test_a_kept_row_that_is_none_is_pointed_into_also_within_a_list() -> None:
    why = decode(b'{"file": "a", "row": 2, "type": "t", "id": "", "cells": {}, "more": [{}, 3]}')
    assert isinstance(why, Refusal)
    assert why.pointer == "/more/1"
