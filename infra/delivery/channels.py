"""Brings a contact to the customer: by SMS gateway (or message center, `smpp`), by mail server, or through the people who call and offer.

Reading order: Messages, wordless, Links, TaskAdapter, Writing, SmsAdapter, EmailAdapter, hand_over.
"""

import asyncio
import contextlib
import re
import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import format_datetime
from pathlib import Path
from string import Template
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

import idna
import msgspec
import yaml
from psycopg_pool import AsyncConnectionPool

from aggregates import unsubscribing
from aggregates.contact_policy.policy import SERVICE
from aggregates.sealing import Sealer
from aggregates.service_request import asking
from aggregates.touchpoint import derive
from infra.delivery.adapters import of_answer
from infra.delivery.http import Http
from infra.delivery.rechecking import Approach, Rechecking, Undone
from infra.errors import Refusal
from infra.settings import EmailSettings, Settings, SmsSettings
from projections.contacts import tasks
from projections.contacts.want import Want
from projections.deliveries.table import Taken
from projections.view.contacts import latest
from projections.view.precedence import believed
from projections.view.state import State
from projections.view.traits import name_of
from streams.record import Connection
from streams.sending import Attempt

NOBODY = "the mail server refused the address"

NUMBERED = 2**62 - 1
"""The part of an id that is its number: random to the last bit, and no more than a signed integer of 64 bits holds."""


class OneLine(UnstructuredHeader, BaseHeader):
    """A header with an address that no mail program would find in parts, or encoded as words are."""

    max_count = 1

    def fold(self, *, policy: Policy) -> str:
        """As it is sent."""
        return f"{self.name}: {self}{policy.linesep}"


_headers = HeaderRegistry()
_headers.map_to_type("list-unsubscribe", OneLine)

AS_ANY_SERVER_TAKES_IT = EmailPolicy(cte_type="7bit", header_factory=_headers)
"""Bytes beyond ASCII may only go to a server that was asked and said that it takes them (RFC 6152)."""


class Text(msgspec.Struct, frozen=True):
    """What a customer is told; `$name` stands for his name, `$link` for where he answers, in a contact about a service request,
    `$unsubscribe` for where he ends such contacts."""

    text: str
    subject: str = ""


CONTENT = "درخواست شما بسته شد. چقدر راضی بودید؟ $link"
OURS = {"satisfaction": {"sms": Text(CONTENT), "email": Text(f"سلام $name،\n\n{CONTENT}", "چقدر راضی بودید؟")}}
"""What is said where nobody wrote anything."""


class Messages:
    """What is said with each contact, by channel: a file that people write. Without one the name of the contact is all there is."""

    def __init__(self, path: Path | None) -> None:
        self._texts: dict[str, dict[str, Text]] = OURS
        if path is None:
            return
        try:
            self._texts = OURS | msgspec.convert(yaml.safe_load(path.read_text("utf-8")), dict[str, dict[str, Text]])
        except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
            raise Refusal(
                f"The messages in {path} cannot be read: {error}.",
                "Write `winback: {sms: {text: …}, email: {subject: …, text: …}}`; see YEKTA_DELIVERY__MESSAGES.",
            ) from error
        for contact, channel, text in ((contact, *one) for contact, texts in self._texts.items() for one in texts.items()):
            unknown = [word for word in Template(text.text).get_identifiers() if word not in ("name", "link", "unsubscribe")]
            unknown += [word for word in Template(text.subject).get_identifiers() if word != "name"]
            if unknown:
                raise Refusal(
                    f"The messages in {path} have ${unknown[0]} in {contact}/{channel}, and customers would read just that.",
                    "Write $name, $link or $unsubscribe, in a subject $name alone; $$ is a dollar.",
                )

    def lacking(self, contact: str, channel: str) -> bool:
        """Whether customers would read just the contact's name, in the text or as the subject of a letter."""
        written = self._texts.get(contact, {}).get(channel)
        return written is None or (channel == "email" and not written.subject)

    def of(self, contact: str, channel: str, name: str, link: str, end: str) -> Text:
        """What to say to this customer."""
        written = self._texts.get(contact, {}).get(channel) or Text(contact, contact)
        text = Template(written.text).safe_substitute(name=name, link=link, unsubscribe=end)
        return Text(text, Template(written.subject or contact).safe_substitute(name=name))


def wordless(settings: Settings) -> Callable[[str, Sequence[str]], Sequence[str]]:
    """The adapter of `api.ports.Wordless`. A gateway that is not told the text has texts of its own."""
    sms = settings.sms
    told = sms.url is not None and "{text}" in sms.url.get_secret_value() + sms.body
    ways = {"sms": settings.smpp.host is not None or told, "email": settings.email.host is not None}
    try:
        messages = Messages(settings.delivery.messages)
    except Refusal:
        return lambda *_: ()  # it is where the sender is, who says what is wrong with it

    def lacking(contact: str, prefer: Sequence[str]) -> list[str]:
        return [way for way, there in ways.items() if there and (way in prefer or "customer" in prefer) and messages.lacking(contact, way)]

    return lacking


