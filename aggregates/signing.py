"""Signs what a browser or a customer is given and brings back: that it is ours, and as it was. Reading order: sign, is_signed."""

import hmac

from aggregates.sealing import Sealer, text


def sign(given: bytes, sealer: Sealer) -> str:
    """The signature, as it stands in addresses and cookies."""
    return text(sealer.digest("session", given))


def is_signed(given: bytes, signature: str, sealer: Sealer) -> bool:
    """Whether this is its signature."""
    return hmac.compare_digest(sign(given, sealer).encode(), signature.encode())
