"""Signs what a webhook is told, as Standard Webhooks has it, so that the receiver knows it came from us and when."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping

PREFIX = "whsec_"
ENTROPY = 24


def secret_of(entropy: bytes) -> str:
    """The text of a secret."""
    return PREFIX + b64encode(entropy).decode()


def signature(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC over id, time and body."""
    key = b64decode(secret.removeprefix(PREFIX))
    signed = f"{message}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()


def headers(secrets: Iterable[str], message: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The headers of one attempt; while a secret rotates there is a signature by each."""
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join([signature(secret, message, timestamp, body) for secret in secrets]),
    }
