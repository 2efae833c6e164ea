"""Files as other programs write them: nothing usual in them ends in a trace, and nothing they say is dropped in silence."""

import bz2
import gzip
import json
import lzma
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from aggregates.churn import Definition
from infra.cli.evaluate_churn import churn
from infra.errors import Refusal
from infra.evaluation import files, numbers, reading, table
from infra.evaluation.churn import _why_no_auc
from infra.evaluation.files import Row
from infra.evaluation.reading import PURCHASED, RETURNED, Log


def read(
    folder: Path, text: str | bytes, name: str = "log.csv", purchases: frozenset[str] = frozenset(), *, contractual: bool = False
) -> Log:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return reading.facts(files.rows(path), purchases, contractual=contractual)


def parquet(folder: Path, columns: dict[str, Any]) -> Log:
    import pyarrow as pa
    from pyarrow import parquet as written

    written.write_table(pa.table(columns), folder / "log.parquet")
    return reading.facts(files.rows(folder / "log.parquet"))


def totals(log: Log) -> list[object]:
    return [one.fact.data.get("total", one.fact.data.get("value")) for one in log.told]


ORDERS = "a,2024-03-01,5\na,2024-03-02,6\na,2024-03-03,7\n"


@pytest.mark.parametrize("before", ["\n \n", "sep=,\n", '"sep=,"\r\n', "# exported, by, us\n", "\n# one\n#\n\n# two\n"])
def test_what_stands_before_the_heading_is_skipped(tmp_path: Path, before: str) -> None:
    assert totals(read(tmp_path, f"{before}customer,time,amount\n{ORDERS}")) == [5.0, 6.0, 7.0]


@pytest.mark.parametrize(
    "before",
    ["Orders of March\n\n", "Orders of March,,\nfrom the shop,,\n,,\n", '"Orders,\nof March"\nprinted,,\n', "# made by us\nOrders\n"],
)
def test_titles_above_the_heading_are_skipped_as_those_of_a_sheet_are(tmp_path: Path, before: str) -> None:
    assert totals(read(tmp_path, f"{before}customer,time,amount\n{ORDERS}")) == [5.0, 6.0, 7.0]
    assert totals(read(tmp_path, f"{before}customer,time,amount\n{ORDERS}".replace(",", ";"))) == [5.0, 6.0, 7.0]


def test_a_heading_may_begin_with_a_number_sign(tmp_path: Path) -> None:
    assert len(read(tmp_path, "#,customer,time\n1,a,2024-03-01\n").told) == 1
    assert len(read(tmp_path, "#customer,time\na,2024-03-01\n").told) == 1


def test_a_name_that_stands_twice_in_a_heading_is_the_first_columns(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "customer,time,plan,time,plan\na,2024-03-01,gold,5,old\n").told
    assert one.fact.at == datetime(2024, 3, 1, tzinfo=UTC)
    assert one.fact.data == {"plan": "gold", "time 2": "5", "plan 2": "old"}


def test_a_row_with_more_fields_than_the_heading_is_passed_over_and_counted(tmp_path: Path) -> None:
    found = read(tmp_path, f"customer,time,amount\n{ORDERS}a,2024-03-04,1,234.50\n")
    assert (len(found.told), found.passed_over) == (3, 1)
    assert totals(read(tmp_path, f"customer,time,amount\n{ORDERS}".replace("\na", ",\na"))) == [5.0, 6.0, 7.0]
    with pytest.raises(Refusal, match=r"row 1 has more fields than the heading, and so it is with 2 of 3.*quotes"):
        read(tmp_path, "customer,time,amount\na,2024-03-04,1,234\na,2024-03-04,1,234\na,2024-03-04,1\n")
    (tmp_path / "log.csv").write_text("id,Churn\n1,Yes\n2,No\n3,No,7\n")
    assert table.labels(list(files.rows(tmp_path / "log.csv")), "Churn")[2] == [True, False]


AMOUNTS = {
    "12,50": 12.5, "1234,56": 1234.56, "€12,50": 12.5, "12,50 €": 12.5, "1 234,56": 1234.56, "1\u202f234,56": 1234.56, "1.234,56": 1234.56,
    "-12,50": -12.5, "(12.50)": -12.5, "12.50-": -12.5, "−12.50": -12.5, "-$12.50": -12.5, "$-12.50": -12.5, "12,-": 12.0, "₹500": 500.0,
    "₹1,00,000.50": 100000.5, "Rs. 500": 500.0, "R$ 12,50": 12.5, "USD 12.50": 12.5, "1'234.50": 1234.5, "1,234,567": 1234567.0,
    "0,500": 0.5,
    ".5": 0.5, "1,5e3": 1500.0, "۱۲٫۵": 12.5, "۱٬۲۰۰ ریال": 1200.0, "12.-": 12.0,
    "12k": None, "12 apples": None, "2024-01-01": None, "1,2,3": None,
    "--5": None,
}  # fmt: skip


