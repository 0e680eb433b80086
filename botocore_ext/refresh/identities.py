"""Credentials that are those of the identity in force at each use.

A client of a session with ``per_request()`` holds a ``PerRequestCredentials``, which botocore asks
for credentials at every signature.
"""

import sys
import threading
from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Any, TypeAlias
from weakref import WeakMethod, ref

from botocore.credentials import Credentials, ReadOnlyCredentials

from ..aws.frozen_credentials import PER_REQUEST
from ..errors import ConfigurationError
from ..runtime.context import identity_in_force
from ..runtime.single_flight import Once, use_last
from .credentials import frozen_field


class Identity:
    """What ``use_credentials`` puts in force: one source of credentials."""

    __slots__ = ("bound", "source")

    def __init__(self, source: Any) -> None:
        """Take the source: a provider, a callable or credentials."""
        self.source = source
        #: Its credentials in each session or client. They are kept here, so that they live as
        #: long as the identity is in force anywhere.
        self.bound: dict[PerRequestCredentials, BoundIdentity] = {}

    @property
    def name(self) -> str:
        """The name of the source, which shows no secret."""
        kind = type(self.source).__name__
        return str(getattr(self.source, "FACTORY", getattr(self.source, "__qualname__", kind)))

    def __repr__(self) -> str:
        """Show the name only."""
        return f"<Identity {self.name}>"


class BoundIdentity(Once[Credentials]):
    """The credentials of one source in one session, loaded once for all threads."""

    def __init__(self, load: Callable[[], Credentials], reference: Callable[[], Any]) -> None:
        super().__init__(load)
        self._reference = reference
        self._converted: Any = None

    def is_of(self, source: Any) -> bool:
        """Return whether these are the credentials of ``source``."""
        found = self._reference()
        return found is source or (isinstance(source, MethodType) and found == source)

    @property
    def loaded(self) -> Credentials | None:
        """The credentials; None if they are not loaded yet."""
        return self._value.get(None)

    def convert(self, function: Callable[[Any], Any]) -> Any:
        """Return the loaded credentials as ``function`` returns them; it is called once."""
        if self._converted is None:
            self._converted = function(self.loaded)
        return self._converted


#: Makes the function that loads the credentials of a source from a weak reference to it.
Loading: TypeAlias = Callable[[Callable[[], Any]], Callable[[], Credentials]]


class _Identities:
    """The bound identities of one session.

    An entry is dropped with its source, and once ``limit`` other sources have been used after it,
    unless it is in force. There is no lock: a callback of the garbage collector may run at any
    time, and each step is atomic.
    """

    def __init__(self, loading: Loading, limit: int) -> None:
        self._loading, self._limit = loading, limit
        self._entries: dict[object, ref[BoundIdentity]] = {}
        #: The sources that were used last, the latest at the end.
        self._recent: dict[object, BoundIdentity] = {}

    def get(self, source: Any) -> BoundIdentity:
        """Return the entry of a source, the same for all threads."""
        key = key_of(source)
        entry = self._entry(key, source)
        use_last(self._recent, key, entry, self._limit)
        return entry

    def _entry(self, key: object, source: Any) -> BoundIdentity:
        found = self._entries.get(key)
        entry = None if found is None else found()
        if entry is not None and entry.is_of(source):
            return entry
        reference = weak_reference(source, partial(_drop, self._recent, key))
        new = BoundIdentity(self._loading(reference), reference)
        # The callback of a reference that did not get into the dict is not called.
        drop = partial(_drop, self._entries, key)
        entry = self._entries.setdefault(key, ref(new, drop))()  # atomic
        if entry is None or not entry.is_of(source):  # of a source that no longer exists
            self._entries[key], entry = ref(new, drop), new
        return entry


def key_of(source: Any) -> object:
    """Return a key of a source, by its identity: equal ones may have different tokens."""
    if isinstance(source, MethodType):  # a new object at each access
        return id(source.__self__), id(source.__func__)
    if type(source) is Credentials:  # programs may put other ones into the same object
        return id(source), source.access_key
    return id(source)


def weak_reference(source: Any, callback: Callable[[Any], None]) -> Callable[[], Any]:
    """Return a weak reference to a source; a strong one if it allows no other."""
    kind: Any = WeakMethod if isinstance(source, MethodType) else ref
    try:
        found: Callable[[], Any] = kind(source, callback)
    except TypeError:
        return lambda: source
    return found


