"""Connections of inner clients: they respect the deadline of a fetch, and clients share them.

A server that sends a byte now and then defeats every socket timeout. These connections check the
deadline (see ``runtime.deadline``) before each read, and wait no longer. TLS needs nothing more:
the handshake and each read of OpenSSL have one timeout for everything that they receive.

Plain botocore reads the CA bundle for every connection, which takes longer than all the rest of a
refresh, and each client has its own connections. Inner clients that connect in the same way share
theirs within a process. A connection holds no identity: requests are unsigned, or each is signed.
"""

import math
import socket
import ssl
from binascii import a2b_base64
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from functools import lru_cache
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from pathlib import Path
from queue import Empty, Full
from typing import Any

from botocore.httpsession import ProxyConfiguration, URLLib3Session, get_cert_path
from urllib3.exceptions import SSLError
from urllib3.util import Timeout

from ..runtime.deadline import seconds_left, too_late
from ..runtime.single_flight import ProcessLocal, use_last


class _Reader(RawIOBase):
    """Reads from a socket until the deadline."""

    #: Closed instead of a socket if an interrupt comes before ``__init__`` ends.
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
        context = getattr(self, "ssl_context", None)
        is_default = bool(context) and getattr(self, "ca_certs", None) == get_cert_path(verify=True)
        # Not through a proxy: after an error, urllib3 does not open the tunnel again.
        roots_first = is_default and not getattr(self, "proxy", None)
        reader = _bundle_reader(context, roots_first=roots_first)
        partial = reader if reader is not None and reader.roots_first else None
        parent: Any = super()  # this is a mixin
        try:
            parent.connect()
        except (SSLError, ssl.SSLError):
            if partial is None:
                raise
            partial.roots_first = False
            self.connect()


def _bundle_reader(context: Any, *, roots_first: bool) -> "_BundleReader | None":
    """Return the reader of CA bundles of a TLS context, which gets it at the first call."""
    load = getattr(context, "load_verify_locations", None)
    if load is None or isinstance(load, _BundleReader):
        return load
    reader = _BundleReader(load, roots_first=roots_first)
    with suppress(AttributeError):  # a context of another library may not have attributes
        context.load_verify_locations = reader
    return reader


class _BundleReader:
    """The ``load_verify_locations`` of a context, which reads a file again only if it has changed.

    urllib3 calls it for every connection, although the context still has the certificates. Of
    botocore's bundle it reads the certificates of AWS first, which takes a twentieth of the time;
    the others are read if these do not verify a server.
    """

    def __init__(self, load: Callable[..., None], *, roots_first: bool) -> None:
        self._load, self.roots_first = load, roots_first
        self._read: set[Hashable] = set()

    def __call__(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        version = _version(cafile), self.roots_first
        if version in self._read and not (capath or cadata or version[0] is None):
            return
        roots = _roots_of_aws(cafile) if self.roots_first else b""
        if roots:
            self._load(None, None, roots)
        else:
            self._load(cafile, capath, cadata)
        self._read.add(version)


def _roots_of_aws(bundle: str) -> bytes:
    """Return the certificates of AWS's own authorities in a CA bundle."""
    _, *blocks = Path(bundle).read_bytes().split(b"-----BEGIN CERTIFICATE-----")
    found = [a2b_base64(block.partition(b"-----END")[0]) for block in blocks]
    return b"".join(one for one in found if any(name in one for name in _ROOTS_OF_AWS))


#: https://www.amazontrust.com/repository/
_ROOTS_OF_AWS = (b"Amazon Root CA ", b"Starfield Services Root Certificate Authority")


def _version(path: Any) -> Hashable:
    """Return a value that changes with the file, or None if the file does not exist."""
    try:
        found = Path(path).stat()
    except (OSError, TypeError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@lru_cache
def _connection(kind: type) -> type:
    return type(kind.__name__, (_Connection, kind), {})


class _Idle:
    """The idle connections of a pool, the one used last first.

    urllib3 uses ``queue.LifoQueue``. An interrupt while that takes its lock leaves the lock held,
    and every thread that shares the pool would wait forever.
    """

    def __init__(self, maxsize: int) -> None:
        self._found: list[Any] = []
        self._maxsize = maxsize

    def get(self, **_: object) -> Any:
        try:
            return self._found.pop()
        except IndexError:
            raise Empty from None  # the pool creates a connection

    def put(self, connection: Any, **_: object) -> None:
        if len(self._found) >= self._maxsize:
            raise Full  # the pool closes the connection
        self._found.append(connection)

    def qsize(self) -> int:
        return len(self._found)


class _Pool:
    """A mixin that marks the pool classes that create connections of this module."""

    QueueCls = _Idle


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


# Sharing. A botocore client sends through an HTTP session, which holds the TLS context and pools.

#: The number of HTTP sessions that are shared; other clients keep their own.
_MAX_SHARED = 10
#: Attributes of an HTTP session that hold connections, or say how to pool them.
_CONNECTIONS = {"_manager", "_proxy_managers", "_pool_classes_by_scheme"}

_shared: ProcessLocal[dict[Hashable, Any]] = ProcessLocal(dict)


def share_connections(client: Any) -> None:
    """Make a new client use the connections of earlier ones with equal connection settings.

    Without the attributes of botocore that are used here, the client keeps its own connections.
    """
    endpoint: Any = getattr(client, "_endpoint", None)
    own = getattr(endpoint, "http_session", None)
    if type(own) is not URLLib3Session:
        return
    shared = _shared.get()
    with suppress(TypeError):  # a setting cannot be compared
        settings = _connection_settings(own)
        keep_deadlines(own)
        endpoint.http_session = shared.get(settings, own)
        use_last(shared, settings, endpoint.http_session, _MAX_SHARED)


def reset() -> None:
    """Forget the connections that are shared; clients in use keep theirs."""
    _shared.get().clear()


def _connection_settings(http_session: Any) -> Hashable:
    """Return all settings that decide how a session connects, also those that botocore may add.

    The classes of connections and sockets are among them, because programs that record or block
    requests replace them for a while.
    """
    kinds = getattr(http_session, "_pool_classes_by_scheme", {})
    classes = [(scheme, kind, kind.ConnectionCls) for scheme, kind in sorted(kinds.items())]
    settings = {name: one for name, one in vars(http_session).items() if name not in _CONNECTIONS}
    return *classes, socket.socket, _comparable(settings)


def _comparable(value: Any) -> Hashable:
    """Return a value that is equal for equal settings only; a file counts with its version."""
    if isinstance(value, (ProxyConfiguration, Timeout)):
        value = vars(value)
    if isinstance(value, Mapping):
        return frozenset((name, _comparable(one)) for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(_comparable, value))
    return type(value), value, _version(value) if isinstance(value, str) else None