@pytest.mark.parametrize("text", AMOUNTS)
def test_an_amount_is_read_however_people_write_it(text: str) -> None:
    assert numbers.number(text) == numbers.number(text, comma=True) == AMOUNTS[text]


@pytest.mark.parametrize(
    ("cells", "amounts"),
    [
        (["1,234", "12.50"], [1234.0, 12.5]),
        (["1,234", "12,50"], [1.234, 12.5]),
        (["1.234", "12,50"], [1234.0, 12.5]),
        (["1.234", "12.5"], [1.234, 12.5]),
        (["1,234", "500"], [1234.0, 500.0]),
        (["1.200", "500"], [1200.0, 500.0]),
    ],
)
def test_a_whole_column_settles_what_one_amount_leaves_open(tmp_path: Path, cells: list[str], amounts: list[float]) -> None:
    log = "\n".join(["customer;time;amount", *[f"a;2024-03-0{day};{cell}" for day, cell in enumerate(cells, 1)]])
    assert totals(read(tmp_path, log)) == amounts


def test_a_negative_amount_with_a_comma_is_a_return_and_what_is_no_amount_is_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "customer;time;amount\na;2024-03-01;-12,50\na;2024-03-02;much\na;2024-03-03;\n")
    assert [one.fact.type for one in found.told] == [RETURNED, PURCHASED, PURCHASED]
    assert found.unread == {"amount": 1}
    large = {"customer": 1, "time": "2024-03-01", "amount": 10**400}
    assert read(tmp_path, json.dumps(large), "log.jsonl").unread == {"amount": 1}
    lines = read(tmp_path, "customer;date;qty;price;order_id\na;2024-03-01;2;1,5;o\na;2024-03-01;-1;2,5;p\na;2024-03-01;1;10,25;o\n")
    assert totals(lines) == [13.25, -2.5]


def test_further_columns_are_numbers_where_all_of_the_column_is(tmp_path: Path) -> None:
    found = read(
        tmp_path, 'customer,time,fee,off,size,street,till\na,2024-03-01,"1,007",12%,"0,7",1,03/24\na,2024-03-02,$12,5%,"2,5",b,04/24\n'
    )
    assert found.told[0].fact.data == {"fee": 1007.0, "off": 12.0, "size": 0.7, "street": "1", "till": "03/24"}
    rows: list[Row] = [{"bal": "1,007", "Churn": "Yes"}, {"bal": "12", "Churn": "No"}, {"bal": Decimal("2.5"), "Churn": "No"}]
    assert table.read(rows, "Churn") == [{"bal": 1007.0}, {"bal": 12.0}, {"bal": 2.5}]


def test_decimals_durations_and_times_of_day_are_read_from_parquet(tmp_path: Path) -> None:
    import pyarrow as pa

    found = parquet(
        tmp_path,
        {
            "customer": pa.array([Decimal(9007199254740993)] * 2, pa.decimal128(20, 0)),
            "time": pa.array([1_709_251_200, 10**14], pa.timestamp("s", "Mars/City")),
            "amount": pa.array([Decimal("-12.50")] * 2, pa.decimal256(50, 2)),
            "fee": pa.array([Decimal("1.5")] * 2, pa.decimal128(8, 2)),
            "took": pa.array([5_000_000_001] * 2, pa.duration("ns")),
            "clock": pa.array([5] * 2, pa.time64("ns")),
        },
    )
    ((customer, fact),) = found.told
    assert (customer, fact.type, fact.at) == ("9007199254740993", RETURNED, datetime(2024, 3, 1, tzinfo=UTC))
    assert {name: fact.data[name] for name in ("value", "fee", "took")} == {"value": -12.5, "fee": 1.5, "took": 5.0}
    assert (found.passed_over, found.unread) == (1, {"time": 1})
    assert table.labels([{"Churn": Decimal("1.00")}, {"Churn": Decimal("0.00")}], "Churn")[2] == [True, False]


