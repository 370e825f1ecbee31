"""Say what may be asked at all, and connect to nothing else: public hosts, over HTTP, never LinkedIn.

A name is resolved here, its addresses are checked, and the connection goes to the checked address itself: no
second look-up can put another in its place (DNS rebinding), and every redirect passes here again. TLS still
verifies the name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import urlsplit

import httpcore
import httpx

if TYPE_CHECKING:
    import ssl

NEVER = ("linkedin.com", "linkedin.cn", "lnkd.in", "licdn.com", "licdn.cn")
"""Sites that are not fetched, whoever asks: a LinkedIn address is kept as a link for a human."""
NOT_PUBLIC = "the host has an address that is not public"
MOST_URL = 2_000
MOST_ADDRESSES = 3
"""Of one name, tried one after the other."""
CONNECTIONS = 20

_SCHEMES = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_INWARD = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # protocols of the network itself (RFC 6890)
            "192.88.99.0/24",  # relays from 6to4, given up (RFC 7526)
            "168.63.129.16/32",  # what a machine at Azure asks about itself: it answers on no other network
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)
"""Networks that are nobody's website, although Python's registry of addresses calls them global."""
_LOW_32 = 0xFFFF_FFFF

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host. Raises OSError where there are none."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Refused(Exception):  # noqa: N818 - the name is the word that is shown
    """Say that an address is not one we ask, and why."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host as the system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True)
class Reach:
    """What can be reached: the ports, and networks that are let through although they are not public."""

    ports: frozenset[int] = frozenset(_SCHEMES.values())
    trusted: tuple[Network, ...] = ()
    resolver: Resolver = resolve

    def checked(self, url: str) -> httpx.URL:
        """Return an address that may be asked, without its fragment. Raises Refused, with the reason."""
        if len(url) > MOST_URL:
            raise Refused("the address is longer than any page's")
        try:
            found = httpx.URL(url)
        except (httpx.InvalidURL, TypeError, ValueError, UnicodeError) as error:
            raise Refused("the address cannot be read") from error
        if found.scheme not in _SCHEMES or not found.host:
            raise Refused("only http and https addresses are read")
        if found.userinfo:
            raise Refused("an address with a password in it is not read")
        if is_never(found.raw_host.decode("ascii")):
            raise Refused("LinkedIn is never read")
        if (_SCHEMES[found.scheme] if found.port is None else found.port) not in self.ports:
            raise Refused(f"port {found.port} is not one of the web's")
        return found.copy_with(fragment=None)

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses to connect to. Raises Refused where one of them is not public."""
        found = await self.resolver(host, port)
        for address in found:
            if not self.lets_through(address):
                raise Refused(NOT_PUBLIC)
        return found[:MOST_ADDRESSES]

    def lets_through(self, address: str) -> bool:
        """Say whether an address may be connected to."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(found in network for network in self.trusted) or all(map(_is_public, _meant(found)))


PUBLIC = Reach()


def is_never(host: str) -> bool:
    """Say whether a host is of a site that is not fetched.

    >>> is_never("de.LinkedIn.com."), is_never("notlinkedin.com")
    (True, False)
    """
    name = host.rstrip(".").lower()
    return any(name == site or name.endswith(f".{site}") for site in NEVER)


def host_of(url: str) -> str:
    """Return the host of an address in lower case, with a port that is not the scheme's; empty of none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    name = (parts.hostname or "").rstrip(".").lower()
    return name if port is None or port == _SCHEMES.get(parts.scheme) else f"{name}:{port}"


def _meant(address: Address) -> Iterable[Address]:
    """Return what a connection to an address may reach: one that is another in disguise reaches that."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address in _NAT64:
        return (ipaddress.IPv4Address(int(address) & _LOW_32),)
    inside = (address.sixtofour, *(address.teredo or ()))
    return (address, *(each for each in inside if each is not None))


def _is_public(address: Address) -> bool:
    """Say whether an address is anybody's on the Internet."""
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_link_local
        or any(address in network for network in _INWARD)
        or (isinstance(address, ipaddress.IPv6Address) and address.is_site_local)
    )


class _Backend(httpcore.AsyncNetworkBackend):
    """Opens connections to checked addresses only."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host that answers."""
        failure: Exception = httpcore.ConnectError("the host has no address")
        for address in await self._reach.addresses(host, port):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@cache
def _verifying() -> ssl.SSLContext:
    """Return what verifies certificates; it takes long to make and is made once."""
    return httpx.create_ssl_context(trust_env=False)


class _Stream(Protocol):
    """The body of httpcore's answers."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class _Body(httpx.AsyncByteStream):
    """Hands on the body of an answer."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        """Close the connection, or give it back where the body was read to its end."""
        await self._stream.aclose()


class GuardedTransport(httpx.AsyncBaseTransport):
    """The transport for an httpx client that goes nowhere but where a `Reach` lets it."""

    def __init__(self, reach: Reach = PUBLIC) -> None:
        self._reach = reach
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_verifying(),
            max_connections=CONNECTIONS,
            network_backend=_Backend(reach),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises Refused, and httpcore's errors."""
        self._reach.checked(str(request.url))
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        body = _Body(cast("_Stream", answer.stream))
        return httpx.Response(answer.status, headers=answer.headers, stream=body)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.aclose()
