"""Files as other programs write them: nothing usual in them ends in a trace, and nothing they say is dropped in silence."""

import bz2
import gzip
import json
import lzma
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from infra.errors import Refusal
from infra.evaluation import files, reading, table
from infra.evaluation.files import Row
from infra.evaluation.reading import PURCHASED
from tests.churn.written import ORDERS, parquet, read, totals


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


def test_persian_of_old_windows_is_told_from_western_letters(tmp_path: Path) -> None:
    found = read(tmp_path, "مشتري,تاريخ,شهر\nسارا,2024-03-01,تهران\n".encode("cp1256"))
    assert (found.told[0].customer, found.told[0].fact.data) == ("سارا", {"شهر": "تهران"})
    assert read(tmp_path, "customer,time\nMäßig,2024-03-01\n".encode("cp1252")).told[0].customer == "Mäßig"


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