def test_texts_that_a_parquet_file_does_not_call_so_are_read(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    def written(*texts: str) -> pa.Array:
        return pa.array([text.encode() for text in texts], pa.binary())

    rows = {
        "customer": written("سارا", "b"),
        "time": written("2024-03-01", "2024-03-02"),
        "type": written("order", "call").dictionary_encode(),
    }
    parquet.write_table(pa.table(rows | {"amount": written("1,250.50", ""), "odd": pa.array([b"\xff", None])}), tmp_path / "log.parquet")
    told = reading.facts(files.rows(tmp_path / "log.parquet")).told
    assert [(one.customer, one.fact.type, one.fact.data) for one in told] == [
        ("سارا", PURCHASED, {"total": 1250.5, "odd": "\\xff"}),
        ("b", "call", {}),
    ]


ENDS = {
    "ends_at": ("2024-03-01T00:00:00", "2024-04-01T00:00:00"), "EndsAt": ("2024-03-01", "2024-04-01T00:00:00Z"),
    "expires_at": ("1709251200", "1711929600"), "end_date": ("03/01/2024", "04/01/2024"),
    "membership_expire_date": ("20240301", "20240401"),
    "تاریخ پایان": ("1402-12-11", "1403-01-13"),
}  # fmt: skip


@pytest.mark.parametrize("heading", ENDS)
def test_when_a_contract_ends_is_read_as_times_are(tmp_path: Path, heading: str) -> None:
    begins, ends = ENDS[heading]
    rows = f"a,{begins},subscription.started,{ends}\n"
    if "/" in begins:
        rows += "b,03/13/2024,subscription.started,12/31/9999\n"
    found = read(tmp_path, f"customer,time,type,{heading}\n{rows}")
    assert found.columns["ends"] == heading
    assert found.told[0].fact.data == {"ends_at": "2024-04-01T00:00:00+00:00"}
    assert all(one.fact.data == {} for one in found.told[1:])


def test_an_end_that_cannot_be_read_is_counted_and_orders_have_none(tmp_path: Path) -> None:
    assert read(tmp_path, "customer,time,type,ends_at\na,2024-03-01,subscription.started,soon\n").unread == {"ends_at": 1}
    orders = read(tmp_path, "customer,time,end_date\na,2024-03-01,2024-04-01\n")
    assert "ends" not in orders.columns
    assert orders.told[0].fact.data == {"end_date": "2024-04-01"}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("log.csv.gz", gzip.compress(f"customer,time,amount\n{ORDERS * 99}".encode(), mtime=0)[:-9], "cannot be read"),
        ("log.jsonl", b"1\n2\n3", "row 1 is no JSON object, and so it is with 3 of 3"),
        ("log.jsonl", b'{"customer": 1, "time": 1}\n{"cust', "cannot be read after row 1"),
        ("log.parquet", b"hello", "cannot be read"),
        ("log.xlsx", b"hello", "cannot be read"),
        ("log.csv", b"\0", "The log is empty"),
        ("log.7z", b"7z\xbc\xaf\x27\x1c", "is packed by 7-Zip, which is not read. Unpack it"),
    ],
    ids=["packed and cut", "no objects", "an object that is cut", "no Parquet", "no workbook", "a zero", "another packer"],
)
def test_whatever_a_file_is_people_are_told_in_a_sentence(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        read(tmp_path, content, name)


def test_a_customer_and_an_order_may_be_lists_and_a_line_may_be_no_object(tmp_path: Path) -> None:
    lines = [{"customer": [7], "time": "2024-03-01", "order_id": [1, n]} for n in range(3)]
    found = read(tmp_path, "\n".join([*map(json.dumps, lines), "5"]), "log.jsonl")
    assert (len(found.told), found.passed_over) == (3, 1)


def test_a_few_times_that_cannot_be_read_are_passed_over_and_counted(tmp_path: Path) -> None:
    found = read(tmp_path, f"customer,time,amount\n{ORDERS}a,0000-00-00,1\na,2023-02-30,1\na,garbage,1\n")
    assert (len(found.told), found.passed_over, found.unread) == (3, 3, {"time": 3})
    with pytest.raises(Refusal, match=r"Row 2 has the time 'garbage'"):
        read(tmp_path, "customer,time\na,2024-03-01\na,garbage\na,garbage\n")


@pytest.mark.parametrize(
    ("lost", "kept"),
    [
        *[
            ("Churn", "No churn"),
            ("churn", "not_churned"),
            ("Churned", "Joined"),
            ("left", "joined"),
            ("Closed", "Open"),
            ("inactive", "active"),
        ],
        *[("not active", "active"), ("no longer active", "still active"), ("lost", "kept"), ("churner", "loyal"), ("churn", "non-churn")],
        *[
            ("churned", "unchurned"),
            ("unsubscribed", "subscribed"),
            ("not retained", "retained"),
            ("gone", "here"),
            ("quit", "stay"),
            ("yes churned", "false"),
        ],
        *[
            ("غیرفعال", "فعال"),
            ("غیر\u200cفعال", "فعال"),
            ("ریزش", "مانده"),
            ("رفته", "وفادار"),
            ("1", "-1"),
            ("1.", "0."),
            ("1e0", "0e0"),
            ("بلی", "خیر"),
        ],
    ],
)
def test_a_label_is_known_by_the_name_of_who_was_lost(lost: str, kept: str) -> None:
    assert table.labels([{"Churn": lost}, {"Churn": kept}], "Churn")[2] == [True, False]


def test_rows_that_say_nothing_of_their_label_are_passed_over() -> None:
    rows: list[Row] = [{"x": 1}, *[{"Churn": cell} for cell in (float("nan"), "NaN", "NULL", "", None, "No", True)]]
    assert table.labels(rows, "churn")[2] == [False, True]


def test_that_one_outcome_was_seen_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monthly = _why_no_auc(Definition(kind="contractual", horizon=30), 812, 0)
    assert "horizon of 30 days" in monthly
    assert "7 days of grace" in monthly
    assert "37 days" in monthly
    assert not _why_no_auc(Definition(), 812, 3)
    lines = [f"c{n % 5},{date(2024, 1, 1) + timedelta(days=n)}" for n in range(90)]
    (tmp_path / "log.csv").write_text("\n".join(["customer,time", *lines]))
    churn(events=tmp_path / "log.csv", horizon="30d", json_=True)
    assert json.loads(capsys.readouterr().out)["half"]["why_no_auc"].startswith("None of these rows was lost")
    for word, sentence in (("No", "None of these rows was lost;"), ("Yes", "All of these rows were lost;")):
        (tmp_path / "table.csv").write_text("\n".join(["x,Churn", *[f"{n},{word}" for n in range(50)]]))
        churn(events=tmp_path / "table.csv", no_time=True, json_=True)
        assert json.loads(capsys.readouterr().out)["why_no_auc"].startswith(sentence)


def test_that_nobody_buys_twice_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"c{n},{date(2024, 1, 1) + timedelta(days=n)}" for n in range(30)]
    (tmp_path / "log.csv").write_text("\n".join(["customer_id,order_purchase_timestamp", *rows]))
    churn(events=tmp_path / "log.csv", horizon="10d", json_=True)
    half = json.loads(capsys.readouterr().out)["half"]
    assert "Nobody of the log buys twice" in half["why_no_auc"]
    assert "buys twice" not in _why_no_auc(Definition(), 8, 8)


