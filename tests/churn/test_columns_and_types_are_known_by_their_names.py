"""An ordinary log needs no mapping: what its columns, types and labels mean is known by what people call them, or can be said."""

from pathlib import Path

import pytest

from infra.cli.evaluate_churn import churn
from infra.errors import Refusal
from infra.evaluation import files, reading, table
from infra.evaluation.reading import PURCHASED
from tests.churn.written import read, totals


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


def test_that_no_event_starts_a_contract_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"No event of the log starts a contract; its types are payment\..*subscription.started"):
        read(tmp_path, "customer,time,type\na,2024-03-01,payment\n", contractual=True)


@pytest.mark.parametrize(
    ("heading", "purchase", "other"),
    [
        *(("interaction_type", "order", "call"), ("Transaction Type", "Sale", "Refund"), ("نوع رویداد", "سفارش", "تماس")),
        *(("user_action", "place_order", "view"), ("EventCategory", "item_purchased", "search"), ("رویداد", "ثبت سفارش", "تماس")),
        *(("event", "booking", "search"), ("event", "Top-up", "call"), ("event", "booking made", "payment")),
    ],
)
def test_what_happened_is_told_by_the_column_whose_words_are_types(tmp_path: Path, heading: str, purchase: str, other: str) -> None:
    found = read(tmp_path, f"customer,time,{heading}\na,2024-03-01,{purchase}\na,2024-03-02,{other}\n")
    assert (found.columns["type"], found.purchases) == (heading, (purchase,))
    both = read(tmp_path, f"customer,time,type,{heading}\na,2024-03-01,web,{purchase}\na,2024-03-02,shop,{other}\n")
    assert (both.columns["type"], both.purchases) == (heading, (purchase,))


@pytest.mark.parametrize("heading", ["product_type", "payment_type", "order_type", "price_type", "card_class"])
def test_a_column_of_what_was_bought_or_how_tells_no_types(tmp_path: Path, heading: str) -> None:
    found = read(tmp_path, f"customer,time,{heading}\na,2024-03-01,sale\na,2024-03-02,invoice\n")
    assert ("type" in found.columns, found.purchases) == (False, ("",))


def test_rows_without_a_type_do_not_decide_what_a_purchase_is(tmp_path: Path) -> None:
    found = read(tmp_path, "customer,time,type\na,2024-03-01,OrderPlaced\na,2024-03-02,\na,2024-03-03,OrderPlaced,,7\n")
    assert found.purchases == ("OrderPlaced",)
    assert read(tmp_path, "customer,time,type\na,2024-03-01,subscription.started\na,2024-03-02\n").contractual


def test_a_purchase_is_named_in_any_case(tmp_path: Path) -> None:
    apart = read(tmp_path, "customer,time,type,event\na,2024-03-01,order,lunch\n", purchases=frozenset({"Lunch"}))
    assert (apart.columns["type"], apart.purchases) == ("event", ("lunch",))
    assert read(tmp_path, "customer,time,type\na,2024-03-01,buy\n", purchases=frozenset({"BUY"})).purchases == ("buy",)


@pytest.mark.parametrize(
    "heading",
    ["msno", "visitorid", "card_id", "email", "customer_name", "شناسه", "شناسه مشتری", "نام مشتری", "id,email", "id,shop_user_id"],
)
def test_customers_are_known_by_what_people_call_them(tmp_path: Path, heading: str) -> None:
    found = read(tmp_path, f"{heading},time\n{'1,' * heading.count(',')}a,2024-03-01\n")
    assert found.told[0].customer == "a"


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
        ("CUSTOMER_ID,EVENT_TS,AMOUNT", "a,2024-03-01,5", ("CUSTOMER_ID", "EVENT_TS", "AMOUNT")),
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
