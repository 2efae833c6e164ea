"""By its name and form a field tells something about others too, or it names somebody, something or a moment."""

import pytest

from projections.churn import telling


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("wait_time", 95), ("talkTime", "240"), ("runtime", 17.5), ("response_time", 3_600_000), ("زمان_انتظار", 60)),
        *(("amount_paid", 20), ("isPaid", 1), ("valid", 0), ("bid", 12.5), ("wait_seconds", 95)),
    ],
)
def test_how_long_something_took_is_a_number_and_so_is_what_ends_like_an_id_by_chance(field: str, value: object) -> None:
    assert list(telling.numbers({field: value})) == [(field, float(str(value)))]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("order_time", 1_700_000_000), ("start_time", 1_700_000_000_000), ("date_time", 20_261_122), ("datetime", 19_000)),
        *(("birth_date", 19_800), ("created_at", 5), ("user_id", 7), ("userid", 7), ("sessionId", 7), ("total", 9)),
        *(("شماره_تماس", 912), ("شناسه_کاربر", 7), ("تاریخ_تولد", 13_600_101)),
    ],
)
def test_whom_or_when_an_event_names_is_no_number(field: str, value: object) -> None:
    assert list(telling.numbers({field: value})) == []
    assert list(telling.numbers({field: str(value)})) == []


def test_a_kind_that_has_a_number_is_a_word_and_no_number() -> None:
    coded = {"reason": 4, "payment_method_id": "41", "OutcomeCode": 3.0, "STATUS": "0", "علت تماس": "۷"}
    assert list(telling.words(coded)) == [
        ("reason", "4"),
        ("payment_method_id", "41"),
        ("OutcomeCode", "3"),
        ("STATUS", "0"),
        ("علت تماس", "7"),
    ]
    assert list(telling.numbers(coded)) == []
    measured = {"result": 3.5, "code": 404, "method": -1, "items": 4}
    assert (list(telling.words(measured)), dict(telling.numbers(measured))) == ([], measured)
    assert list(telling.words({"agent_id": 4, "order_id": "4", "reason": None})) == []


def test_a_word_that_ends_so_by_chance_is_one_and_a_name_is_none() -> None:
    said = {"prepaid": "yes", "hybrid": "Electric", "agent": "sara", "salesperson": "ali", "account_id": "ab", "شماره": "الف"}
    assert list(telling.words(said)) == [("prepaid", "yes"), ("hybrid", "electric")]