def test_people_are_told_what_is_in_no_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"c{n % 5},{date(2024, 1, 1) + timedelta(days=n)},{'much' if n == 7 else 5}" for n in range(90)]
    (tmp_path / "log.csv").write_text("\n".join(["customer,time,amount", *lines, "c1,2024-01-01,5,0", "c1,2024-02-30,5"]))
    churn(events=tmp_path / "log.csv", horizon="30d")
    said = " ".join(capsys.readouterr().out.split())
    assert "2 rows were passed over; 1 cells of the column amount cannot be read; 1 cells of the column time cannot be read." in said


@pytest.mark.parametrize(
    ("starts", "renews", "ends"),
    [
        ("signup", "renewal", "Cancellation"),
        ("Contract Created", "contract-extended", "contract.terminated"),
        ("subscribed", "subscription renewed", "unsubscribed"),
        ("شروع قرارداد", "تمدید قرارداد", "لغو قرارداد"),
    ],
)
def test_what_happens_to_contracts_is_known_by_what_people_call_it(tmp_path: Path, starts: str, renews: str, ends: str) -> None:
    rows = [f"a,2024-01-01,{starts}", f"a,2024-02-01,{renews}", "a,2024-02-09,call", f"a,2024-03-01,{ends}"]
    found = read(tmp_path, "\n".join(["customer,time,type", *rows]))
    types = [one.fact.type for one in found.told]
    assert types == ["subscription.started", "subscription.renewed", "call", "subscription.cancelled"]
    assert (found.contractual, found.contracts[starts]) == (True, "subscription.started")
    mixed = read(tmp_path, "\n".join(["customer,time,type", *rows, "a,2024-01-01,subscription.started"]), contractual=True)
    assert mixed.contracts == {"subscription.started": "subscription.started"}
    assert not read(tmp_path, "\n".join(["customer,time,type", *rows, "a,2024-01-05,order"])).contractual


def test_a_line_of_products_is_judged_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def bought(number: int) -> str:
        day = date(2024, 1, 1) + timedelta(days=number)
        return "\n".join(f"c{number % 20},{day},o{number},{category},5" for category in ("Phones", "books")[: 2 - number % 2])

    path = tmp_path / "log.csv"
    path.write_text("\n".join(["customer,time,order_id,category,amount", *map(bought, range(120))]))
    told = reading.facts(files.rows(path), only=("category",)).told
    assert len(told) == 180  # one order in two lines of products is two
    churn(events=path, horizon="20d", only="category=books", json_=True)
    found = json.loads(capsys.readouterr().out)
    assert found["definition"]["only"] == {"category": ["books"]}
    assert found["labelled"] + found["waiting"] == 60  # who bought phones alone is in no population of books
    with pytest.raises(Refusal, match="none of its purchases says tapes or cds in category"):
        churn(events=path, horizon="20d", only="category=tapes,cds")
    for wrong, said in (("colour=red", "No column 'colour'"), ("category", "not understood"), ("amount=5", "No column 'amount'")):
        with pytest.raises(Refusal, match=said):
            churn(events=path, horizon="20d", only=wrong)


def test_the_days_of_grace_can_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"c{n % 30},{date(2024, 1, 1) + timedelta(days=n)},{'renewed' if n > 29 else 'started'}" for n in range(120)]
    (tmp_path / "log.csv").write_text("\n".join(["customer,time,type", *rows]))
    churn(events=tmp_path / "log.csv", horizon="20d", grace=21, json_=True)
    assert json.loads(capsys.readouterr().out)["definition"]["grace"] == 21
    with pytest.raises(Refusal, match="days of grace"):
        churn(events=tmp_path / "log.csv", horizon="20d", grace=-1)


