"""Finds TCP ports for the engines on loopback, keeps the one an engine had before while it is free, and says who uses the API's."""

import errno
import secrets
import socket
from collections.abc import Collection

import psutil

from infra.errors import Refusal

LOOPBACK = "127.0.0.1"

# Never from the range the system gives to outgoing connections: while an engine is down, a client that keeps
# trying to connect can be given that very port, connect to itself, and hold it.
_BELOW_EPHEMERAL = range(20000, 30000)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    return _hindered(port, host) is None


def _hindered(port: int, host: str) -> OSError | None:
    """Why no server could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def choose(before: int | None = None, *, taken: Collection[int] = ()) -> int:
    """The port of the last run if it is free, else another one that is."""
    if before is not None and is_free(before):
        return before
    while True:
        port = _BELOW_EPHEMERAL.start + secrets.randbelow(len(_BELOW_EPHEMERAL))
        if port not in taken and is_free(port):
            return port


def refuse_used(port: int, host: str) -> None:
    """Raises Refusal where the API cannot listen, with why, and who does."""
    error = _hindered(port, host)
    if error is None:
        return
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        raise Refusal(f"{host} is no address of this machine.", "See YEKTA_API__HOST; 0.0.0.0 is all that it has.")
    if error.errno == errno.EACCES:
        raise Refusal(f"No permission to listen on port {port}.", "Choose one above 1023 with --port, or YEKTA_API__PORT.")
    raise Refusal(f"Port {port} on {host} is used by {_user_of(port)}.", "Choose another one with --port, or YEKTA_API__PORT.")


def _user_of(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr.port == port and connection.status == psutil.CONN_LISTEN and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.Error, OSError):  # not ours to see
        pass
    return "another program"
