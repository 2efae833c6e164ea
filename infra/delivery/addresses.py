"""Where nothing may be sent: a webhook must not make us speak to our own house, or to the cloud's metadata.

Looked at when a webhook is registered, and again at each connection after the name was resolved: what a name means may change in between.
Reading order: Allowed, check_registration, on_the_wire, public, Guarded.
"""

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import quote, urlsplit

import httpcore
import idna

from aggregates.webhook import AddressRefused

STANDS = "!#$%&'()*+,/:;=?@[]~|^"
"""What is left as it is in a path and a query beside letters and digits: also what is encoded already."""

SETTING = "YEKTA_DELIVERY__ALLOW"
Address = IPv4Address | IPv6Address

TRANSLATED = ip_network("64:ff9b::/96")
"""IPv6 addresses in which a gateway finds an IPv4 address."""


class Allowed:
    """Hosts and networks that may be spoken to although they are not of the public Internet."""

    def __init__(self, setting: str) -> None:
        self.names: set[str] = set()
        self.networks: list[IPv4Network | IPv6Network] = []
        for part in filter(None, (part.strip() for part in setting.split(","))):
            try:
                self.networks.append(ip_network(part, strict=False))
            except ValueError:
                self.names.add(ascii_host(part).lower().rstrip("."))

    def name(self, host: str) -> bool:
        """Whether this host was named."""
        return ascii_host(host).lower().rstrip(".") in self.names

    def address(self, address: Address) -> bool:
        """Whether it lies in a network that was named."""
        return any(address.version == network.version and address in network for network in self.networks)


def on_the_wire(url: str) -> str:
    """An address as requests have it: a name beyond ASCII as DNS has it, and what stands in no request as `%…`."""
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    host = parts.hostname or ""
    if not host.isascii():
        place = ascii_host(host) + (f":{parts.port}" if parts.port is not None else "")
    path, query = quote(parts.path, safe=STANDS), quote(parts.query, safe=STANDS)
    return f"{parts.scheme}://{user}{at}{place}{path}" + (f"?{query}" if query else "")


def ascii_host(host: str) -> str:
    """A name as DNS has it; one that cannot be said so has no address."""
    try:
        return host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return "unsayable.invalid"


async def check_registration(url: str, allowed: Allowed) -> None:
    """Refuse a URL whose host, as it resolves now, is not to be spoken to. One that does not resolve is looked at when it is used."""
    try:
        if any(letter < " " or letter == "\x7f" for letter in url):  # which are left out where it is taken apart
            raise ValueError("there is a control character in it")
        parts = urlsplit(url)
        if any(letter.isspace() for letter in parts.netloc):
            raise ValueError("there is a blank in its host")
        _ = parts.port
    except ValueError as error:
        raise AddressRefused(f"It is no address: {error}.") from error
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.fragment:
        raise AddressRefused("It is no absolute http or https address without a user and a fragment.")
    addresses = await resolve(host, 443)
    check(host, addresses, allowed)
    inside = allowed.name(host) or (bool(addresses) and all(allowed.address(address) for address in addresses))
    if parts.scheme == "http" and not inside:
        raise AddressRefused(f"Only https goes beyond the own house. Hosts and networks named in {SETTING} may be spoken to over http.")


async def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a host; none when it has none."""
    literal = _literal(host)
    if literal is not None:
        return [literal]
    host = ascii_host(host)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


def check(host: str, addresses: Iterable[Address], allowed: Allowed) -> None:
    """Raise AddressRefused when one of the addresses is not of the public Internet and not allowed."""
    if allowed.name(host):
        return
    for address in addresses:
        if not public(address) and not allowed.address(address):
            raise AddressRefused(
                f"{host} is at {address}, which is not an address of the public Internet. To allow it, name the host or its network in"
                f" {SETTING}, for example {SETTING}={host}."
            )


def public(address: Address) -> bool:
    """Whether an address is one of the public Internet, also behind what wraps another address."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return public(address.ipv4_mapped)
        if address in TRANSLATED:
            return public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.sixtofour is not None or address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class Guarded(httpcore.AsyncNetworkBackend):
    """Opens connections only to addresses that may be spoken to: the very address that was looked at is connected to."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as the library calls it
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await resolve(host, port)
        if not addresses:
            raise httpcore.ConnectError(f"{host} has no address")
        check(host, addresses, self._allowed)
        failure: Exception | None = None
        for address in addresses[:3]:
            try:
                return await self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None  # noqa: S101 - there was at least one address
        raise failure

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _literal(host: str) -> Address | None:
    """A host that is an address already; also as octets in other spellings that resolvers accept."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        pass
    try:
        return ip_address(socket.inet_aton(host)) if host.replace(".", "").replace("x", "").isalnum() and host[:1].isdigit() else None
    except OSError:
        return None
