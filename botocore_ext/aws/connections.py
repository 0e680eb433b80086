"""The connections of inner clients: botocore's own, whose answers end with a deadline.

A server that sends a byte now and then keeps every timeout of a socket from coming. What reads an
answer here looks at the deadline (see ``threads.deadline``) before each read, and waits no longer
than that; TLS needs nothing more, since OpenSSL's handshake and each read have one timeout for all
that they receive.
"""

import math
from functools import lru_cache
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from typing import Any

from ..runtime.deadline import seconds_left, too_late


class _Reader(RawIOBase):
    """Reads what a socket receives until the deadline."""

    #: Until then there is nothing to close: an interrupt may come before ``__init__`` ends.
    _raw: RawIOBase = RawIOBase()

    def __init__(self, sock: Any, raw: RawIOBase) -> None:
        self._sock, self._raw = sock, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left, patience = seconds_left(), self._sock.gettimeout()
        if left == math.inf or (patience is not None and patience <= left):
            return self._raw.readinto(buffer)
        self._sock.settimeout(left)
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError:
            raise too_late() from None
        self._sock.settimeout(patience)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """The standard library's, also of a proxy that opens a tunnel."""

    #: As in ``_Reader``.
    fp: Any = None

    def __init__(self, sock: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        buffered, self.fp = self.fp, None
        self.fp = BufferedReader(_Reader(sock, buffered.detach()))


class _Connection:
    """What is added to a connection class of botocore."""

    response_class = _Response

    def connect(self) -> None:
        seconds_left()  # none is made when the time is over
        super().connect()  # type: ignore[misc]  # of the class that this is added to


@lru_cache
def _connection(kind: type) -> type:
    return type(kind.__name__, (_Connection, kind), {})


@lru_cache
def _pool(kind: Any) -> type:
    # Looked up for each connection: programs that record requests put another class there.
    found = property(lambda _: _connection(kind.ConnectionCls))
    return type(kind.__name__, (kind,), {"ConnectionCls": found})


def keep_deadlines(http_session: Any) -> None:
    """Let the connections that botocore's HTTP session makes from now on end with deadlines.

    Proxies, CA bundle, verification, client certificate, timeouts and pool are its own. Where
    botocore's names for it change, the timeouts of sockets hold.
    """
    kinds = getattr(http_session, "_pool_classes_by_scheme", {})
    kinds.update({scheme: _pool(kind) for scheme, kind in kinds.items()})


def keep_deadlines_of(owner: Any) -> None:
    """Do so for a client, or for a fetcher of instance metadata."""
    endpoint = getattr(owner, "_endpoint", None)
    keep_deadlines(getattr(endpoint, "http_session", None) or getattr(owner, "_session", None))
