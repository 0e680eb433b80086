"""``Provider``: the base class of all providers."""

import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar
from weakref import WeakKeyDictionary

from ..aws.clients import call
from ..aws.frozen_credentials import FieldError, FrozenCredentials
from ..errors import ConfigurationError, FetchError
from ..options import types
from ..options.option import option
from ..options.references import Token, resolve
from ..options.resolution import Binding, Specification
from ..options.scope import Scope
from ..refresh.credentials import ProviderCredentials
from ..refresh.policy import DEFAULT_WINDOW, Window
from ..refresh.rejections import resend_rejected
from ..runtime.context import RoutedLogger, guard_recursion, log_to
from ..runtime.single_flight import use_last

if TYPE_CHECKING:
    from typing_extensions import Self


# ``TokenCell``: the state that the bound copies of a provider share.


#: The number of logged-out IDs that a provider remembers. A cache has one ID: the last one.
_MAX_LOGGED_OUT = 1000


class CachedIds:
    """Ids that a provider caches between fetches, by cache key.

    A fetch under way uses the dict that it began with, so it cannot restore an old id.
    """

    def __init__(self) -> None:
        self.current: dict[str, str] = {}
        #: The ids that logged out last: a cache that still has one is not believed.
        self.logged_out: dict[str, None] = {}

    def log_out(self, *cached: str) -> None:
        """Start without ids again, and note those that were here or in ``cached``."""
        dropped, self.current = self.current, {}
        for identity in {*dropped.values(), *cached} - self.logged_out.keys():
            use_last(self.logged_out, identity, None, _MAX_LOGGED_OUT)


class TokenCell:
    """The ids and the credentials that were obtained with the tokens of one provider."""

    def __init__(self) -> None:
        self.ids = CachedIds()
        #: The credentials in use, with the distances that they were added with. There is no lock:
        #: a garbage collector callback may run at any time, and each step is atomic.
        self._subscribers: WeakKeyDictionary[ProviderCredentials, set[int]] = WeakKeyDictionary()

    def subscribe(self, credentials: "ProviderCredentials", distance: int) -> None:
        """Notify ``credentials`` of changes; there are ``distance`` other providers in between."""
        self._subscribers.setdefault(credentials, set()).add(distance)

    def subscribers(self) -> "list[ProviderCredentials]":
        """Return the credentials in use, each after those that it is obtained with."""
        references = self._subscribers.keyrefs()
        living = [one for reference in references if (one := reference()) is not None]
        found = [(one, max(self._subscribers.get(one) or {0})) for one in living]
        return [credentials for credentials, _ in sorted(found, key=itemgetter(1))]

    def credentials_of_copies(self) -> "list[ProviderCredentials]":
        """Return the credentials in use of the bound copies themselves."""
        return [one for one in self.subscribers() if 0 in self._subscribers.get(one, ())]


logger = RoutedLogger(__name__)

T = TypeVar("T")


