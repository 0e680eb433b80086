"""``ProviderCredentials``: the credentials object that botocore signs with.

It is a ``RefreshableCredentials`` of which the whole public surface is our own, and so is what
other programs read of it because botocore has no public name for it. botocore's private refresh
never runs, so that a change of it cannot stack on ours.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.credentials import ReadOnlyCredentials, RefreshableCredentials
from botocore.useragent import register_feature_id

from ..aws.frozen_credentials import FrozenCredentials
from ..errors import ConfigurationError
from ..runtime.single_flight import NeedsItselfError, own_copy
from .policy import Decision, Wait, decide, wait
from .refresher import Refresher

if TYPE_CHECKING:
    from abc import abstractmethod
    from typing import Protocol

    from ..system import Clock
    from .policy import Window

    class Source(Protocol):
        """What these credentials need of the provider that they come from."""

        METHOD: str | None

        @property
        @abstractmethod
        def _label(self) -> str:
            """How an error speaks of it."""

        @property
        @abstractmethod
        def _clock(self) -> Clock:
            """Its clock."""

        @property
        @abstractmethod
        def refresh_window(self) -> Window:
            """The advisory window."""

        @abstractmethod
        def _guarded_fetch(self) -> FrozenCredentials:
            """Fetch."""

        @abstractmethod
        def _subscribe(self, credentials: "ProviderCredentials", distance: int = 0) -> None:
            """Let ``credentials`` know of new tokens and invalidations."""


def needs_itself(method: str) -> ConfigurationError:
    """Return the error for a callable that waits for what waits for it."""
    return ConfigurationError(
        provider=method,
        error_msg="a callable of this provider uses the credentials that it is to provide: give "
        "it a session or client of its own",
    )


def _frozen_field(name: str, meaning: str) -> Any:
    """Make a property that fetches as ``get_frozen_credentials`` does; it cannot be set."""
    return property(lambda self: getattr(self.get_frozen_credentials(), name), doc=meaning)


class ProviderCredentials(RefreshableCredentials):
    """Keys of a provider, fetched at the first use and refreshed in time."""

    def __init__(self, provider: "Source", wait: Wait = wait) -> None:
        """Take the bound provider, and how long to wait after a failure; nothing is fetched yet."""
        method = str(provider.METHOD)
        nothing: Any = None  # botocore means "no token" and "no expiry" by it
        super().__init__("", "", nothing, nothing, provider._guarded_fetch, method)
        self._provider = provider
        clock = provider._clock
        self._wall, self._steady = clock.now, clock.monotonic
        self._refresher = Refresher(
            provider._label, provider._guarded_fetch, clock, lambda: provider.refresh_window, wait
        )

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return keys that belong together, refreshing them when it is time.

        Raises:
            ProviderError: There are no keys, and they cannot be obtained.
            botocore.exceptions.ClientError: STS or Cognito refused.
        """
        current = self._refresher.current
        fresh = current.fresh_until
        if self._wall() >= fresh.wall or self._steady() >= fresh.steady:
            try:
                current = self._refresher.get_or_fetch()
            except NeedsItselfError:
                raise needs_itself(self.method) from None
        for feature in current.features:  # for the user agent of the request that these keys sign
            register_feature_id(feature)
        return current.frozen

    def cached(self, *, refreshing: bool) -> ReadOnlyCredentials | None:
        """Return the keys where nobody needs to wait for a fetch; None where one is due.

        Args:
            refreshing: Whether somebody fetches already: in the advisory window others go on.
        """
        current = self._refresher.current
        fresh = current.fresh_until
        if self._wall() < fresh.wall and self._steady() < fresh.steady:
            return current.frozen
        good = self._refresher.cached(refreshing=refreshing)
        return None if good is None else good.frozen

    def good(self) -> ReadOnlyCredentials | None:
        """Return the keys if they have not expired."""
        current = self._refresher.current
        return current.frozen if current.state.is_good(self._refresher.now()) else None

    @property
    def epoch(self) -> int:
        """How often keys were invalidated; a fetch that began before does not count."""
        return self._refresher.current.epoch

    # Prefer get_frozen_credentials(), whose fields belong together.
    access_key: Any = _frozen_field("access_key", "The access key.")
    secret_key: Any = _frozen_field("secret_key", "The secret key.")
    token: Any = _frozen_field("token", "The session token; None for keys that need none.")
    account_id: Any = _frozen_field("account_id", "The account; None when the source is silent.")

    @property
    def expiration(self) -> datetime | None:
        """When the keys expire; None before the first fetch and for keys that do not."""
        keys = self._refresher.current.state.keys
        return keys.expiration if keys else None

    @property
    def identity_id(self) -> str | None:
        """The Cognito identity of the keys; None before the first fetch and for other keys."""
        keys = self._refresher.current.state.keys
        return keys.identity_id if keys else None

    @property
    def features(self) -> tuple[str, ...]:
        """Botocore's user-agent feature ids of the keys (see ``FrozenCredentials.features``)."""
        return self._refresher.current.features

    @property
    def expired(self) -> bool:
        """Whether the keys have expired; False before the first fetch."""
        return self._refresher.now().until(self._refresher.current.state.expires) <= 0

    @property
    def last_error(self) -> Exception | None:
        """Why the last fetch failed; None when it succeeded or none was made."""
        error = self._refresher.current.state.last_error
        return None if error is None else own_copy(error)

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        """Whether the next use fetches; with ``refresh_in``, whether fewer seconds are left."""
        state, now = self._refresher.current.state, self._refresher.now()
        if refresh_in is not None and state.keys is not None:
            return now.until(state.expires) < refresh_in
        decision = decide(state, now, self._provider.refresh_window)
        return decision in (Decision.TRY, Decision.MUST)

    def refresh(self) -> None:
        """Fetch new keys now.

        Raises:
            Exception: What the fetch raised, also where older keys stay in use.
        """
        try:
            self._refresher.refresh()
        except NeedsItselfError:
            raise needs_itself(self.method) from None

    # What polars, toil and others read or call, with the meaning that it has in botocore.

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
        return current.frozen if current.state.keys else None

    @_frozen_credentials.setter
    def _frozen_credentials(self, _: object) -> None:
        """Ignore what the constructor of botocore's class sets."""

    def _seconds_remaining(self) -> float:
        current = self._refresher.current
        if current.state.keys is None:
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

    def invalidate(self, access_key: str | None = None) -> None:
        """Make the next use fetch.

        Args:
            access_key: Only if this is still the current access key; then a wait after a failed
                refresh stays. None: always, and the wait is lifted.
        """
        self._refresher.invalidate(access_key)

    def has_served(self, access_key: str) -> bool:
        """Whether this is one of the last access keys, current or replaced, of the same token."""
        return access_key in self._refresher.current.served

    def _subscribe(self, credentials: "ProviderCredentials", distance: int) -> None:
        """Let ``credentials``, obtained with these, know of new tokens and invalidations."""
        self._provider._subscribe(credentials, distance)

    def start_with(self, keys: FrozenCredentials | None) -> None:
        """Hold ``keys``, just obtained; None: what the keys were obtained with is replaced."""
        self._refresher.start_with(keys)
