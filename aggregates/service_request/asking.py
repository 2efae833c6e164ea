"""How a customer is asked whether he is content: an address of his own, by which he answers for one request and nothing else.

He is approached by a rule on `service.satisfaction_asked`, through the contact policy like anybody. Pure. Reading order: path, request_of.
"""

from collections.abc import Mapping
from uuid import UUID

from aggregates.decision import origin
from aggregates.sealing import Sealer
from aggregates.service_request.telling import KEPT
from aggregates.signing import is_signed, sign

CUSTOMER = "customer"
"""By whom a request is rated that he rates himself."""


def path(request: UUID, sealer: Sealer) -> str:
    """Where he answers; nobody can guess it, and it opens nothing else."""
    return f"/rate/{request}/{sign(b'rate ' + request.bytes, sealer)}"


def opens(request: UUID, signature: str, sealer: Sealer) -> bool:
    """Whether an address is one that was given out."""
    return is_signed(b"rate " + request.bytes, signature, sealer)


def request_of(cause: Mapping[str, str]) -> UUID | None:
    """The request that a contact is about, by the event that caused it; None: it is about none."""
    if cause.get("source") != origin(f"{KEPT}."):
        return None
    try:
        return UUID(cause.get("id", "").partition(".")[0])
    except ValueError:
        return None