def test_that_no_event_starts_a_contract_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"No event of the log starts a contract; its types are payment\..*subscription.started"):
        read(tmp_path, "customer,time,type\na,2024-03-01,payment\n", contractual=True)


@pytest.mark.parametrize(
    ("heading", "line", "sentence"),
    [
        ("customer,time,amount", "c{n},{day},-5", "the amount of each purchase is negative.*--columns amount="),
        ("customer,time,type,ends_at", "c{n},{day},subscription.started,2020-01-01", "is over on the day it begins"),
        ("customer,time,type", "c{n},{day},{type}", "came in less than the horizon of 30 days"),
    ],
)
def test_a_log_of_which_nobody_is_scored_is_not_said_to_be_too_short(tmp_path: Path, heading: str, line: str, sentence: str) -> None:
    lines = [line.format(n=n, day=date(2024, 1, 1) + timedelta(days=n), type="order" if n > 80 else "call") for n in range(90)]
    (tmp_path / "log.csv").write_text("\n".join([heading, *lines]))
    with pytest.raises(Refusal, match=sentence):
        churn(events=tmp_path / "log.csv", horizon="30d", json_=True)


def test_one_label_alone_is_not_judged(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("customer,time\na,2024-01-01\nb,2024-02-20\n")
    with pytest.raises(Refusal, match="One label"):
        churn(events=tmp_path / "log.csv", horizon="30d", json_=True)


def test_rows_without_a_type_do_not_decide_what_a_purchase_is(tmp_path: Path) -> None:
    found = read(tmp_path, "customer,time,type\na,2024-03-01,OrderPlaced\na,2024-03-02,\na,2024-03-03,OrderPlaced,,7\n")
    assert found.purchases == ("OrderPlaced",)
    assert read(tmp_path, "customer,time,type\na,2024-03-01,subscription.started\na,2024-03-02\n").contractual


def test_a_purchase_is_named_in_any_case(tmp_path: Path) -> None:
    assert read(tmp_path, "customer,time,type\na,2024-03-01,buy\n", purchases=frozenset({"BUY"})).purchases == ("buy",)


def test_persian_of_old_windows_is_told_from_western_letters(tmp_path: Path) -> None:
    found = read(tmp_path, "مشتري,تاريخ,شهر\nسارا,2024-03-01,تهران\n".encode("cp1256"))
    assert (found.told[0].customer, found.told[0].fact.data) == ("سارا", {"شهر": "تهران"})
    assert read(tmp_path, "customer,time\nMäßig,2024-03-01\n".encode("cp1252")).told[0].customer == "Mäßig"


@pytest.mark.parametrize("time", ["03-Jan-23", "03JAN2023", "03Jan23", "3 January 2023", "03JAN2023:00:00:00", "Jan 3, 2023"])
def test_months_are_known_by_name(tmp_path: Path, time: str) -> None:
    assert read(tmp_path, f'customer,time\na,"{time}"\n').told[0].fact.at == datetime(2023, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["GMT+0330 (Iran Standard Time)", "GMT+0330", "UTC+03:30", "+03:30", "+0330 (IRST)"])
def test_times_are_read_as_browsers_write_them(tmp_path: Path, zone: str) -> None:
    for day in ("Mon Jan 04 2021", "2021-01-04"):
        assert read(tmp_path, f"customer,time\na,{day} 05:48:43 {zone}\n").told[0].fact.at == datetime(2021, 1, 4, 2, 18, 43, tzinfo=UTC)


@pytest.mark.parametrize(
    "time",
    [
        *("10/Oct/2000:13:55:36 -0700", "[10/Oct/2000:13:55:36 -0700]", "10-OCT-00 08.55.36.000000000 PM", "10-OCT-2000 20.55.36"),
        *("11-OCT-00 12.25.36.000000 AM +03:30", "2000-10-10 20.55.36", "Tue Oct 10 13:55:36 -0700 2000", "Tue Oct 10 20:55:36 UTC 2000"),
        *("10/10/2000 08:55:36.0000000 PM", "2000-10-10-20.55.36.000000", "2000-10-10-20.55.36", "10.10.2000 20.55.36"),
        *("2000-10-10 15:55:36 EST", "10.10.2000 22:55:36 CEST", "Tue Oct 10 13:55:36 PDT 2000", "Tue Oct 10 2000 22:55:36 CEST"),
    ],
)
def test_times_are_read_as_servers_and_databases_write_them(tmp_path: Path, time: str) -> None:
    assert read(tmp_path, f"customer,time\na,{time}\n").told[0].fact.at == datetime(2000, 10, 10, 20, 55, 36, tzinfo=UTC)


@pytest.mark.parametrize("time", ["10.10.2000 13.55", "2000-10-10 13.55", "2000-10-10T13.55", "10.10.2000 1.55 PM", "10/10/2000 13.55"])
def test_a_time_of_day_may_have_a_point_between_hours_and_minutes(tmp_path: Path, time: str) -> None:
    assert read(tmp_path, f"customer,time\na,{time}\n").told[0].fact.at == datetime(2000, 10, 10, 13, 55, tzinfo=UTC)


def test_letters_that_are_the_time_of_several_countries_are_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"'2000-10-10 13:55:36 CST', which cannot be read"):
        read(tmp_path, "customer,time\na,2000-10-10 13:55:36 CST\n")


