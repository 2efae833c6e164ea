"""How a customer says that he wants no more of it: an address of his own, for the purpose and the channel of one contact. Pure.

Reading order: path, opens.
"""

from uuid import UUID

from aggregates.sealing import Sealer
from aggregates.signing import is_signed, sign

CONTRACT = "consent.withdrawn"


def path(contact: UUID, channel: str, sealer: Sealer) -> str:
    """Where he says so; nobody can guess it, and it opens nothing else."""
    return f"/unsubscribe/{contact}/{channel}/{sign(_given(contact, channel), sealer)}"


def opens(contact: UUID, channel: str, signature: str, sealer: Sealer) -> bool:
    """Whether an address is one that was given out."""
    return is_signed(_given(contact, channel), signature, sealer)


def _given(contact: UUID, channel: str) -> bytes:
    return b"unsubscribe " + contact.bytes + channel.encode()
