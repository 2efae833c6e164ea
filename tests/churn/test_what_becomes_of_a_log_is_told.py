"""Whoever judges a log is told what of it is in no figure, and why there is none."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from aggregates.churn import Definition
from infra.cli.evaluate_churn import churn
from infra.errors import Refusal
from infra.evaluation import files, reading, table
from infra.evaluation.churn import _why_no_auc
from infra.evaluation.files import Row
from tests.churn.written import read


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


def test_that_purchases_end_before_the_log_does_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def warned(*others: int) -> str | None:
        lines = [f"c{n % 5},{date(2024, 1, 1) + timedelta(days=n)},order" for n in range(90)]
        lines += [f"c1,{date(2024, 1, 1) + timedelta(days=n)},call" for n in others]
        (tmp_path / "log.csv").write_text("\n".join(["customer,time,type", *lines]))
        churn(events=tmp_path / "log.csv", horizon="30d", json_=True)
        found: dict[str, str] = json.loads(capsys.readouterr().out)
        return found.get("warning")

    assert warned(20, 96) is None
    assert (warned(20, 110) or "").startswith("The log ends 21 days after its last purchase, of 2024-03-30:")
    churn(events=tmp_path / "log.csv", horizon="30d")
    assert "The log ends 21 days after" in " ".join(capsys.readouterr().out.split())


def test_people_are_told_what_is_in_no_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"c{n % 5},{date(2024, 1, 1) + timedelta(days=n)},{'much' if n == 7 else 5}" for n in range(90)]
    (tmp_path / "log.csv").write_text("\n".join(["customer,time,amount", *lines, "c1,2024-01-01,5,0", "c1,2024-02-30,5"]))
    churn(events=tmp_path / "log.csv", horizon="30d")
    said = " ".join(capsys.readouterr().out.split())
    assert "2 rows were passed over; 1 cells of the column amount cannot be read; 1 cells of the column time cannot be read." in said


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


def test_a_log_of_days_is_the_same_in_whatever_order_its_customers_stand(tmp_path: Path) -> None:
    rows = ["b,2024-03-01", "a,2024-03-01", "c,2024-03-01"]
    one, other = (read(tmp_path, "\n".join(["customer,time", *some])) for some in (rows, rows[::-1]))
    assert [told.customer for told in one.told] == [told.customer for told in other.told] == ["a", "b", "c"]


def test_a_log_of_which_most_amounts_are_negative_is_not_taken_for_returns(tmp_path: Path) -> None:
    rows = "a,2024-03-01,-0.7\na,2024-03-02,-0.6\nb,2024-03-02,1.5\n"
    with pytest.raises(Refusal, match=r"2 of 3 purchases have a negative amount in 'purchase_amount', which is read as a return.*amount="):
        read(tmp_path, f"card_id,purchase_date,purchase_amount\n{rows}")


def test_a_table_does_not_learn_from_the_numbers_of_its_rows(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(",age,Churn\n0,30,yes\n1,40,no\n")
    assert list(files.rows(tmp_path / "table.csv")) == [{"age": "30", "Churn": "yes"}, {"age": "40", "Churn": "no"}]