class Provider(Specification):
    """A credential provider: options, and ``fetch``.

    A subclass has names (``METHOD``, ``CANONICAL_NAME``, ``FACTORY``), declares its options with
    ``option`` and implements ``fetch``. The constructor does no I/O, ``load`` checks the options,
    and the first signed request fetches.
    """

    #: botocore's user-agent feature ids for credentials of this provider.
    FEATURE_IDS: ClassVar[tuple[str, ...]] = ()

    refresh_window: Window = option(
        default=DEFAULT_WINDOW,
        ini="botocore_ext_refresh_window",
        example=300,
        parse=types.window,
        help="Seconds before expiry at which credentials are refreshed, at most half their "
        "lifetime; or `auto`, which chooses by lifetime as AWS's newest SDKs do.",
    )

    logger: logging.Logger | None = option(
        code="logging.getLogger('my_app.credentials')",
        parse=types.logger,
        help="The logger for the records of this provider; by default the loggers of "
        "`botocore_ext`.",
    )

    def __init__(self, *unnamed: NoReturn, **given: Any) -> None:
        """Take options by keyword; None means that an option is not set.

        Raises:
            TypeError: There is no such option.
            ConfigurationError: A value is malformed.
        """
        super().__init__(*unnamed, **given)
        self._cell = TokenCell()
        self._check_given(self._code_values)

    def bind(self, scope: Scope) -> "Self":
        """Return a copy for ``scope`` that shares its tokens and ``invalidate`` with this one."""
        copy = type(self).__new__(type(self))
        vars(copy).update(vars(self), _binding=Binding(scope))
        return copy

    @abstractmethod
    def fetch(self) -> FrozenCredentials:
        """Retrieve credentials now, in one to three round trips; nothing is cached.

        Raises:
            ProviderError: See ``botocore_ext.exceptions``.
            botocore.exceptions.ClientError: The service refused.
        """

    @property
    def _label(self) -> str:
        """The name of this provider in errors."""
        profile = self.scope.profile
        return f"{self.FACTORY}()" if profile is None else f"{self.METHOD} of profile '{profile}'"

    @property
    def _identity(self) -> object:
        """The value by which the recursion guard recognizes this provider."""
        return id(self._cell)

    def _guarded_fetch(self) -> FrozenCredentials:
        """Fetch, unless a callable of this provider waits for these credentials.

        Raises:
            ConfigurationError: It does.
        """
        try:
            found: Any = guard_recursion(self._identity, self._label, self.fetch)
        except FieldError as error:
            fact = f"{error}: correct the source of these credentials"
            raise FetchError(provider=self.METHOD, error_msg=fact) from None
        # What a third-party provider returns is checked by the refresher.
        credentials: FrozenCredentials = (
            found.with_features(self._features()) if isinstance(found, FrozenCredentials) else found
        )
        return credentials

    def _features(self) -> tuple[str, ...]:
        """Return botocore's user-agent feature ids for what a fetch uses."""
        return self.FEATURE_IDS

    def load(self) -> ProviderCredentials | None:
        """Return credentials that are fetched on first use; None if this is not configured.

        A bound provider returns the same object each time.

        Raises:
            ConfigurationError: The provider is selected, and an option is missing or malformed.
        """
        return self._run_with_logger(self._load)

    def _load(self) -> ProviderCredentials | None:
        if not self.is_selected():
            logger.debug("Not configured: %s", self.METHOD)
            return None
        self.check()
        scope = self.scope
        where = f"profile {scope.profile!r}" if scope.profile else "code"
        logger.info("Found credentials via %s, configured in %s", self.METHOD, where)
        credentials = self._binding.once("credentials", lambda: ProviderCredentials(self))
        self._subscribe(credentials)
        if scope.given_session is not None and scope.shared_clients is None:
            resend_rejected(scope.given_session, credentials)
        return credentials

    def _run_with_logger(self, work: Callable[[], T]) -> T:
        """Run ``work``, whose records go to the logger of this provider, and return its result."""
        return log_to(self._code_values.get("logger"), work)

    def __call__(self) -> FrozenCredentials:
        """Return the current credentials, refreshing them first if they are due.

        Libraries that take a function for credentials take a provider as well.

        Raises:
            ProviderError: There are no credentials, and they could not be retrieved.
            botocore.exceptions.ClientError: The service refused.
        """
        credentials = self._binding.get("credentials") or self.load()
        if credentials is None:
            raise self._not_configured()
        found: FrozenCredentials = credentials._current()
        return found

    def _subscribe(self, credentials: ProviderCredentials, distance: int = 0) -> None:
        """Notify ``credentials``, obtained with those of this, of new tokens and invalidations.

        ``distance`` is the number of other providers in between.
        """
        self._cell.subscribe(credentials, distance)

    def invalidate(self, access_key: str | None = None) -> None:
        """Make the credentials of this provider fetch on their next use.

        Args:
            access_key: Only if this is still their access key. None: always.
        """
        for credentials in self._cell.subscribers():
            credentials.invalidate(access_key)

    def _replace_token(self, name: str, value: object) -> None:
        """Use another token from the next fetch on, and drop the credentials of the old one.

        Raises:
            ConfigurationError: It is not a token; the old one stays in use.
        """
        self._check_given({name: value})
        ids = self._ids_after_new_token()
        self._code_values[name] = value
        self._cell.ids.current = ids
        self._drop_credentials()

    def _ids_after_new_token(self) -> dict[str, str]:
        """Return the ids that another token may use: none, they belong to the one before."""
        return {}

    def _forget_ids(self) -> None:
        """Forget the ids of the user, who logs out."""
        self._cell.ids.log_out()

    def _drop_credentials(self) -> None:
        """Drop the credentials of all copies; a fetch under way no longer counts."""
        done: set[ProviderCredentials] = set()
        # Repeated, because a role that was loaded meanwhile may have used the old credentials.
        while new := [one for one in self._cell.subscribers() if one not in done]:
            for credentials in new:  # a role after its source, whose old credentials it may use
                credentials._start_with(None)
            done.update(new)

    def read_token(self, source: Token, name: str, *, in_json: bool = False) -> str:
        """Return the token of ``source``, for the option or login ``name`` (see ``resolve``).

        Raises:
            ConfigurationError: The source has to be configured first.
            FetchError: The source returned no token.
            Exception: The error of a callable, unchanged.
        """
        try:
            return resolve(source, name, in_json=in_json)
        except (ConfigurationError, FetchError) as error:
            where = f" in {self.scope.profile_in_file}" if self.scope.profile else ""
            fact = f"{name}{where}: {error.reason}"
            kind = FetchError if isinstance(error, FetchError) else ConfigurationError
            raise kind(provider=self.METHOD, error_msg=fact) from error