def test_months_and_days_without_a_year_are_not_taken_for_counted_days(tmp_path: Path) -> None:
    days = [date(2014, 8, 25) + timedelta(days=number) for number in range(20)]
    with pytest.raises(Refusal, match=r"The times of the column 'time_stamp' are a month and a day.*Put the year before each"):
        read(tmp_path, "user_id,time_stamp\n" + "".join(f"a,{day:%m%d}\n" for day in days))
    counted = read(tmp_path, "user_id,day\n" + "".join(f"a,{number}\n" for number in range(820, 840)))
    assert counted.told[0].fact.at == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=820)


@pytest.mark.parametrize(
    "heading",
    ["msno", "visitorid", "card_id", "email", "customer_name", "شناسه", "شناسه مشتری", "نام مشتری", "id,email", "id,shop_user_id"],
)
def test_customers_are_known_by_what_people_call_them(tmp_path: Path, heading: str) -> None:
    found = read(tmp_path, f"{heading},time\n{'1,' * heading.count(',')}a,2024-03-01\n")
    assert found.told[0].customer == "a"


def test_a_log_of_days_is_the_same_in_whatever_order_its_customers_stand(tmp_path: Path) -> None:
    rows = ["b,2024-03-01", "a,2024-03-01", "c,2024-03-01"]
    one, other = (read(tmp_path, "\n".join(["customer,time", *some])) for some in (rows, rows[::-1]))
    assert [told.customer for told in one.told] == [told.customer for told in other.told] == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_a_column_without_a_name_numbers_rows_and_says_nothing(tmp_path: Path, name: str) -> None:
    cells = [
        ("", "customer", "time", "type"),
        ("0", "a", "2024-03-01", "subscription.started"),
        ("1", "a", "2024-06-01", "subscription.renewed"),
    ]
    for width in (3, 4):
        heading, *rows = (row[:width] for row in cells)
        lines = [",".join(row) for row in (heading, *rows)]
        if name == "log.jsonl":
            lines = [json.dumps(dict(zip(heading, row, strict=True))) for row in rows]
        assert [(one.customer, one.fact.data) for one in read(tmp_path, "\n".join(lines), name).told] == [("a", {}), ("a", {})]


def test_names_that_pandas_gives_to_columns_without_one_are_none(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "Unnamed: 0.1,Unnamed: 0,customer,time,plan\n0,7,a,2024-03-01,gold\n").told
    assert one.fact.data == {"plan": "gold"}
    found = parquet(tmp_path, {"customer": ["a"], "time": ["2024-03-01"], "__index_level_0__": [7]})
    assert found.told[0].fact.data == {}


ROWS = [{"customer": "a", "time": "2024-03-01", "amount": 5}, {"customer": "b", "time": "2024-03-02", "amount": 6}]


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (json.dumps(ROWS, indent=1), "log.json"),
        (json.dumps(ROWS), "log.jsonl"),
        (json.dumps({"events": ROWS, "next": None}), "log.json"),
        (json.dumps({"schema": {"fields": []}, "data": ROWS}, indent=1), "log.json"),
        (json.dumps({name: {str(n): row[name] for n, row in enumerate(ROWS)} for name in ROWS[0]}), "log.json"),
        (json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}), "log.json"),
        ("\n".join(map(json.dumps, ROWS)), "log.txt"),
        ("\n".join(json.dumps({**row, "note": "a\u2028b"}, ensure_ascii=False) for row in ROWS), "log.json"),
    ],
    ids=["an array", "an array of lines", "under a name", "a table of pandas", "columns of pandas", "columns", "lines", "a line's end"],
)
def test_json_holds_its_objects_in_any_of_the_usual_ways(tmp_path: Path, document: str, name: str) -> None:
    found = read(tmp_path, document, name)
    assert [(one.customer, one.fact.data["total"]) for one in found.told] == [("a", 5.0), ("b", 6.0)]


def test_one_object_with_lines_is_one_row(tmp_path: Path) -> None:
    assert len(read(tmp_path, json.dumps({**ROWS[0], "lines": [{"sku": 1}, {"sku": 2}]}), "log.json").told) == 1


