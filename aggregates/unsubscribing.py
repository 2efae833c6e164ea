"""How a customer says that he wants no more of it: an address of his own, for the purpose and the channel of one contact. Pure.

Reading order: path, opens.
"""

import hmac
from uuid import UUID

from aggregates.sealing import Sealer, text

CONTRACT = "consent.withdrawn"


def path(contact: UUID, channel: str, sealer: Sealer) -> str:
    """Where he says so; nobody can guess it, and it opens nothing else."""
    signature = text(sealer.digest("session", b"unsubscribe " + contact.bytes + channel.encode()))
    return f"/unsubscribe/{contact}/{channel}/{signature}"


def opens(contact: UUID, channel: str, signature: str, sealer: Sealer) -> bool:
    """Whether an address is one that was given out."""
    given = f"/unsubscribe/{contact}/{channel}/{signature}"
    return hmac.compare_digest(path(contact, channel, sealer).encode(), given.encode())
