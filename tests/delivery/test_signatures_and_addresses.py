"""What a webhook is signed with, and where none may be."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from aggregates.webhook import AddressRefused, wants
from aggregates.webhook_signature import headers, secret_of, signature
from infra.delivery.addresses import Allowed, check_registration, on_the_wire, public
from infra.delivery.http import Http

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_signature_is_that_of_the_standard() -> None:
    signed = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_both_secrets_sign_while_one_rotates() -> None:
    made = headers([SECRET, secret_of(b"x" * 24)], "msg_1", 1614265330, b"{}")
    assert made["webhook-id"] == "msg_1"
    assert made["webhook-timestamp"] == "1614265330"
    assert made["webhook-signature"].split(" ")[0] == signature(SECRET, "msg_1", 1614265330, b"{}")
    assert len(made["webhook-signature"].split(" ")) == 2


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "0.0.0.0", "224.0.0.1"),
        *("::1", "fd00:ec2::254", "fe80::1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "::", "255.255.255.255"),
    ],
)
def test_our_own_house_is_no_public_address(address: str) -> None:
    assert not public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_the_internet_is_public(address: str) -> None:
    assert public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/x", "https://localhost/x", "https://[::1]/x", "https://0x7f000001/x", "https://2130706433/", "https://127.1/"),
        *("https://169.254.169.254/latest/meta-data", "https://user@8.8.8.8/", "ftp://8.8.8.8/", "https:///x", "https://8.8.8.8:99999/"),
        *("http://8.8.8.8/", "not an address", "https://8.8.8.8/#x", "https://8.8.8.8/a\r\nX: y", "https://8.8.8.8/\x7f"),
        "https://exa mple.com/",
    ],
)
async def test_what_may_not_be_registered(url: str) -> None:
    with pytest.raises(AddressRefused):
        await check_registration(url, Allowed(""))


async def test_the_error_says_which_setting_allows_it() -> None:
    with pytest.raises(AddressRefused, match=r"YEKTA_DELIVERY__ALLOW=127\.0\.0\.1"):
        await check_registration("http://127.0.0.1:8080/hook", Allowed("10.0.0.0/8"))


@pytest.mark.parametrize("allow", ["127.0.0.1", "127.0.0.0/8", "10.0.0.0/8, 127.0.0.1"])
async def test_what_is_named_is_allowed_also_over_http(allow: str) -> None:
    await check_registration("http://127.0.0.1:8080/hook", Allowed(allow))


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        (
            "https://مثال.ایران:8443/قلاب?نام=بهار",
            "https://xn--mgbh0fb.xn--mgba3a4f16a:8443/%D9%82%D9%84%D8%A7%D8%A8?%D9%86%D8%A7%D9%85=%D8%A8%D9%87%D8%A7%D8%B1",
        ),
        ('https://[2001:db8::1]:443/a b/%20/"?x=1&y=a+b%3D', "https://[2001:db8::1]:443/a%20b/%20/%22?x=1&y=a+b%3D"),
        ("https://crm.example.com", "https://crm.example.com"),
        ("https://\u200d.example/x", "https://unsayable.invalid/x"),
    ],
)
def test_an_address_in_any_script_is_asked_for_as_requests_have_it(written: str, asked: str) -> None:
    assert on_the_wire(written) == asked
    assert on_the_wire(asked) == asked


def test_a_name_in_any_script_is_allowed_by_its_name() -> None:
    assert Allowed("مثال.ایران").name("xn--mgbh0fb.xn--mgba3a4f16a")


def test_a_family_hears_of_all_that_begins_so() -> None:
    assert wants(("signal.*",), "signal.withdrawn")
    assert not wants(("signal.*",), "contact.sent")
    assert wants(("*",), "contact.sent")


@pytest.mark.parametrize("more", [b"content-length: 4\r\n\r\nnull", b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n"])
async def test_a_receiver_that_says_more_than_nothing_answers_the_next_post_too(more: bytes) -> None:
    connections: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n{}")
                writer.write(b"HTTP/1.1 204 No Content\r\n" + (more if len(connections) < 3 else b"\r\n"))

    http = Http(Allowed("127.0.0.1"))
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        answers = [await http.send("POST", url, {}, b"{}", now=datetime(2026, 3, 1, tzinfo=UTC)) for _ in range(5)]
        await http.close()
        for writer in connections:
            writer.close()
    assert [(answer.status, answer.error) for answer in answers] == [(204, "")] * 5
    assert len(connections) == 3, "who has nothing to say is asked again over the same connection"
