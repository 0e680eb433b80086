"""Connections that respect the deadline of a fetch, for inner clients.

A server that sends a byte now and then defeats every socket timeout. These connections check the
deadline (see ``runtime.deadline``) before each read, and wait no longer. TLS needs nothing more:
the handshake and each read of OpenSSL have one timeout for everything that they receive.
"""

import math
from functools import lru_cache
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from typing import Any

from ..runtime.deadline import seconds_left, too_late


class _Reader(RawIOBase):
    """Reads from a socket until the deadline."""

    #: Closed if an interrupt comes before ``__init__`` ends.
    _raw: RawIOBase = RawIOBase()

    def __init__(self, sock: Any, raw: RawIOBase) -> None:
        self._sock, self._raw = sock, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left, timeout = seconds_left(), self._sock.gettimeout()
        if left == math.inf or (timeout is not None and timeout <= left):
            return self._raw.readinto(buffer)
        self._sock.settimeout(left)
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError:
            raise too_late() from None
        self._sock.settimeout(timeout)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """A response of a server, or of a proxy that opens a tunnel."""

    #: As in ``_Reader``.
    fp: Any = None

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        buffered, self.fp = self.fp, None
        self.fp = BufferedReader(_Reader(sock, buffered.detach()))


class _Connection:
    """A mixin for botocore's connection classes."""

    response_class = _Response

    def connect(self) -> None:
        seconds_left()  # raises when the time is over
        super().connect()  # type: ignore[misc]  # of the connection class


@lru_cache
def _connection(kind: type) -> type:
    return type(kind.__name__, (_Connection, kind), {})


class _Pool:
    """Mark the pool classes that create connections of this module."""


@lru_cache
def _pool(kind: Any) -> type:
    # Look the class up for each connection: programs that record requests replace it.
    connection_class = property(lambda _: _connection(kind.ConnectionCls))
    return type(kind.__name__, (_Pool, kind), {"ConnectionCls": connection_class})


def keep_deadlines(http_session: Any) -> None:
    """Make new connections of botocore's HTTP session respect deadlines.

    Proxies, CA bundle, verification, client certificate, timeouts and pool do not change. If
    botocore renames the attribute used here, only the socket timeouts apply.
    """
    kinds = getattr(http_session, "_pool_classes_by_scheme", {})
    # A session may return a client that it already had.
    plain = {scheme: kind for scheme, kind in kinds.items() if not issubclass(kind, _Pool)}
    kinds.update({scheme: _pool(kind) for scheme, kind in plain.items()})


def keep_deadlines_of(owner: Any) -> None:
    """Call ``keep_deadlines`` for a client or a fetcher of instance metadata."""
    endpoint = getattr(owner, "_endpoint", None)
    keep_deadlines(getattr(endpoint, "http_session", None) or getattr(owner, "_session", None))
