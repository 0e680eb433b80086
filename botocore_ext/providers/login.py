"""Credentials of the user who signed in to the console with ``aws login``.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-login-credentials.html
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from botocore import compat
from botocore.credentials import LoginCredentialFetcher
from botocore.exceptions import MissingDependencyException
from botocore.utils import LoginTokenLoader, generate_login_cache_key

from ..aws.botocore_errors import native
from ..aws.frozen_credentials import FrozenCredentials
from ..errors import is_recoverable
from ..options import types
from ..options.option import option
from ..runtime.context import RoutedLogger
from ..runtime.deadline import within_budget
from .base import ServiceProvider
from .files import FilesProvider
from .token_cache import ReplacedMeanwhileError, TokenCache

if TYPE_CHECKING:
    from botocore.client import BaseClient

logger = RoutedLogger(__name__)

#: The directory in which AWS CLI caches the tokens, and the variable that names another one.
TOKENS, DIRECTORY = "~/.aws/login/cache", "AWS_LOGIN_CACHE_DIRECTORY"
#: Seconds before expiry at which cached credentials are refreshed, as in every SDK.
REFRESH_WINDOW = 300


class LoginProvider(FilesProvider, ServiceProvider):
    """Credentials of `aws login`, refreshed with its refresh token (extra `login`)."""

    METHOD = "login"
    CANONICAL_NAME = "CustomLogin"
    FACTORY = "from_login_credentials"
    _HAS_OWN_REGION = True
    FEATURE_IDS = ("CREDENTIALS_PROFILE_LOGIN", "CREDENTIALS_LOGIN")

    login_session: str = option(
        ini="login_session",
        example="arn:aws:iam::123456789012:user/me",
        selects=True,
        required=True,
        allow_comments=True,
        parse=types.text,
        help="The ARN of the user who signed in, as `aws login` writes it to the profile.",
    )

    def fetch(self) -> FrozenCredentials:
        """Read the cached credentials; one round trip to refresh them."""
        cache = TokenCache(self.scope.environ.get(DIRECTORY) or TOKENS)
        source = f"the token file {cache.file_of(generate_login_cache_key(self.login_session))}"
        arguments = "" if self._is_set_in_code() else f" --profile {self.scope.profile}"
        remedy = f"log in again with `aws login{arguments}`"
        tokens: Any = LoginTokenLoader(cast("Any", cache))
        fetcher = LoginCredentialFetcher(
            self.login_session, tokens, partial(self._client, tokens), self.scope.clock.utc
        )

        def read(work: Callable[[], Any]) -> FrozenCredentials:
            return native(
                self.METHOD, source, remedy, lambda: FrozenCredentials.from_mapping(work())
            )

        cached = read(fetcher.load_cached_credentials)
        if self._seconds_left(cached) > REFRESH_WINDOW:
            return cached
        try:
            return read(partial(within_budget, "AWS Sign-In", partial(_refresh, fetcher)))
        except ReplacedMeanwhileError:
            return self.fetch()  # the credentials of the login that replaced this one
        except Exception as error:
            cached = read(fetcher.load_cached_credentials)
            left = self._seconds_left(cached)
            if left <= 0 or not is_recoverable(error):
                raise
            fact = (
                "The credentials in %s could not be refreshed (%s); they are valid for %d seconds"
            )
            logger.warning(fact, source, type(error).__name__, left)
            return cached

    def _seconds_left(self, credentials: FrozenCredentials) -> float:
        if credentials.expiration is None:
            return 0
        return credentials.expiration.timestamp() - self.scope.clock.now()

    def _client(self, tokens: Any, service: str, **_: Any) -> "BaseClient":
        # Not a shared client: botocore adds a handler to it at every refresh.
        region = tokens.load_token(self.login_session).get("signInRegion")
        return self.scope.new_client(service, self.client_config, region)


def _refresh(fetcher: LoginCredentialFetcher) -> Any:
    if getattr(compat, "EC", None) is None:  # the stubs lack it
        raise MissingDependencyException(
            msg="refreshing the credentials of `aws login` needs the AWS Common Runtime (CRT): "
            "run `pip install 'botocore[crt]'`"
        )
    return fetcher.refresh_credentials()


from_login_credentials = LoginProvider
