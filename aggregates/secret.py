"""The text of a key: long enough never to be guessed, and shaped so that a scanner of code and logs knows one that leaked.

`yk_` (a write key) or `ys_` (a staff token), 32 random bytes in base 62, then the CRC-32 of all that in six digits more. Only its SHA-256
is ever stored: 256 random bits need no slow hash. Reading order: mint, well_formed, digest.
"""

import hashlib
import zlib

WRITE = "yk_"
STAFF = "ys_"

ENTROPY = 32
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY = 43
_CHECK = 6


def mint(prefix: str, entropy: bytes) -> str:
    """The secret made of 32 random bytes."""
    body = prefix + _base62(int.from_bytes(entropy), _BODY)
    return body + _checksum(body)


def well_formed(secret: str) -> bool:
    """Could this be a key at all? A mistyped or cut one is known without looking it up."""
    length = len(WRITE) + _BODY + _CHECK
    return (
        len(secret) == length and secret.startswith((WRITE, STAFF)) and secret.isascii() and _checksum(secret[:-_CHECK]) == secret[-_CHECK:]
    )


def digest(secret: str) -> bytes:
    """What is stored in place of the secret."""
    return hashlib.sha256(secret.encode()).digest()


def hint(secret: str) -> str:
    """What may be shown of a secret, so that people can tell theirs apart."""
    return f"{secret[:7]}…{secret[-4:]}"


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)


def _base62(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits
