"""``Provider``: a specification of where keys come from, and one cell for its tokens."""

import logging
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from .declaration import times
from .declaration.references import Token, resolve
from .declaration.specification import Specification
from .errors import FetchError
from .keys import FieldError, Keys
from .options import option
from .refreshing.credentials import ProviderCredentials
from .refreshing.refresh import DEFAULT_WINDOW, Window
from .refreshing.rejections import resend_rejected
from .refreshing.token_cell import TokenCell
from .scope import Scope
from .threads.circles import run_guarded

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)


class Provider(Specification):
    """A credential provider: options, and ``fetch``.

    A subclass names itself (``METHOD``, ``CANONICAL_NAME``, ``FACTORY``), declares its options
    with ``option`` and implements ``fetch``. Building one does nothing; ``load`` checks the
    options; the first signed request fetches.
    """

    #: botocore's user-agent feature ids for keys of this provider.
    FEATURE_IDS: ClassVar[tuple[str, ...]] = ()

    refresh_window: Window = option(
        default=DEFAULT_WINDOW,
        ini="botocore_ext_refresh_window",
        example="300",
        code="300",
        parse=times.window,
        help="Seconds before expiry at which the keys are refreshed, at most half their "
        "lifetime; or `auto`, which chooses by lifetime as AWS's newest SDKs do.",
    )

    def __init__(self, *unnamed: NoReturn, **given: Any) -> None:
        """Take options by keyword; None means not given.

        Raises:
            TypeError: There is no such option.
            ConfigurationError: The value of one is malformed.
        """
        super().__init__(*unnamed, **given)
        tokens = [one.name for one in self.options() if one.token and one.name in self._given]
        self._cell = TokenCell({name: self._given.pop(name) for name in tokens})
        self._scope: Scope | None = None
        self.check_given(self.given())

    def given(self) -> Mapping[str, Any]:
        """The options that code set, with the tokens that are in force now."""
        return self._given | self._cell.tokens

    def bind(self, scope: Scope) -> "Self":
        """Return a copy for ``scope`` that shares the tokens and ``invalidate`` with this one."""
        copy = type(self).__new__(type(self))
        vars(copy).update(vars(self), _scope=scope)
        for made_for_the_old_scope in ("_credentials", "_bound", "_reading"):
            vars(copy).pop(made_for_the_old_scope, None)
        return copy

    @property
    def scope(self) -> Scope:
        """Where this copy takes the outside world from; without a session, a scope of its own."""
        if self._scope is None:
            self._scope = Scope()
        return self._scope

    @abstractmethod
    def fetch(self) -> Keys:
        """Obtain keys now; one to three round trips, nothing cached.

        Raises:
            ProviderError: See ``botocore_ext.errors``.
            botocore.exceptions.ClientError: The service refused.
        """

    @property
    def label(self) -> str:
        """How an error speaks of this provider."""
        if self.scope.profile is not None:
            return f"{self.METHOD} of profile '{self.scope.profile}'"
        return f"{self.FACTORY}()"

    @property
    def place(self) -> object:
        """What tells this provider from others where a circle is looked for."""
        return id(self._cell)

    def obtain(self) -> Keys:
        """Fetch, unless a callable of this provider's is what asks.

        Raises:
            ConfigurationError: It is.
        """
        try:
            found: Any = run_guarded(self.place, self.label, self.fetch)
        except FieldError as error:
            fact = f"{error}: correct it where these credentials come from"
            raise FetchError(provider=self.METHOD, error_msg=fact) from None
        # What somebody's own provider returns is checked where it is kept.
        keys: Keys = found.through(self.features()) if isinstance(found, Keys) else found
        return keys

    def features(self) -> tuple[str, ...]:
        """Botocore's user-agent feature ids for what a fetch uses."""
        return self.FEATURE_IDS

    def load(self) -> ProviderCredentials | None:
        """Return credentials that fetch at their first use, or None when nothing selects this.

        A bound provider keeps its credentials: loaded again, it gives the same object.

        Raises:
            ConfigurationError: The provider is selected, and an option is missing or malformed.
        """
        if not self.is_selected():
            logger.debug("Not called for: %s, because nothing selects it", self.METHOD)
            return None
        self.check()
        place = f"profile {self.scope.profile!r}" if self.scope.profile else "code"
        logger.info("Found credentials via %s, configured in %s", self.METHOD, place)
        # setdefault is atomic: of two threads that come at once, both get the same object.
        credentials: ProviderCredentials = vars(self).setdefault(
            "_credentials", ProviderCredentials(self)
        )
        self.tell(credentials)
        if self.scope.given_session is not None:
            resend_rejected(self.scope.given_session, credentials)
        return credentials

    def tell(self, credentials: ProviderCredentials, distance: int = 0) -> None:
        """Let ``credentials`` know of new tokens and invalidations from now on.

        Args:
            credentials: Those that are obtained with the keys of this provider.
            distance: Through how many other providers.
        """
        self._cell.add_user(credentials, distance)

    def invalidate(self, access_key: str | None = None) -> None:
        """Make every credentials object of this provider fetch at its next use.

        Args:
            access_key: Only those whose current access key this is.
        """
        for credentials in self._cell.users():
            credentials.invalidate(access_key)

    def replace_token(self, name: str, value: object) -> None:
        """Use another token from the next fetch on; credentials of the old one are dropped.

        Raises:
            ConfigurationError: It is not a token; the old one stays in use.
        """
        self.check_given({name: value})
        self._cell.tokens[name] = value
        # An id belongs to the token that it was obtained with. A fetch under way keeps the old
        # dict, and so cannot bring back what is forgotten here.
        self._cell.kept = {}
        told: set[ProviderCredentials] = set()
        # Until nobody is new: a role that came meanwhile may have old keys of its master.
        while new := [one for one in self._cell.users() if one not in told]:
            for credentials in new:  # a role behind its master, with whose old keys it may fetch
                credentials.start_with(None)
            told.update(new)

    def read_token(self, source: Token, name: str, *, in_json: bool = False) -> str:
        """Return the token of ``source``, for the option or login ``name`` (see ``resolve``).

        Raises:
            FetchError: The source gave none. What a callable raises passes unchanged.
        """
        try:
            return resolve(source, name, in_json=in_json)
        except FetchError as error:
            place = f" of profile '{self.scope.profile}'" if self.scope.profile else ""
            fact = f"{name}{place}: {error.reason}"
            raise FetchError(provider=self.METHOD, error_msg=fact) from error