class Links:
    """Where customers answer, as they reach it from where they are."""

    def __init__(self, address: str, sealer: Sealer) -> None:
        self._address, self._sealer = address.rstrip("/"), sealer

    def of(self, want: Want) -> str:
        """The address of an answer; empty where there is nothing to answer."""
        request = asking.request_of(want.cause)
        return self._address + asking.path(request, self._sealer) if request else ""

    def end(self, want: Want, channel: str) -> str:
        """The address at which he ends what he is told for this purpose by this channel."""
        return self._address + unsubscribing.path(want.candidate.signal, channel, self._sealer)


class TaskAdapter:
    """Gives the contact to people: nothing is sent, somebody pulls it."""

    def __init__(self, pool: AsyncConnectionPool[Connection], rechecking: Rechecking) -> None:
        self._pool, self._rechecking = pool, rechecking

    async def __call__(self, taken: Taken) -> Attempt:
        approach = await self._rechecking.approach(taken, taken.lane)
        if isinstance(approach, Attempt):
            return approach
        want = approach.want
        async with self._pool.connection() as connection:
            await tasks.put(
                connection,
                taken.id,
                approach.customer,
                taken.lane,
                want.candidate.rule,
                want.contact,
                want.candidate.purpose,
                want.candidate.signal,
            )
        return Attempt("sent")


class Sms(NamedTuple):
    """What a customer is sent."""

    to: str
    text: str
    name: str  # his


class Writing:
    """Writes the SMS of a contact that may go out now; both who ask a gateway and who speak to a message center begin so."""

    def __init__(self, messages: Messages, links: Links, rechecking: Rechecking) -> None:
        self._messages, self._links, self._rechecking = messages, links, rechecking

    async def sms(self, taken: Taken) -> tuple[Approach, Sms] | Attempt:
        """What is to be sent; or why nothing is."""
        approach = await self._rechecking.approach(taken, "sms")
        if isinstance(approach, Attempt):
            return approach
        to = address(approach.state, "phone")
        if not to:
            return await self.undone(approach, Attempt("failed", error="no phone number of the customer is known"), "address")
        name, want = _name(approach), approach.want
        written = self._messages.of(want.contact, "sms", name, self._links.of(want), self._links.end(want, "sms"))
        return approach, Sms(to, written.text, name)

    async def undone(self, approach: Approach, attempt: Attempt, cause: Undone) -> Attempt:
        """It was not sent and will not be."""
        return await self._rechecking.undone(approach, attempt, cause)

    async def named(self, approach: Approach, name: str) -> None:
        """Whoever carries it knows it by this name."""
        await self._rechecking.named(approach, name)


class SmsAdapter:
    """Asks an SMS gateway over HTTP; the request is a template in the settings."""

    def __init__(self, settings: SmsSettings, writing: Writing, http: Http, clock: Callable[[], datetime]) -> None:
        self._settings, self._writing, self._http, self._clock = settings, writing, http, clock

    async def __call__(self, taken: Taken) -> Attempt:
        written = await self._writing.sms(taken)
        if isinstance(written, Attempt):
            return written
        approach, sms = written
        settings, signal = self._settings, approach.want.candidate.signal
        assert settings.url is not None  # noqa: S101 - without it there is no adapter
        fields = {
            "to": sms.to,
            "text": sms.text,
            "contact": approach.want.contact,
            "name": sms.name,
            "id": str(signal),
            "number": number(signal, taken.resends),
        }
        body = filled(settings.body, fields, _json if "json" in settings.content_type else _quoted).encode()
        url = filled(settings.url.get_secret_value(), fields, _quoted)
        headers = {"content-type": settings.content_type} | settings.headers if body else settings.headers
        if "{number}" in settings.url.get_secret_value() + settings.body:
            await self._writing.named(approach, fields["number"])
        answer = await self._http.send(settings.method, url, headers, body, now=self._clock())
        said = answer.body.decode("utf-8", "replace")
        if settings.refused and answer.status is not None and re.search(settings.refused, f"{answer.status} {said}"):
            return await self._writing.undone(approach, Attempt("failed", answer.status, "the gateway refused the number"), "address")
        attempt = of_answer(answer)
        if attempt.result == "sent" and settings.accepted and not re.search(settings.accepted, said):
            return Attempt("again", answer.status, "the gateway did not say that it took the message")
        if attempt.result == "sent" and settings.named and (called := re.search(settings.named, said)):
            await self._writing.named(approach, called[1] or "")
        return Attempt("again", attempt.status, attempt.error) if attempt.result == "gone" else attempt


