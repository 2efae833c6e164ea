"""Fields beside `who` by which a contract knows the customer."""

from typing import Any

import pytest

from aggregates.identifier import Identifier
from tests.contracts.events import event, taken

PHONE = Identifier("phone", "+989121234567")


def ringing(**data: Any) -> dict[str, Any]:
    return event(type="call.ringing", data={"call_id": "c1", "direction": "inbound", **data})


def test_the_number_that_rings_is_the_customers_phone() -> None:
    assert taken(ringing(number="0912 123 4567")).who == (PHONE,)


def test_a_number_given_twice_is_one_identifier() -> None:
    assert taken(
        ringing(number="00989121234567", who={"phone": "\u06f0\u06f9\u06f1\u06f2\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7"})
    ).who == (PHONE,)


@pytest.mark.parametrize("number", ["anonymous", "", "12", "0000000000", None])
def test_a_withheld_number_names_nobody_and_is_no_fault(number: Any) -> None:
    assert taken(ringing(number=number)).who == ()


def test_traits_of_a_sign_in_name_the_customer() -> None:
    traits = {"email": "Ali@X.ir", "phone": "09121234567", "name": "Ali"}
    touchpoint = taken(event(type="web.identified", data={"who": {"device": "d1"}, "traits": traits}))
    assert set(touchpoint.who) == {Identifier("device", "d1"), Identifier("email", "ali@x.ir"), PHONE}
    assert touchpoint.personal["traits"] == traits
