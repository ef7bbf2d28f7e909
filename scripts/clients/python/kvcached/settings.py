"""Where the daemon is, and how to speak to it: what both kinds of clients are made with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, List, Optional, Sequence, Tuple, Union

from . import requests
from .errors import KvcachedError, TimedOut
from .replies import Parser, Reply
from .requests import Request, Text

if TYPE_CHECKING:
    import ssl

PORT = 7171

Address = Union[str, Tuple[str, int]]
Tls = Union[None, bool, str, "ssl.SSLContext"]


class Settings:
    """What a connection is made with. `path` is that of a Unix socket, else `host` and `port` are
    set; `tls` is a context or None."""

    def __init__(self, address: Address, user: Optional[Text], secret: Optional[Text], tls: Tls,
                 server_hostname: Optional[str], timeout: Optional[float]) -> None:
        self.path, self.host, self.port = parse_address(address)
        self.login = None
        if user is not None or secret is not None:
            if user is None or secret is None:
                raise ValueError("a user and a secret belong together")
            self.login = requests.auth(user, secret)
        self.tls = tls_context(tls)
        self.server_hostname = server_hostname or self.host or "localhost"
        self.timeout = timeout

    def deadline(self) -> Optional[float]:
        """When a call that begins now must have ended, or None."""
        return None if self.timeout is None else time.monotonic() + self.timeout

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


def parse_address(address: Address) -> Tuple[Optional[str], str, int]:
    """A path, or a host and a port, of "HOST:PORT", "HOST", "[IPV6]:PORT", "/PATH" or a pair."""
    if isinstance(address, tuple):
        return None, address[0], int(address[1])
    if address.startswith("unix:"):
        address = address[len("unix:"):]
    if address.startswith("/"):
        return address, "", 0
    host, colon, port = address.rpartition(":")
    if not colon or "]" in port:
        host, port = address, str(PORT)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"an IPv6 address is written [ADDRESS]:PORT: {address!r}")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f'no "HOST:PORT" and no "/PATH": {address!r}')
    return None, host, int(port)


def tls_context(tls: Tls) -> Optional["ssl.SSLContext"]:
    """Of a context itself; of a file with the certificates that are trusted; of True, for those
    that the system trusts."""
    if not tls:
        return None
    import ssl
    if isinstance(tls, ssl.SSLContext):
        return tls
    return ssl.create_default_context(cafile=None if tls is True else tls)


def time_left(deadline: Optional[float]) -> Optional[float]:
    """Seconds, or None for ever; an exception when there are none."""
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimedOut("timed out")
    return left


class Batch:
    """Requests that are sent at once, and what becomes of them."""

    def __init__(self, asked: Sequence[Request[Any]]) -> None:
        self.data = b"".join([request.data for request in asked])
        self.reads = all([request.reads for request in asked])
        self.asked = asked
        self.sent = False  # whether the daemon may have seen something of it
        self.replies: List[Reply] = []

    def expect(self, parser: Parser) -> None:
        self.sent = False
        self.replies = [request.reply() for request in self.asked]
        for reply in self.replies:
            if not reply.done:
                parser.expect(reply)

    def may_be_repeated(self) -> bool:
        """Whether it may be sent again although it is not known what became of it."""
        return self.reads or not self.sent

    def mark(self, error: KvcachedError) -> None:
        """The connection failed with that error while this was on its way."""
        error.outcome_unknown = not self.may_be_repeated()


def results_of(replies: Sequence[Reply], raise_errors: bool) -> List[Any]:
    """What a pipeline returns: results, and errors in the place of results or raised."""
    if raise_errors:
        return [reply.take() for reply in replies]
    return [reply.result if reply.error is None else reply.error for reply in replies]
