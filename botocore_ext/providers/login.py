"""Keys of the user who signed in to the console with ``aws login``.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-login-credentials.html
"""

import logging
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
from ..runtime.deadline import within_budget
from .base import ServiceProvider
from .files import FilesProvider
from .token_cache import ReplacedMeanwhileError, TokenCache

if TYPE_CHECKING:
    from botocore.client import BaseClient

logger = logging.getLogger(__name__)

#: Where AWS CLI keeps the tokens, unless the environment names another directory.
TOKENS, DIRECTORY = "~/.aws/login/cache", "AWS_LOGIN_CACHE_DIRECTORY"
#: Seconds before their expiry at which the kept keys are renewed, as in every SDK.
RENEWED_BEFORE = 300


class LoginProvider(FilesProvider, ServiceProvider):
    """The keys that `aws login` keeps, renewed with its refresh token (extra `login`)."""

    METHOD = "login"
    CANONICAL_NAME = "CustomLogin"
    FACTORY = "from_login_credentials"
    _HAS_OWN_REGION = True
    FEATURE_IDS = ("CREDENTIALS_PROFILE_LOGIN", "CREDENTIALS_LOGIN")

    login_session: str = option(
        default=None,
        ini="login_session",
        example="arn:aws:iam::123456789012:user/me",
        selects=True,
        required=True,
        allow_comments=True,
        parse=types.text,
        help="Who signed in, as `aws login` writes it into the profile.",
    )

    def fetch(self) -> FrozenCredentials:
        """Read the kept keys; one round trip where they must be renewed."""
        cache = TokenCache(self.scope.environ.get(DIRECTORY) or TOKENS)
        place = f"the token file {cache.file_of(generate_login_cache_key(self.login_session))}"
        of = "" if self._is_set_in_code() else f" --profile {self.scope.profile}"
        remedy = f"log in again with `aws login{of}`"
        tokens: Any = LoginTokenLoader(cast("Any", cache))
        fetcher = LoginCredentialFetcher(
            self.login_session, tokens, partial(self._client, tokens), self.scope.clock.utc
        )

        def read(work: Callable[[], Any]) -> FrozenCredentials:
            return native(
                self.METHOD, place, remedy, lambda: FrozenCredentials.from_mapping(work())
            )

        kept = read(fetcher.load_cached_credentials)
        left = self._seconds_left(kept)
        if left > RENEWED_BEFORE:
            return kept
        try:
            return read(partial(within_budget, "AWS Sign-In", partial(_renewed, fetcher)))
        except ReplacedMeanwhileError:
            return self.fetch()  # of whoever has logged in meanwhile
        except Exception as error:
            kept = read(fetcher.load_cached_credentials)
            left = self._seconds_left(kept)
            if left <= 0 or not is_recoverable(error):
                raise
            fact = "The keys of %s cannot be renewed (%s); they are still valid for %d seconds"
            logger.warning(fact, place, type(error).__name__, left)
            return kept

    def _seconds_left(self, keys: FrozenCredentials) -> float:
        if keys.expiration is None:
            return 0
        return keys.expiration.timestamp() - self.scope.clock.now()

    def _client(self, tokens: Any, service: str, **_: Any) -> "BaseClient":
        # botocore adds a handler to it at every renewal.
        region = tokens.load_token(self.login_session).get("signInRegion")
        return self.scope.new_client(service, self.client_config, region)


def _renewed(fetcher: LoginCredentialFetcher) -> Any:
    if getattr(compat, "EC", None) is None:  # the stubs lack it
        raise MissingDependencyException(
            msg="renewing the keys of `aws login` takes a signature by the AWS Common Runtime: "
            "run `pip install botocore-ext[login]` or `pip install botocore[crt]`"
        )
    return fetcher.refresh_credentials()


from_login_credentials = LoginProvider
