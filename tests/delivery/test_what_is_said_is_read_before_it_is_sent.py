"""The file that says what customers are told."""

from pathlib import Path

import pytest

from infra.delivery.channels import Messages
from infra.errors import Refusal


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
