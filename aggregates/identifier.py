"""Names a person or a thing by which a customer is recognised: `(kind, value)`, the value in its normal form.

An identifier travels in two shapes. In the clear, as `Identifier`, only inside a sealed envelope and in read models. In the log and in
the identity tables as a *token*: the kind, a colon and the keyed hash of the normal form (`phone:3q2-7wAAAAAAAAAAAAAAAA`), which says
that two touchpoints speak of the same phone without saying which.
"""

from typing import NamedTuple, NewType

Token = NewType("Token", str)
"""`kind:base64url(BLAKE2b-128(key, kind U+001F value))`, without padding; see docs/encodings.md."""


class Identifier(NamedTuple):
    """A kind and a value in normal form, for instance `Identifier("phone", "+989121234567")`."""

    kind: str
    value: str


def hash_input(identifier: Identifier) -> bytes:
    """What the keyed hash of a token is taken over: kind, unit separator, value, as UTF-8."""
    return f"{identifier.kind}\x1f{identifier.value}".encode()


def kind_of(token: Token) -> str:
    """The kind a token is of: what stands before its first colon."""
    return token.partition(":")[0]
