"""Every format, encoding and layout of one list gives the same events."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from aggregates.rows.mapping import Mapping
from aggregates.rows.mapping import read as read_mapping
from aggregates.source import Source
from infra.errors import Refusal
from infra.importing.opening import fitting, opened
from infra.importing.preview import preview
from infra.importing.table import Read
from tests.rows.files import FORMATS, HEADERS, text

SALES = Mapping("reseller.sale_reported")


def events(path: Path, mapping: Mapping = SALES) -> list[dict[str, Any]]:
    shown = preview(mapping, opened(path, mapping).table.rows, Source("novin"), path.name, 10)
    assert shown.rejected == []
    return [one["event"] for one in shown.first]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_events(name: str, tmp_path: Path) -> None:
    found = events(FORMATS[name](tmp_path / name))
    assert [one["id"] for one in found] == ["310", "311"]
    assert [one["data"]["total"] for one in found] == ["3900000", "900000"]
    assert [datetime.fromisoformat(one["time"]).astimezone(UTC).isoformat() for one in found] == [
        "2025-11-20T20:30:00+00:00",
        "2025-11-21T20:30:00+00:00",
    ]
    assert found[0]["data"]["who"] == {"phone": "09121234567"}


def test_rows_are_numbered_as_people_see_them(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv", title="گزارش")
    assert [row.number for row in opened(path, SALES).table.rows] == [3, 4]
    book = FORMATS["book.xlsx"](tmp_path / "a.xlsx")
    assert [row.number for row in opened(book, SALES).table.rows] == [4, 5]


def test_cells_beyond_the_headers_and_lines_that_are_no_json_are_refused_by_themselves(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv")
    path.write_text(path.read_text("utf-8") + "312,1404/09/02,09121234567,TEA,1,10,too,many\n", "utf-8")
    assert [row.fault for row in opened(path, SALES).table.rows] == ["", "", "extra_cells"]
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"a": 1}\n{broken\n[1]\n\n{"a": 2}\n')
    assert [(row.number, row.fault) for row in opened(lines, SALES).table.rows] == [(1, ""), (2, "not_json"), (3, "not_json"), (5, "")]


@pytest.mark.parametrize("indent", [None, 1])
def test_one_array_of_objects_is_as_many_rows(indent: int | None, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"فاکتور": 1}, [2], {"فاکتور": 3}], ensure_ascii=False, indent=indent))
    file = opened(path, Mapping("x.y"))
    fitting(file, Mapping(type="reseller.sale_reported"))
    rows = list(file.table.rows)
    assert [(row.number, row.cells.get("فاکتور"), row.fault) for row in rows] == [(1, 1, ""), (2, None, "not_json"), (3, 3, "")]


def test_an_array_that_is_cut_is_lines_that_are_no_json(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('[1]\n{"a": 1}\n')
    assert [row.fault for row in opened(tmp_path / "a.jsonl", Mapping("x.y")).table.rows] == ["not_json", ""]


def test_a_folder_that_was_packed_is_told_to_be_unpacked(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "x\n1\n")
    with pytest.raises(Refusal, match="unpack what is packed"):
        opened(tmp_path / "a.zip", Mapping("x.y"))


def test_a_mapping_says_where_the_headers_stand(tmp_path: Path) -> None:
    mapping = read_mapping("{type: x.y, file: {header_row: 2, delimiter: ','}}").mapping
    assert mapping is not None
    path = tmp_path / "a.csv"
    path.write_text("a,b\nc,d\n1,2\n")
    assert list(opened(path, mapping).table.rows) == [Read(3, {"c": "1", "d": "2"})]


@pytest.mark.parametrize("name", ["missing.csv", "empty.csv", "broken.xlsx", "broken.parquet"])
def test_what_cannot_be_read_is_said_in_one_sentence(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name != "missing.csv":
        path.write_bytes({"empty.csv": b"", "broken.xlsx": b"PK\x03\x04 no", "broken.parquet": b"PAR1 no"}[name])
    with pytest.raises(Refusal, match=name):
        opened(path, SALES)


def test_a_quote_that_nobody_closes_costs_no_row_behind_it(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv")
    row = '{},1404/09/02,09121234567,"{}",1,10\n'
    path.write_text(
        path.read_text("utf-8")
        + row.format(312, "TEA").replace('",', ",")
        + row.format(313, "two\nlines, and a comma")
        + row.format(314, "CUP")
    )
    read = list(opened(path, SALES).table.rows)
    assert [(one.number, one.fault, one.cells.get("شماره فاکتور")) for one in read[2:]] == [
        (4, "open_quote", None),
        (5, "", "313"),
        (6, "", "314"),
    ]
    path.write_text(path.read_text("utf-8") + row.format(315, "TEA").replace('",', ",") + "316,1404/09/02,09121234567,TEA,1,10\n")
    read = list(opened(path, SALES).table.rows)
    assert [(one.number, one.fault) for one in read[5:]] == [(7, "open_quote"), (8, "")]
    judged = preview(SALES, opened(path, SALES).table.rows, Source("novin"), path.name, 0)
    assert [one["row"] for one in judged.rejected] == [4, 7]


def test_a_letter_that_was_cut_in_two_costs_only_itself(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv")
    path.write_bytes(path.read_bytes().replace(b"CUP-1", "کا".encode()[:3]))
    assert [row.cells["کد کالا"] for row in opened(path, SALES).table.rows] == ["TEA-250", "ک\ufffd"]


def test_of_several_sheets_the_one_whose_headers_are_known_is_read(tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("راهنما").write_column(0, 0, ["این فایل را پر کنید", "تاریخ", "هر ردیف یک فروش"])
    book.add_worksheet("فروش").write_row(3, 0, HEADERS)
    book.close()
    assert opened(path, SALES).table.how == "workbook, sheet فروش"


def test_a_file_whose_headers_nobody_knows_is_refused_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for content in ("312,1404/09/02,09121234567\n313,1404/09/02,09121234567\n", "a;b\n1;2\n"):
        path.write_text(content)
        with pytest.raises(Refusal, match="No header of"):
            fitting(opened(path, SALES), SALES)
        fitting(opened(path, Mapping("x.y")), Mapping("x.y"))  # of an open type everything is kept under its own name


def test_what_no_text_is_in_a_column_that_nobody_knows_costs_no_row(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"a": [b"\x00\xff", b"text"], "b": [float("inf"), float("nan")]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert [row.cells for row in opened(tmp_path / "a.parquet", SALES).table.rows] == [{"a": "00ff", "b": None}, {"a": "text", "b": None}]


def test_a_cell_that_is_missing_is_named_by_its_column(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv")
    path.write_text(path.read_text("utf-8") + "312,1404/09/02,09121234567\n313,1404/09/02,09121234567,TEA,1,\n")
    judged = preview(SALES, opened(path, SALES).table.rows, Source("novin"), path.name, 0)
    assert [(one["row"], one["column"], one["reason"]) for one in judged.rejected] == [
        (4, "کد کالا", "missing_field"),
        (5, "مبلغ کل (تومان)", "missing_field"),
    ]


@pytest.mark.parametrize("end", [8, -9])
def test_what_was_packed_and_cut_off_is_said(end: int, tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(text(tmp_path / "a.csv").read_bytes())[:end])
    with pytest.raises(Refusal, match="cut off or broken"):
        opened(path, SALES)


def test_headers_are_named_once_each(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,,a\n1,2,3\n")
    assert opened(path, Mapping("x.y")).table.headers == ("a", "column 2", "a 3")
    assert len(HEADERS) == 6
