"""Finds TCP ports for the engines on loopback, and keeps the one an engine had before while it is free."""

import secrets
import socket
from collections.abc import Collection

LOOPBACK = "127.0.0.1"

# Never from the range the system gives to outgoing connections: while an engine is down, a client that keeps
# trying to connect can be given that very port, connect to itself, and hold it.
_BELOW_EPHEMERAL = range(20000, 30000)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def choose(before: int | None = None, *, taken: Collection[int] = ()) -> int:
    """The port of the last run if it is free, else another one that is."""
    if before is not None and is_free(before):
        return before
    while True:
        port = _BELOW_EPHEMERAL.start + secrets.randbelow(len(_BELOW_EPHEMERAL))
        if port not in taken and is_free(port):
            return port