def test_a_file_is_read_as_it_is_packed(tmp_path: Path) -> None:
    text = f"customer,time,amount\n{ORDERS}".encode()
    assert totals(read(tmp_path, bz2.compress(text), "log.csv.bz2")) == [5.0, 6.0, 7.0]
    assert totals(read(tmp_path, lzma.compress(text), "log.csv.xz")) == [5.0, 6.0, 7.0]
    with ZipFile(tmp_path / "log.zip", "w") as archive:
        archive.writestr("__MACOSX/._log.jsonl", b"\0")
        archive.writestr("data/log.jsonl", "\n".join(map(json.dumps, ROWS)))
    assert totals(reading.facts(files.rows(tmp_path / "log.zip"))) == [5.0, 6.0]
    with ZipFile(tmp_path / "log.zip", "a") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(Refusal, match=r"holds 2 files: data/log.jsonl, readme.txt. Unpack it"):
        reading.facts(files.rows(tmp_path / "log.zip"))


def test_a_log_may_be_a_workbook_whose_sheets_are_a_year_each(tmp_path: Path) -> None:
    import xlsxwriter

    def line(invoice: object, quantity: int, day: datetime, customer: object = None) -> list[object]:
        return [invoice, quantity, day.replace(tzinfo=None), 2.5, customer]

    heading: list[object] = ["Invoice", "Quantity", "InvoiceDate", "Price", "Customer ID"]
    first, last = datetime(2010, 12, 1, 8, 26, tzinfo=UTC), datetime(2011, 12, 1, tzinfo=UTC)
    sheets: dict[str, list[list[object]]] = {
        "Notes": [["what this is"], ["and how"]],
        "2010": [["Sales of 2010"], [], heading, line(1, 2, first, 17850), line("C2", -1, first)],
        "2011": [heading, line(3, 4, last, 17850)],
    }
    book = xlsxwriter.Workbook(str(tmp_path / "log.xlsx"), {"default_date_format": "d/m/yy h:mm"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    book.close()
    found = reading.facts(files.rows(tmp_path / "log.xlsx"))
    assert [(one.customer, one.fact.at, one.fact.data) for one in found.told] == [
        ("17850", first, {"total": 5.0}),
        ("17850", last, {"total": 10.0}),
    ]
    assert found.passed_over == 1


@pytest.mark.parametrize(
    ("heading", "row", "columns"),
    [
        ("customerid,orderdate,totalamount", "a,2024-03-01,5", ("customerid", "orderdate", "totalamount")),
        ("t_dat,customer_id,article_id,price", "2024-03-01,a,7,5", ("customer_id", "t_dat", "price")),
        ("TRANSACTION_DT,CUSTOMER_ID,AMOUNT", "3/13/2024,a,5", ("CUSTOMER_ID", "TRANSACTION_DT", "AMOUNT")),
        ("order_id,customer_id,order_purchase_timestamp,customer_unique_id,payment_value", "1,x,2024-03-01,a,5",
         ("customer_unique_id", "order_purchase_timestamp", "payment_value")),
        ("SHOP_WEEK,SHOP_DATE,SPEND,CUST_CODE,BASKET_ID", "1,20240301,5,a,7", ("CUST_CODE", "SHOP_DATE", "SPEND")),
        ("id,chain,date,purchasequantity,purchaseamount", "a,205,2024-03-01,1,5", ("id", "date", "purchaseamount")),
        ("SalesOrderID,OrderDate,CustomerID,SubTotal,TotalDue", "1,2024-03-01,a,4,5", ("CustomerID", "OrderDate", "TotalDue")),
        ("created_at,price,qty_ordered,grand_total,Customer ID", "3/1/2024,2,3,5,a", ("Customer ID", "created_at", "grand_total")),
    ],
)  # fmt: skip
def test_logs_are_read_as_they_are_published(tmp_path: Path, heading: str, row: str, columns: tuple[str, str, str]) -> None:
    found = read(tmp_path, f"{heading}\n{row}\n")
    assert tuple(found.columns[meaning] for meaning in ("customer", "time", "amount")) == columns
    assert (found.told[0].customer, totals(found)) == ("a", [5.0])


def test_lines_of_an_order_are_one_however_its_number_is_called(tmp_path: Path) -> None:
    rows = "1433221332117,a,view,7,\n1433221332118,a,transaction,7,1\n1433221332118,a,transaction,8,1\n"
    found = read(tmp_path, f"timestamp,visitorid,event,itemid,transactionid\n{rows}")
    assert [one.fact.type for one in found.told] == ["view", PURCHASED]


class Counted(list[Row]):
    """Rows that count how often they are gone through."""

    times = 0

    def __iter__(self) -> Iterator[Row]:
        self.times += 1
        return super().__iter__()


def test_a_log_is_gone_through_three_times_for_its_columns_its_manner_and_its_facts() -> None:
    rows = Counted([{"customer": "a", "time": "2024-03-01", "type": "order", "amount": 5}])
    assert len(reading.facts(rows).told) == 1
    assert rows.times == 3


def test_words_that_many_rows_say_are_kept_once(tmp_path: Path) -> None:
    first, second = read(tmp_path, "customer,time,city\na,2024-03-01,Shiraz\nb,2024-03-01,Shiraz\n").told
    assert first.fact.data["city"] is second.fact.data["city"]


def test_what_columns_mean_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("fecha_dato,ncodpers,amount,date\n2024-03-01,a,7,2020-01-01\n")
    table = files.rows(tmp_path / "log.csv")
    found = reading.facts(table, said={"customer": "NCODPERS", "time": "fecha_dato", "amount": ""})
    assert found.columns == {"customer": "ncodpers", "time": "fecha_dato"}
    assert [(one.customer, one.fact.at.year, one.fact.data) for one in found.told] == [("a", 2024, {"amount": "7", "date": "2020-01-01"})]
    for said, sentence in (({"who": "x"}, "no meaning 'who'.*customer, time, ends"), ({"time": "x"}, "no column 'x'; it has fecha_dato")):
        with pytest.raises(Refusal, match=sentence):
            reading.facts(table, said=said)
    with pytest.raises(Refusal, match="'ncodpers' is not understood"):
        churn(events=tmp_path / "log.csv", columns="ncodpers")
    with pytest.raises(Refusal, match="not longer than the horizon"):
        churn(events=tmp_path / "log.csv", columns="customer=ncodpers, time=fecha_dato,amount=")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("196\t242\t3\t881250949\n1\t2\t3\t881250949\n", r"has no heading, it seems; it begins with 196, 242.*Begin it with one"),
        ("1::1193::5::978300760\n1::661::3::978302109\n", "has no heading, it seems"),
        ("order_id,user_id,days_since_prior_order\n1,a,\n", r"as in 'days_since_prior_order', is no time.*Count each customer's days"),
        ("customerID,tenure,Churn\na,1,No\n", r"no column 'time'; it has.*--columns time=NAME.*--no-time"),
        ("age,y\n1,no\n", r"no column 'customer'; it has age, y\. Say which it is with --columns customer=NAME"),
    ],
)
def test_what_a_log_lacks_is_said_with_what_mends_it(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        read(tmp_path, text)


def test_a_log_of_which_most_amounts_are_negative_is_not_taken_for_returns(tmp_path: Path) -> None:
    rows = "a,2024-03-01,-0.7\na,2024-03-02,-0.6\nb,2024-03-02,1.5\n"
    with pytest.raises(Refusal, match=r"2 of 3 purchases have a negative amount in 'purchase_amount', which is read as a return.*amount="):
        read(tmp_path, f"card_id,purchase_date,purchase_amount\n{rows}")


def test_contracts_without_types_are_known_by_when_each_row_ends(tmp_path: Path) -> None:
    rows = "a,20150930,20151101,0\na,20151031,20151201,0\n"
    found = read(tmp_path, f"msno,transaction_date,membership_expire_date,is_cancel\n{rows}", contractual=True)
    assert [(one.fact.type, one.fact.data["ends_at"][:10]) for one in found.told] == [
        ("subscription.renewed", "2015-11-01"),
        ("subscription.renewed", "2015-12-01"),
    ]


def test_a_label_may_be_named_as_people_write_it(tmp_path: Path) -> None:
    for heading, label in (("Churn Label", "churn_label"), ("Churn?", "Churn"), ("IsChurn", "is churn")):
        assert table.labels([{heading: "True."}, {heading: "False."}], label)[2] == [True, False]
    with pytest.raises(Refusal, match=r"no column 'Churn'; it has age, Exited. Name the one"):
        table.labels([{"age": 1, "Exited": 0}], "Churn")


def test_each_sheet_of_a_workbook_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import python_calamine
    import xlsxwriter

    book = xlsxwriter.Workbook(str(tmp_path / "log.xlsx"))
    for _ in range(3):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["customer", "time"])
        sheet.write_row(1, 0, ["a", "2024-03-01"])
    book.close()
    real, opened = python_calamine.CalamineWorkbook, list[str]()

    class Counting:
        def __init__(self, file: Any) -> None:
            self.book = real.from_filelike(file)
            self.sheet_names = self.book.sheet_names

        from_filelike = classmethod(lambda cls, file: cls(file))

        def get_sheet_by_name(self, name: str) -> Any:
            opened.append(name)
            return self.book.get_sheet_by_name(name)

    monkeypatch.setattr(python_calamine, "CalamineWorkbook", Counting)
    assert [row["customer"] for row in files.rows(tmp_path / "log.xlsx")] == ["a", "a", "a"]
    assert opened == ["Sheet1", "Sheet2", "Sheet3"]


def test_a_table_does_not_learn_from_the_numbers_of_its_rows(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(",age,Churn\n0,30,yes\n1,40,no\n")
    assert list(files.rows(tmp_path / "table.csv")) == [{"age": "30", "Churn": "yes"}, {"age": "40", "Churn": "no"}]
