"""Amounts and times as people, databases and other programs write them: what one cell leaves open, its whole column settles."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from infra.errors import Refusal
from infra.evaluation import numbers, table
from infra.evaluation.files import Row
from infra.evaluation.reading import PURCHASED, RETURNED
from tests.churn.written import ORDERS, parquet, read, totals

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


@pytest.mark.parametrize(
    ("heading", "cell", "told"),
    [
        *(("wait_time", "0:03:20", 200.0), ("AvgTalkDuration", "3:20", 200.0), ("time on hold", "0 days 00:03:20.5", 200.5)),
        *(("مدت", "۰۰:۰۳:۲۰", 200.0), ("wait_time", "1 days 00:00:10", 86_410.0), ("duration", "70:00", 4_200.0)),
        *(("wait_time", "long", "long"), ("wait_time", "3:70", "3:70"), ("hour", "0:03:20", "0:03:20"), ("score", "3:20", "3:20")),
    ],
)
def test_how_long_something_took_is_read_as_clocks_write_it(tmp_path: Path, heading: str, cell: str, told: object) -> None:
    found = read(tmp_path, f"customer,date,type,{heading}\na,2024-03-01,order,\na,2024-03-02,call,{cell}\n")
    assert [one.fact.data for one in found.told] == [{}, {heading: told}]


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


def test_a_few_times_that_cannot_be_read_are_passed_over_and_counted(tmp_path: Path) -> None:
    found = read(tmp_path, f"customer,time,amount\n{ORDERS}a,0000-00-00,1\na,2023-02-30,1\na,garbage,1\n")
    assert (len(found.told), found.passed_over, found.unread) == (3, 3, {"time": 3})
    with pytest.raises(Refusal, match=r"Row 2 has the time 'garbage'"):
        read(tmp_path, "customer,time\na,2024-03-01\na,garbage\na,garbage\n")


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
