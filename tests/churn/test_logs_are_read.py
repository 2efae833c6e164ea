"""`yekta evaluate churn` reads what people have: CSV, JSON lines and Parquet, of orders alone or of mixed events."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.cli.evaluate_churn import churn
from infra.errors import Refusal
from infra.evaluation import files, reading, table
from infra.evaluation.files import Row
from infra.evaluation.reading import PURCHASED, RETURNED, Log
from streams.learning import metrics
from tests.churn.synthetic import World, log

WORLD = World(customers=80, days=120, joining=60, gap=12.0, complaints=0.02, leaving=0.5)


def written(folder: Path, ending: str, rows: list[Row]) -> Path:
    path = folder / f"log.{ending}"
    plain = [{**row, "time": row["time"].isoformat()} for row in rows]
    if ending == "csv":
        names = ("customer", "time", "type", "amount")
        path.write_text("\n".join([",".join(names), *[",".join(str(row.get(name, "")) for name in names) for row in plain]]))
    elif ending == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in plain))
    else:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.Table.from_pylist([{"amount": None, **row} for row in rows]), path)
    return path


def read(folder: Path, text: str, purchases: frozenset[str] = frozenset()) -> Log:
    path = folder / "log.csv"
    path.write_text(text)
    return reading.facts(files.rows(path), purchases)


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_the_same_log_is_the_same_facts_in_every_form(tmp_path: Path, ending: str) -> None:
    rows = log(WORLD, 2)
    forms = [reading.facts(files.rows(written(tmp_path, form, rows))) for form in ("csv", ending)]
    assert [(one.customer, one.fact) for one in forms[0].told] == [(one.customer, one.fact) for one in forms[1].told]


@pytest.mark.parametrize(
    "times",
    [
        ["2024-03-01", "20240301", "2024-03-01 00:00:00", "2024-03-01T03:30:00+03:30", "2024-03-01 03:30 +0330", "2024-03-01T00:00:00Z"],
        ["1709251200", "1709251200.0", "1709251200000", "1709251200000000", "1709251200000000000"],
        ["2024/3/1 0:00", "2024-03-01 00:00:00 UTC", "Mar 1, 2024 12:00 AM", "01-Mar-2024", "Fri, 01 Mar 2024 00:00:00 GMT"],
        ["1402/12/11", "۱۴۰۲/۱۲/۱۱", "1402-12-11"],
        ["01/03/2024", "1.3.2024", "01/03/24", "1.3.24 00:00"],
    ],
)
def test_times_are_understood_as_people_write_them(tmp_path: Path, times: list[str]) -> None:
    found = read(tmp_path, "\n".join(["customer_id,date", *[f'a,"{time}"' for time in times]])).told
    assert {one.fact.at for one in found} == {datetime(2024, 3, 1, tzinfo=UTC)}
    assert {one.fact.type for one in found} == {PURCHASED}


def test_a_purchase_of_a_type_that_there_is_not_is_a_slip(tmp_path: Path) -> None:
    with pytest.raises(
        Refusal, match=r"^No event of the log is of the type 'sael'; its types are sale, visit\. Name them with --purchases\."
    ):
        read(tmp_path, "customer,time,type\na,2024-01-01,sale\na,2024-01-02,visit\n", frozenset({"SALE", "sael"}))


def test_a_whole_column_settles_what_one_time_leaves_open(tmp_path: Path) -> None:
    months = read(tmp_path, "customer,time\na,3/1/2024 0:00\na,12/13/2024 15:05\n")
    assert [one.fact.at for one in months.told] == [datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 12, 13, 15, 5, tzinfo=UTC)]
    days = read(tmp_path, "customer,day\na,10\na,700.5\n")
    assert [(one.fact.at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() for one in days.told] == [10 * 86_400, 700.5 * 86_400]
    sheet = read(tmp_path, "customer,day,amt\na,29000,5\na,45292.5,7\n")  # as spreadsheets count them: the same column says so
    assert [one.fact.at for one in sheet.told] == [datetime(1979, 5, 25, tzinfo=UTC), datetime(2024, 1, 1, 12, tzinfo=UTC)]
    assert [one.fact.data for one in sheet.told] == [{"total": 5.0}, {"total": 7.0}]


def test_the_day_and_the_time_of_day_may_stand_apart(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "customer,date,time,amount\na,2024-03-01,08:26,5\n").told
    assert (one.fact.at, one.fact.data) == (datetime(2024, 3, 1, 8, 26, tzinfo=UTC), {"total": 5.0})


@pytest.mark.parametrize("heading", ["order_date,order_time", "InvoiceDate,InvoiceTime", "date,time", "time,date"])
def test_the_time_of_day_stands_beside_its_day_in_either_order(tmp_path: Path, heading: str) -> None:
    cells = "10:15:00 PM,1/31/2024" if heading == "time,date" else "1/31/2024,10:15:00 PM"
    (one,) = read(tmp_path, f"customer,{heading}\na,{cells}\n").told
    assert (one.fact.at, one.fact.data) == (datetime(2024, 1, 31, 22, 15, tzinfo=UTC), {})


@pytest.mark.parametrize("cells", ["2024-01-31 08:00,22:15", "1706688000,22:15", "2024-01-31,22"])
def test_a_time_of_day_that_is_not_its_days_is_data(tmp_path: Path, cells: str) -> None:
    assert read(tmp_path, f"customer,order_date,order_time\na,{cells}\n").told[0].fact.data
    assert read(tmp_path, f"customer,order_date,opening_time\na,{cells}\n").told[0].fact.data


def test_columns_are_known_by_what_people_call_them(tmp_path: Path) -> None:
    shop = read(
        tmp_path,
        "InvoiceNo,CustomerID,InvoiceDate,Quantity,UnitPrice,Country\n1,7.0,2024-01-01,2,3.5,UK\n1,7.0,2024-01-01,1,3,UK\n2,,2024-01-01,1,1,UK\n",
    )
    assert [(one.customer, one.fact.data) for one in shop.told] == [("7.0", {"total": 10.0, "Country": "UK"})]
    assert shop.passed_over == 1
    persian = read(tmp_path, "مشتری,تاریخ,نوع,مبلغ\nسارا,۱۴۰۲/۱۲/۱۱,خرید,۱٬۲۰۰\nسارا,۱۴۰۲/۱۲/۱۲,تماس,\n")
    assert [(one.fact.type, one.fact.data) for one in persian.told] == [(PURCHASED, {"total": 1200.0}), ("تماس", {})]
    assert read(tmp_path, "Event Time,Customer ID,Type\n2024-01-01,a,OrderPlaced\n2024-01-01,a,OrderCompleted\n").purchases == (
        "OrderPlaced",
    )


def test_lines_of_json_need_not_have_all_columns(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"customer": 1, "time": 1709251200, "type": "call"}\n{"customer": 1, "time": 1709251200, "type": "order", "amount": 5}\n'
    )
    assert [one.fact.data for one in reading.facts(files.rows(path)).told] == [{}, {"total": 5.0}]


def test_a_log_of_subscriptions_alone_is_one_of_contracts(tmp_path: Path) -> None:
    assert read(tmp_path, "customer,time,type\na,2024-01-01,subscription.started\na,2024-02-01,subscription.cancelled\n").contractual


@pytest.mark.parametrize("heading", ["subscription_id", "ContractNo", "شماره قرارداد"])
def test_which_contract_an_event_is_of_is_known_by_its_number(tmp_path: Path, heading: str) -> None:
    rows = ["a,2024-01-01,subscription.started,7", "a,2024-01-02,subscription.started,8", "a,2024-02-01,subscription.cancelled,7"]
    found = read(tmp_path, "\n".join([f"customer,time,type,{heading}", *rows]))
    assert [one.fact.data for one in found.told] == [{"subscription_id": "7"}, {"subscription_id": "8"}, {"subscription_id": "7"}]
    assert found.columns["contract"] == heading


def test_lines_of_an_order_are_one_order_and_a_negative_one_is_a_return(tmp_path: Path) -> None:
    found = read(tmp_path, "customer;time;amount;order_id\na;2024-01-01;5;o1\na;2024-01-01;7;o1\na;2024-01-02;-5;o2\na;2024-01-03;1;\n")
    assert [(one.fact.type, one.fact.data) for one in found.told] == [
        (PURCHASED, {"total": 12.0}),
        (RETURNED, {"value": -5.0}),
        (PURCHASED, {"total": 1.0}),
    ]


def test_what_a_purchase_is_can_be_said(tmp_path: Path) -> None:
    text = "customer,time,type\na,2024-01-01,donated\na,2024-01-02,order\n"
    assert [one.fact.type for one in read(tmp_path, text, frozenset({"donated"})).told] == [PURCHASED, "order"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        ("customer,remark\na,2024-01-01\n", "no column 'time'"),
        ("customer,time\na,yesterday\n", "'yesterday'"),
        ("customer,time,type\na,2024-01-01,donated\n", "No event of the log is a purchase; its types are donated"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        read(tmp_path, text)


def test_the_command_prints_every_model_on_both_ranges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    churn(events=written(tmp_path, "csv", log(WORLD, 2)), horizon="20d", tail=50, json_=True)
    found = json.loads(capsys.readouterr().out)
    for judgement in (found["half"], found["tail"]):
        assert list(judgement["models"]) == ["model", "purchase_count", "decayed_count", "prior", "batch"]
        assert all(set(one) == {"auc", "log_loss", "calibration_error"} for one in judgement["models"].values())
    assert found["tail"]["rows"] == 50
    assert found["half"]["rows"] == found["labelled"] - found["labelled"] // 2
    assert found["definition"]["horizon"] == 20
    assert found["batch_trained_on"] == 20_000


def test_the_command_prints_tables_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    churn(events=written(tmp_path, "csv", log(WORLD, 2)), horizon="3w")
    assert "decayed count" in capsys.readouterr().out


def test_the_command_reads_a_table_without_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "table.csv"
    path.write_text("id,plan,Left\n" + "\n".join(f"c{number},{'ab'[number % 2]},{'yn'[number % 2]}" for number in range(400)))
    churn(events=path, no_time=True, label="Left", json_=True)
    assert json.loads(capsys.readouterr().out)["last_half"]["auc"] == 1.0


HORIZONS = {"90": 90, "12W": 84, "3m": 90, "3 months": 90, "1y": 365, "P90D": 90, "1 day": 1}


@pytest.mark.parametrize("horizon", HORIZONS)
def test_a_horizon_is_said_in_days_weeks_months_or_years(tmp_path: Path, capsys: pytest.CaptureFixture[str], horizon: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["customer,time", *[f"c{n % 7},{1970 + n // 12}-{n % 12 + 1:02d}-0{n % 7 + 1}" for n in range(60)]]))
    churn(events=path, horizon=horizon, json_=True)
    assert json.loads(capsys.readouterr().out)["definition"]["horizon"] == HORIZONS[horizon]


def test_a_tail_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="one row at least"):
        churn(events=tmp_path / "log.csv", tail=0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_read_in_whatever_letters_and_packed_or_not(tmp_path: Path, encoding: str, packed: bool) -> None:
    text = "customer,time,city\nÉve,2024-03-01,Forlì\n".encode(encoding)
    path = tmp_path / ("log.csv.gz" if packed else "log.csv")
    path.write_bytes(gzip.compress(text) if packed else text)
    (one,) = reading.facts(files.rows(path)).told
    assert (one.customer, one.fact.data) == ("Éve", {"city": "Forlì"})


def test_what_stands_for_no_time_is_passed_over(tmp_path: Path) -> None:
    found = read(tmp_path, "customer,time\na,0001-01-01\na,1900-01-01\na,2024-03-01\na,9999-12-31\n")
    assert (len(found.told), found.passed_over) == (1, 3)


def test_columns_are_known_by_how_their_names_end_and_the_price_of_lines_is_that_of_one(tmp_path: Path) -> None:
    found = read(tmp_path, "loyal_household_id,transaction_timestamp,qty,Price\na,2024-03-01,3,2.5\n")
    assert found.columns["time"] == "transaction_timestamp"
    assert (found.told[0].customer, found.told[0].fact.data) == ("a", {"total": 7.5})


@pytest.mark.parametrize(
    ("label", "cells", "lost"),
    [
        ("Churn", ["Yes", "No", ""], [True, False]),
        ("churn", ["1.0", "0.0", "0"], [True, False, False]),
        ("CHURN", ["Attrited Customer", "Existing Customer"], [True, False]),
    ],
)
def test_labels_are_understood_and_rows_without_one_passed_over(label: str, cells: list[str], lost: list[bool]) -> None:
    column, known, found = table.labels([{"Churn": cell, "plan": "gold"} for cell in cells], label)
    assert (column, len(known), found) == ("Churn", len(lost), lost)


@pytest.mark.parametrize("rows", [[], [{"Churn": ""}], [{"Churn": "perhaps"}], [{"plan": "gold"}]])
def test_a_table_that_says_of_nobody_who_was_lost_is_refused(rows: list[Row]) -> None:
    with pytest.raises(Refusal):
        table.labels(rows, "Churn")


def test_a_table_without_rows_is_said_to_have_none() -> None:
    with pytest.raises(Refusal, match="no rows"):
        table.labels([], "Churn")


@pytest.mark.parametrize("horizon", ["0d", "ninety", "9999d", "-3d"])
def test_a_horizon_that_is_none_is_refused(tmp_path: Path, horizon: str) -> None:
    with pytest.raises(Refusal, match="horizon"):
        churn(events=tmp_path / "log.csv", horizon=horizon)


def test_a_log_shorter_than_the_horizon_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="not longer than the horizon"):
        churn(events=written(tmp_path, "csv", log(WORLD, 2)), horizon="400d", json_=True)


def test_contracts_are_judged_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["customer,time,type"]
    for number in range(120):
        start = number % 60
        lines.append(f"c{number},{1704067200 + start * 86400},subscription.started")
        lines += [f"c{number},{1704067200 + (start + month * 30) * 86400},subscription.renewed" for month in range(1, 6)]
        if number % 3 == 0:
            lines.append(f"c{number},{1704067200 + (start + 100) * 86400},subscription.cancelled")
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines))
    churn(events=path, horizon="30d", contractual=True, json_=True)
    found = json.loads(capsys.readouterr().out)
    assert 0 < found["half"]["lost"] < found["half"]["rows"]


def test_the_auc_is_exact() -> None:
    import numpy as np

    lost, scores = np.array([1.0, 0.0, 1.0, 0.0, 1.0]), np.array([0.3, 0.3, 0.9, 0.1, 0.2])
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[lost == 1.0] for b in scores[lost == 0.0]]
    assert metrics.auc(lost, scores) == pytest.approx(sum(pairs) / len(pairs))
    assert metrics.auc(np.ones(3), np.ones(3)) is None


def test_the_calibration_error_is_what_was_said_less_what_was() -> None:
    import numpy as np

    lost = np.array([1.0, 0.0] * 50)
    assert metrics.calibration_error(lost, np.full(100, 0.5)) == pytest.approx(0.0)
    assert metrics.calibration_error(lost, np.full(100, 0.7)) == pytest.approx(0.2)


def test_times_of_nanoseconds_are_read_from_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    at = pa.array([1_709_251_200_000_000_123], pa.timestamp("ns"))
    parquet.write_table(pa.table({"Customer": [7.0], "Timestamp": at, "Amount": [float("nan")]}), tmp_path / "log.parquet")
    (one,) = reading.facts(files.rows(tmp_path / "log.parquet")).told
    assert (one.customer, one.fact.at, one.fact.data) == ("7", datetime(2024, 3, 1, tzinfo=UTC), {})
