"""The file that says what customers are told."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from infra.delivery.channels import Messages, wordless
from infra.errors import Refusal
from infra.settings import DeliverySettings, EmailSettings, Settings, SmsSettings


def messages(folder: Path, text: str) -> Messages:
    path = folder / "messages.yaml"
    path.write_text(text, "utf-8")
    return Messages(path)


def test_what_stands_for_the_customer_is_put_in(tmp_path: Path) -> None:
    said = messages(tmp_path, 'spring: {email: {subject: "$name", text: "سلام ${name}عزیز، $$5 و $5: $link $unsubscribe"}}').of(
        "spring", "email", "سارا", "L", "U"
    )
    assert (said.subject, said.text) == ("سارا", "سلام ساراعزیز، $5 و $5: L U")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('spring: {sms: {text: "سلام $nmae"}}', "$nmae in spring/sms"),
        ('spring: {email: {subject: "$link", text: x}}', "$link in spring/email"),
    ],
)
def test_a_word_that_nothing_stands_for_is_refused_and_told_to_no_customer(text: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        messages(tmp_path, text)
    assert word in str(refused.value)


def test_a_contact_without_a_text_is_known_where_it_would_be_read(tmp_path: Path) -> None:
    messages(tmp_path, "spring: {sms: {text: x}, email: {text: no subject}}\nautumn: {email: {subject: x, text: x}}")
    delivery, url = DeliverySettings(messages=tmp_path / "messages.yaml"), SecretStr("https://sms.example/send")

    def lacking(contact: str, *prefer: str, sms: SmsSettings, email: EmailSettings) -> list[str]:
        return list(wordless(Settings(delivery=delivery, sms=sms, email=email))(contact, prefer))

    assert lacking("winter", "sms", "email", "customer", sms=SmsSettings(), email=EmailSettings()) == []
    asked = [("winter", "sms", "call"), ("winter", "customer"), ("spring", "customer"), ("autumn", "email"), ("satisfaction", "sms")]
    sms, email = SmsSettings(url=url), EmailSettings(host="mail.example")
    assert [lacking(*one, sms=sms, email=email) for one in asked] == [["sms"], ["sms", "email"], ["email"], [], []]
    of_its_own = SmsSettings(url=url, body="template={contact}")
    assert lacking("winter", "sms", sms=of_its_own, email=EmailSettings()) == []
