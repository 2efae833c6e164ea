"""What a letter comes to, whatever the mail server says; and that it goes to whom it is for."""

import asyncio
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from pydantic import SecretStr

from infra.delivery.channels import hand_over, mailbox
from infra.settings import EmailSettings
from streams.sending import Attempt

GONE = "the mail server refused the address"


class Server:
    """A mail server that says what it is told to say, by command."""

    def __init__(self, **says: str) -> None:
        self._says = says
        self.letters: list[list[str]] = []

    async def handle_MAIL(self, _s: SMTP, _: Session, envelope: Envelope, address: str, _o: list[str]) -> str:  # noqa: N802
        envelope.mail_from = address
        return self._says.get("mail", "250 go on")

    async def handle_RCPT(self, _s: SMTP, _: Session, envelope: Envelope, address: str, _o: list[str]) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self._says.get("rcpt", "250 go on")

    async def handle_DATA(self, _s: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802
        self.letters.append(envelope.rcpt_tos)
        return self._says.get("data", "250 kept")

    async def handle_QUIT(self, server: SMTP, _: Session, _e: Envelope) -> str:  # noqa: N802
        said = self._says.get("quit", "221 bye")
        if not said:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return said

    async def takes(self, to: str, *, utf8: bool = False, username: str = "") -> Attempt:
        """What a letter to somebody comes to here."""

        def protocol() -> SMTP:
            refuses = lambda *_: AuthResult(success=False, handled=False)  # noqa: E731
            more: dict[str, Any] = {"authenticator": refuses, "auth_require_tls": False} if username else {}
            return SMTP(self, enable_SMTPUTF8=utf8, **more)

        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
        settings = EmailSettings(
            host="127.0.0.1",
            port=server.sockets[0].getsockname()[1],
            starttls=False,
            username=username,
            password=SecretStr("old"),
        )
        letter, recipient = EmailMessage(), mailbox(to)
        letter["From"], letter["To"], letter["Subject"] = "shop@example.com", recipient, "بهار"
        letter.set_content("سلام")
        try:
            return await asyncio.to_thread(hand_over, settings, letter, recipient.addr_spec)
        finally:
            server.close()
            await server.wait_closed()


@pytest.mark.parametrize(
    ("to", "reached"),
    [
        ("sara@shop.example", "sara@shop.example"),
        ("a,b@shop.example", '"a,b"@shop.example'),
        ("a;b@shop.example", '"a;b"@shop.example'),
        ("a<b@shop.example", '"a<b"@shop.example'),
        ('a"b@shop.example', '"a\\"b"@shop.example'),
        ("info@مثال.ایران", "info@xn--mgbh0fb.xn--mgba3a4f16a"),
        ("info@faß.example", "info@xn--fa-hia.example"),
    ],
)
async def test_a_letter_goes_to_whom_it_is_for_and_to_nobody_else(to: str, reached: str) -> None:
    server = Server()
    assert await server.takes(to) == Attempt("sent")
    assert server.letters == [[reached]]


async def test_a_name_beyond_ascii_goes_where_it_is_understood_and_is_not_tried_again_elsewhere() -> None:
    server = Server()
    assert await server.takes("سارا@مثال.ایران") == Attempt("failed", error=GONE)
    assert await server.takes("سارا@مثال.ایران", utf8=True) == Attempt("sent")
    assert server.letters == [["سارا@xn--mgbh0fb.xn--mgba3a4f16a"]]


@pytest.mark.parametrize(
    ("says", "attempt"),
    [
        ({"rcpt": "550 5.1.1 nobody"}, Attempt("failed", 550, GONE)),
        ({"rcpt": "450 4.2.1 later"}, Attempt("again", 450, GONE)),
        ({"data": "554 5.7.1 spam"}, Attempt("failed", 554, "the mail server answered 554")),
        ({"data": "451 4.3.0 later"}, Attempt("again", 451, "the mail server answered 451")),
        ({"mail": "550 5.7.1 you may not send"}, Attempt("again", 550, "the mail server answered 550")),  # it would say so of any letter
    ],
)
async def test_only_what_is_said_of_this_letter_ends_it(says: dict[str, str], attempt: Attempt) -> None:
    assert await Server(**says).takes("sara@shop.example") == attempt


async def test_a_password_that_is_wrong_loses_no_letter() -> None:
    assert await Server().takes("sara@shop.example", username="yekta") == Attempt("again", 535, "the mail server answered 535")


@pytest.mark.parametrize("good_bye", ["421 4.3.2 going down", "500 what", ""])
async def test_a_letter_that_was_taken_is_sent_whatever_the_server_says_to_good_bye(good_bye: str) -> None:
    server = Server(quit=good_bye)
    assert await server.takes("sara@shop.example") == Attempt("sent")
    assert len(server.letters) == 1