def _drop(entries: dict[object, Any], key: object, _: object) -> None:
    entries.pop(key, None)


# The credentials of a client.


class PerRequestCredentials(Credentials):
    """The credentials of the identity in force, at each use."""

    def __init__(self, loading: Loading, default: Any, limit: int, provider: Any) -> None:
        """Take how to load credentials, and of how many sources they are kept.

        ``default`` is the source without an identity in force; None: that is an error. The provider
        is the ``PerRequest``, for ``explain``.
        """
        self.method = PER_REQUEST
        self._provider = provider
        self._identities = _Identities(loading, limit)
        self._default = None if default is None else Identity(default)

    def __repr__(self) -> str:
        """Show no credentials."""
        return "<PerRequestCredentials>"

    def bound(self) -> BoundIdentity:
        """Return the bound identity in force.

        Raises:
            ConfigurationError: There is none, and no default.
        """
        found = identity_in_force.get()
        identity: Identity | None = found and found.identity
        if identity is None:
            identity = self._without_identity(is_known=found is not None)
        if self not in identity.bound:
            identity.bound.setdefault(self, self._identities.get(identity.source))
        return identity.bound[self]

    def _without_identity(self, *, is_known: bool) -> Identity:
        """Return the default; ``is_known``: no identity was in force where the call was made."""
        if self._default is not None and (is_known or not _is_transfer_thread()):
            return self._default
        if threading.current_thread() is threading.main_thread():
            where = ""
        else:
            where = (
                ". A thread has no identity of its own: start it with "
                "contextvars.copy_context().run, use TransferConfig(use_threads=False), or create "
                "the client with client(credentials=...)"
            )
        raise ConfigurationError(
            provider=PER_REQUEST,
            error_msg="no identity is in force: make the call inside `with "
            f"botocore_ext.use_credentials(provider):`{where}",
        )

    def current(self) -> Any:
        """Return the credentials of the identity in force.

        Raises:
            ConfigurationError: There is none, and no default.
            NotConfigured: It has no credentials.
        """
        return self.bound()()

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the credentials of the identity in force, refreshing them first if they are due.

        Raises:
            ConfigurationError: There is none, and no default.
            NotConfigured: It has no credentials.
            ProviderError: They could not be retrieved.
            botocore.exceptions.ClientError: STS or Cognito refused.
        """
        frozen: ReadOnlyCredentials = self.current().get_frozen_credentials()
        return frozen

    access_key: Any = frozen_field("access_key", "The access key ID.")
    secret_key: Any = frozen_field("secret_key", "The secret access key.")
    token: Any = frozen_field("token", "The session token; None for long-term credentials.")
    account_id: Any = frozen_field("account_id", "The account; None if the source returns none.")

    # The part of credentials that ``rejections`` uses.

    def _has_served(self, access_key: str) -> bool:
        """Return whether this is an access key of the identity in force."""
        has_served = getattr(self._loaded_credentials(), "_has_served", None)
        return has_served is not None and bool(has_served(access_key))

    def invalidate(self, access_key: str | None = None) -> None:
        """Make the next use of the identity in force fetch (see ``ProviderCredentials``)."""
        invalidate = getattr(self._loaded_credentials(), "invalidate", None)
        if invalidate is not None:
            invalidate(access_key)

    def _run_with_logger(self, work: Callable[[], Any]) -> Any:
        """Run ``work``, whose records go to the logger of the identity in force."""
        return self._loaded_credentials()._run_with_logger(work)

    def _loaded_credentials(self) -> Any:
        found = identity_in_force.get()
        identity = (found and found.identity) or self._default
        bound = None if identity is None else identity.bound.get(self)
        return None if bound is None else bound.loaded


def _is_transfer_thread() -> bool:
    """Return whether a thread of s3transfer runs the current code.

    Another identity may have been in force where the transfer began, so the default is not used.
    """
    frame: Any = sys._getframe()
    while frame.f_back is not None:
        names = [one.f_globals.get("__name__", "") for one in (frame, frame.f_back)]
        if names[0].startswith("s3transfer.") and names[1] == "concurrent.futures.thread":
            return True
        frame = frame.f_back
    return False
