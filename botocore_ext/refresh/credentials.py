"""``ProviderCredentials``: the credentials object that botocore signs with.

It is a ``RefreshableCredentials`` whose public surface is all implemented here, and so are the
private names that other programs read because botocore has no public ones. botocore's own refresh
never runs, so a change of it has no effect here.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from botocore.credentials import ReadOnlyCredentials, RefreshableCredentials
from botocore.useragent import register_feature_id

from ..aws.frozen_credentials import FrozenCredentials
from ..errors import ConfigurationError
from ..runtime.single_flight import NeedsItselfError, own_copy
from .policy import Decision, RetryDelay, decide, retry_delay
from .refresher import Refresher

T = TypeVar("T")

if TYPE_CHECKING:
    from typing import Protocol

    from .policy import Window

    class Source(Protocol):
        """The part of ``providers.base.Provider`` that its credentials use."""

        METHOD: str | None
        refresh_window: Window

        @property
        def _label(self) -> str: ...
        @property
        def scope(self) -> Any:
            """Its scope, which has the clock."""

        def _guarded_fetch(self) -> FrozenCredentials: ...
        def _subscribe(self, credentials: "ProviderCredentials", distance: int = 0) -> None: ...
        def _run_with_logger(self, work: Callable[[], T]) -> T: ...
        def _forget_ids(self) -> None: ...


def needs_itself(method: str) -> ConfigurationError:
    """Return the error for a callable that needs the credentials that it provides."""
    return ConfigurationError(
        provider=method,
        error_msg="a callable of this provider uses the credentials that the provider is fetching: "
        "use a separate session or client in the callable",
    )


def frozen_field(name: str, meaning: str) -> Any:
    """Make a read-only property that fetches as ``get_frozen_credentials`` does."""
    return property(lambda self: getattr(self.get_frozen_credentials(), name), doc=meaning)


class ProviderCredentials(RefreshableCredentials):
    """Credentials of a provider, fetched on first use and refreshed before they expire."""

    def __init__(self, provider: "Source", retry_delay: RetryDelay = retry_delay) -> None:
        """Take the bound provider, and how long to wait after a failure; nothing is fetched yet."""
        method = str(provider.METHOD)
        nothing: Any = None  # to botocore: no session token, no expiration
        super().__init__("", "", nothing, nothing, provider._guarded_fetch, method)
        self._provider = provider
        clock = provider.scope.clock
        self._wall, self._steady = clock.now, clock.monotonic
        self._refresher = Refresher(
            provider._label,
            provider._guarded_fetch,
            clock,
            lambda: provider.refresh_window,
            retry_delay,
        )

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the current credentials, refreshing them first if they are due.

        Raises:
            ProviderError: There are no credentials, and they could not be retrieved.
            botocore.exceptions.ClientError: STS or Cognito refused.
        """
        current = self._refresher.current
        fresh = current.fresh_until
        if self._wall() >= fresh.wall or self._steady() >= fresh.steady:
            current = self._fetch_with(self._refresher.get_or_fetch)
        for feature in current.features:  # for the user agent of the request that they sign
            register_feature_id(feature)
        return current.frozen

    # Prefer get_frozen_credentials(), whose fields belong together.
    access_key: Any = frozen_field("access_key", "The access key ID.")
    secret_key: Any = frozen_field("secret_key", "The secret access key.")
    token: Any = frozen_field("token", "The session token; None for long-term credentials.")
    account_id: Any = frozen_field("account_id", "The account; None if the source returns none.")

    @property
    def expiration(self) -> datetime | None:
        """When they expire, in UTC; None before the first fetch, or if they do not expire."""
        credentials = self._refresher.current.state.credentials
        return credentials.expiration if credentials else None

    @property
    def identity_id(self) -> str | None:
        """The Cognito identity ID; None before the first fetch and for other credentials."""
        credentials = self._refresher.current.state.credentials
        return credentials.identity_id if credentials else None

    @property
    def expired(self) -> bool:
        """Whether the credentials have expired; False before the first fetch."""
        return self._refresher.now().until(self._refresher.current.state.expires) <= 0

    @property
    def last_error(self) -> Exception | None:
        """The error of the last fetch; None if it succeeded, or before the first fetch."""
        error = self._refresher.current.state.last_error
        return None if error is None else own_copy(error)

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        """Return whether the next use fetches.

        Args:
            refresh_in: If set, return whether fewer seconds than this are left instead.
        """
        state, now = self._refresher.current.state, self._refresher.now()
        if refresh_in is not None and state.credentials is not None:
            return now.until(state.expires) < refresh_in
        decision = decide(state, now, self._provider.refresh_window)
        return decision in (Decision.TRY, Decision.MUST)

    def refresh(self) -> None:
        """Fetch new credentials now.

        Raises:
            Exception: The error of the fetch, even if the cached credentials stay in use.
        """
        self._fetch_with(self._refresher.refresh)

    def _fetch_with(self, work: Callable[[], T]) -> T:
        try:
            return self._provider._run_with_logger(work)
        except NeedsItselfError:
            raise needs_itself(self.method) from None

    def invalidate(self, access_key: str | None = None) -> None:
        """Make the next use fetch.

        Args:
            access_key: Only if this is still the current access key; a wait after a failed refresh
                then stays. None: always, and the wait ends.
        """
        self._refresher.invalidate(access_key)

    # For the rest of this package.

    def _run_with_logger(self, work: Callable[[], T]) -> T:
        """Run ``work``, whose records go to the logger of the provider, and return its result."""
        return self._provider._run_with_logger(work)

    def _current(self) -> FrozenCredentials:
        """Return what ``get_frozen_credentials`` returns, with all its fields."""
        current = self._fetch_with(self._refresher.get_or_fetch)
        return cast("FrozenCredentials", current.state.credentials)  # never None after a fetch

    def _cached_credentials(self, *, allow_stale: bool) -> ReadOnlyCredentials | None:
        """Return the credentials to serve without a fetch (see ``Refresher.cached_state``)."""
        current = self._refresher.current
        fresh = current.fresh_until
        if self._wall() < fresh.wall and self._steady() < fresh.steady:
            return current.frozen
        cached = self._refresher.cached_state(allow_stale=allow_stale)
        return None if cached is None else cached.frozen

    def _unexpired_credentials(self) -> ReadOnlyCredentials | None:
        current = self._refresher.current
        return current.frozen if current.state.is_unexpired(self._refresher.now()) else None

    @property
    def _epoch(self) -> int:
        """The number of invalidations; a fetch that began before the last one does not count."""
        return self._refresher.current.epoch

    @property
    def _features(self) -> tuple[str, ...]:
        """See ``FrozenCredentials.features``."""
        return self._refresher.current.features

    def _has_served(self, access_key: str) -> bool:
        """Return whether this is one of the last access keys, all of the current token."""
        return access_key in self._refresher.current.served

    def _subscribe(self, credentials: "ProviderCredentials", distance: int) -> None:
        """Notify ``credentials``, obtained with these, of new tokens and invalidations."""
        self._provider._subscribe(credentials, distance)

    def _start_with(self, credentials: FrozenCredentials | None) -> None:
        """Start again with these credentials; None: the token of the current ones is replaced."""
        self._refresher.start_with(credentials)

    def _forget_ids(self) -> None:
        """Forget the ids of the user, who logs out."""
        self._provider._forget_ids()

    # What polars, toil and other programs read or call, with the meaning that it has in botocore.

    @property
    def _expiry_time(self) -> Any:
        return self.expiration

    @_expiry_time.setter
    def _expiry_time(self, expiry_time: datetime | None) -> None:
        # Programs set a time in the past to have the next use refresh the credentials.
        if expiry_time is not None and expiry_time.timestamp() <= self._wall():
            self.invalidate()

    @property
    def _frozen_credentials(self) -> Any:
        current = self._refresher.current
        return current.frozen if current.state.credentials else None

    @_frozen_credentials.setter
    def _frozen_credentials(self, _: object) -> None:
        """Ignore what the constructor of botocore's class sets."""

    def _seconds_remaining(self) -> float:
        current = self._refresher.current
        if current.state.credentials is None:
            return 0.0
        return self._refresher.now().until(current.state.expires)

    def _is_expired(self) -> bool:
        return self._seconds_remaining() <= 0

    def _refresh(self) -> None:
        self.get_frozen_credentials()

    def _protected_refresh(self, is_mandatory: bool) -> None:  # noqa: FBT001 - botocore's signature
        try:
            self.refresh()
        except Exception:  # the refresher has logged it
            if is_mandatory:
                raise
