"""What stands in the address of a fetched picture is one message, whichever way it is written."""

from base64 import b64encode

import pytest

from api.doors.pixel import message
from api.doors.unwrapping import unwrapped

KEYS = ("writeKey",)


def test_members_of_the_address_are_members_of_the_message_and_dots_lead_inside() -> None:
    query = "writeKey=k&userId=u-1&event=Mail+Opened&properties.plan=gold&properties.list.name=%D9%86%D9%88%D8%B1%D9%88%D8%B2&context.ip=1"
    told = {"userId": "u-1", "event": "Mail Opened", "properties": {"plan": "gold", "list": {"name": "نوروز"}}, "context": {"ip": "1"}}
    found = unwrapped(message(query, KEYS))
    assert found is not None
    assert found.message(0) == told


def test_a_name_that_leads_into_what_is_no_object_stays_as_it_is() -> None:
    assert message("properties=5&properties.plan=gold", KEYS) == b'{"properties":"5","properties.plan":"gold"}'


@pytest.mark.parametrize("written", [b'{"userId":"u-1"}', b64encode(b'{"userId":"u-1"}'), b64encode(b'{"userId":"u-1"}').rstrip(b"=")])
def test_the_message_may_be_one_parameter(written: bytes) -> None:
    found = unwrapped(message(f"data={written.decode()}", KEYS))
    assert found is not None
    assert found.message(0) == {"userId": "u-1"}


def test_more_members_than_are_read_are_no_message() -> None:
    assert unwrapped(message("&".join(f"a{number}=1" for number in range(101)), KEYS)) is None