def number(signal: UUID, resends: int) -> str:
    """By which a gateway knows a message that is tried again; one that somebody has sent anew is another."""
    return str((derive("resend", str(signal), str(resends)) if resends else signal).int & NUMBERED)


class EmailAdapter:
    """Hands a message to a mail server."""

    def __init__(
        self, settings: EmailSettings, messages: Messages, links: Links, rechecking: Rechecking, clock: Callable[[], datetime]
    ) -> None:
        self._settings, self._messages, self._links, self._rechecking, self._clock = settings, messages, links, rechecking, clock

    async def __call__(self, taken: Taken) -> Attempt:
        approach = await self._rechecking.approach(taken, "email")
        if isinstance(approach, Attempt):
            return approach
        to = address(approach.state, "email")
        if not to:
            return await self._rechecking.undone(approach, Attempt("failed", error="no e-mail address of the customer is known"), "address")
        want = approach.want
        end = self._links.end(want, "email")
        written = self._messages.of(want.contact, "email", _name(approach), self._links.of(want), end)
        message, recipient = EmailMessage(AS_ANY_SERVER_TAKES_IT), mailbox(to)
        message["From"], message["To"], message["Subject"] = self._settings.sender, recipient, " ".join(written.subject.split())
        message["Date"] = format_datetime(self._clock())
        message["Message-ID"] = f"<{want.candidate.signal}@{self._settings.sender.rpartition('@')[2].rstrip('>') or 'yekta'}>"
        if want.candidate.purpose != SERVICE and end.startswith("https://"):  # RFC 8058 knows nothing else
            message["List-Unsubscribe"], message["List-Unsubscribe-Post"] = f"<{end}>", "List-Unsubscribe=One-Click"
        message.set_content(written.text)
        attempt = await asyncio.to_thread(hand_over, self._settings, message, recipient.addr_spec)
        if attempt.result != "failed":
            return attempt
        return await self._rechecking.undone(approach, attempt, "address" if attempt.error == NOBODY else "refused")


def mailbox(to: str) -> Address:
    """An address as a mail server reads it: quoted where it would be taken for two or for another, its domain as DNS has it."""
    local, _, domain = to.rpartition("@")
    try:
        return Address(username=local, domain=domain if domain.isascii() else idna.encode(domain, uts46=True).decode())
    except idna.IDNAError:
        return Address(username=local, domain=domain)


def hand_over(settings: EmailSettings, message: EmailMessage, to: str) -> Attempt:
    """Give a letter to the mail server; what it says of this letter is kept apart from what it would say of any."""
    assert settings.host is not None  # noqa: S101 - without it there is no adapter
    try:
        server = smtplib.SMTP(settings.host, settings.port, timeout=15)
        try:
            if settings.starttls:
                server.starttls(context=ssl.create_default_context())
            if settings.username:
                server.login(settings.username, settings.password.get_secret_value() if settings.password else "")
            server.ehlo_or_helo_if_needed()
            if not to.isascii() and not server.has_extn("smtputf8"):
                return Attempt("failed", error=NOBODY)
            server.send_message(message, to_addrs=[to])
            with contextlib.suppress(smtplib.SMTPException, OSError):  # it has the letter, whatever it says to good-bye
                server.quit()
        finally:
            server.close()
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        return Attempt("failed" if code >= 500 else "again", code, NOBODY)
    except smtplib.SMTPResponseException as error:
        of_this = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
        return Attempt("failed" if of_this else "again", error.smtp_code, f"the mail server answered {error.smtp_code}")
    except (smtplib.SMTPException, OSError) as error:
        return Attempt("again", error=f"{type(error).__name__}: the mail server cannot be used")
    return Attempt("sent")


def address(state: State | None, kind: str) -> str:
    """By which identifier of a kind he is reached: the one met last."""
    return latest(state.contacts, kind) if state is not None else ""


def filled(template: str, fields: Mapping[str, str], escape: Callable[[str], str]) -> str:
    """The template with `{to}`, `{text}`, `{contact}`, `{name}`, `{id}` and `{number}` put in, so that none of them can break out."""
    return re.sub(r"\{(to|text|contact|name|id|number)\}", lambda found: escape(fields[found[1]]), template)


def _quoted(value: str) -> str:
    return quote(value, safe="")


def _json(value: str) -> str:
    return msgspec.json.encode(value).decode()[1:-1]


def _name(approach: Approach) -> str:
    return name_of(believed(approach.state.traits, approach.rules)).display if approach.state else ""