# What providers that make requests have in common.


def timeout_option(text: str | None = None, **declaration: Any) -> Any:
    """Declare the ``timeout`` of a provider that calls an endpoint."""
    return option(
        **{"default": 1.0, "example": 1, **declaration},
        parse=types.timeout,
        help=text
        or "Seconds to connect and to wait for data. One attempt takes at most five times as long.",
    )


def max_retries_option(text: str | None = None, **declaration: Any) -> Any:
    """Declare the ``max_retries`` of a provider that calls an endpoint."""
    return option(
        **{"default": 0, "example": 3, **declaration},
        parse=types.whole,
        help=text
        or "Further attempts after a connection error, 429, 5xx or an answer that is not JSON.",
    )


class ServiceProvider(Provider):
    """A provider that calls an AWS service."""

    #: Whether the service has a region that does not depend on the session.
    _HAS_OWN_REGION: ClassVar[bool] = False

    client_config: Mapping[str, Any] | None = option(
        code="{'region_name': 'eu-west-1'}",
        secret=True,
        parse=types.client_config,
        help="Arguments of `create_client` for the inner client.",
    )

    def _credentials_in(
        self,
        answer: Any,
        asked: str,
        convert: Callable[[Any], FrozenCredentials] = FrozenCredentials.from_sts,
        to_check: str = "the endpoint",
    ) -> FrozenCredentials:
        """Return the credentials in an answer; ``asked`` and ``to_check`` are for the error.

        Raises:
            FetchError: It has no credentials that can be used.
        """
        try:
            return convert(answer)
        except FieldError as error:
            fact = f"the answer for {asked} has no usable credentials ({error})"
        raise FetchError(provider=self.METHOD, error_msg=f"{fact}: check {to_check}")


class WebIdentityRoleProvider(ServiceProvider):
    """A provider that calls AssumeRoleWithWebIdentity."""

    role_arn: Any = option(
        ini="role_arn",
        example="arn:aws:iam::123456789012:role/Web",
        parse=types.arn,
        help="The role to assume.",
    )
    role_session_name: str | None = option(
        ini="role_session_name",
        example="my-app",
        parse=types.text,
        help="The name of the role session; by default `botocore-ext-` and the time in seconds.",
    )
    duration_seconds: int | None = option(
        ini="duration_seconds",
        example=3600,
        parse=types.whole,
        help="The lifetime of the role session in seconds; by default what STS chooses (3600).",
    )

    def _role_parameters(self, token: str, **optional: Any) -> dict[str, Any]:
        """Return the parameters of AssumeRoleWithWebIdentity, those with a value."""
        name = self.role_session_name or f"botocore-ext-{self.scope.clock.now():.0f}"
        required = {"RoleArn": self.role_arn, "RoleSessionName": name, "WebIdentityToken": token}
        optional["DurationSeconds"] = self.duration_seconds
        return required | {key: value for key, value in optional.items() if value is not None}

    def _assume_role(
        self, parameters: Mapping[str, Any], id_region: str | None = None
    ) -> FrozenCredentials:
        """Call AssumeRoleWithWebIdentity (see ``Scope.client`` for ``id_region``)."""
        client = self.scope.client("sts", self.client_config, id_region)
        answer = call(client, "assume_role_with_web_identity", parameters)
        return self._credentials_in(answer, f"the role {self.role_arn}")
