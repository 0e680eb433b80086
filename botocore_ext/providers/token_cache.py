"""The token files of AWS CLI, written by ``aws sso login`` and ``aws login``."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from botocore.tokens import FrozenAuthToken, SSOTokenProvider
from botocore.utils import JSONFileCache, SSOTokenLoader, parse_timestamp

from ..aws.frozen_credentials import rfc_3339
from ..runtime.context import RoutedLogger
from ..runtime.files import Replacement
from ..system import in_home, text_of

logger = RoutedLogger(__name__)


class ReplacedMeanwhileError(Exception):
    """The file has changed since it was read, by another login or another refresh."""


class TokenCache(JSONFileCache):
    """A directory of token files, which are replaced atomically.

    A refresh token that the service does not replace is kept. A file that cannot be written does
    not fail the fetch. A file that another login has written meanwhile is never overwritten or
    mixed with the earlier tokens.
    """

    def __init__(self, directory: str) -> None:
        """Take the directory; ``~`` is the home directory of the current user."""
        self._directory = Path(in_home(directory))
        #: The files as they were last read.
        self._read: dict[str, str] = {}
        super().__init__(str(self._directory))

    def file_of(self, key: str) -> Path:
        """Return the path of the file, for an error."""
        return self._directory / f"{key}.json"

    def __contains__(self, key: object) -> bool:
        """Return True: the error of reading the file says why there is no token."""
        return True

    def __getitem__(self, key: str) -> Any:
        """Read the file.

        Raises:
            OSError: It does not exist or is not readable.
            ValueError: It is not a JSON object.
        """
        text = text_of(str(self.file_of(key)))
        content = json.loads(text)
        if isinstance(content, dict):
            self._read[key] = text
            return content
        raise ValueError  # as json does for what is not JSON

    def __setitem__(self, key: str, value: Any) -> None:
        """Replace the file atomically, readable by its owner only.

        Raises:
            ReplacedMeanwhileError: It has changed since it was read. It is left unchanged.
        """
        read = self._read.get(key)
        previous = json.loads(read) if read else {}
        content = json.dumps({**previous, **value}, default=rfc_3339, indent=2)
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._replace(self.file_of(key), read, content)
            self._read[key] = content
        except OSError as error:
            logger.warning(
                "The refreshed token could not be written to %s (%s): make the directory writable, "
                "or the next process may have to log in again",
                self.file_of(key),
                error.strerror,
            )

    def _replace(self, path: Path, read: str | None, content: str) -> None:
        with Replacement(str(path)) as replacement:
            replacement.write(content)
            if _text_or_none(path) != read:
                raise ReplacedMeanwhileError
            replacement.commit()


def _text_or_none(path: Path) -> str | None:
    with suppress(OSError, ValueError):
        return text_of(str(path))
    return None


# The token of an ``sso-session``, which AWS CLI writes and every SDK refreshes.

_REGISTRATION_EXPIRY = "registrationExpiresAt"
#: The expiry for a token file without one: botocore does not refresh such a token, but the other
#: SDKs do, and let the service decide.
_FAR_FUTURE = "9999-12-31T23:59:59Z"


class _RefreshableTokens(JSONFileCache):
    """A ``TokenCache`` in which botocore refreshes every token that has a refresh token."""

    def __init__(self, cache: TokenCache) -> None:
        self._cache = cache

    def __contains__(self, key: object) -> bool:
        return key in self._cache

    def __getitem__(self, key: str) -> Any:
        token = self._cache[key]
        return {**token, _REGISTRATION_EXPIRY: token.get(_REGISTRATION_EXPIRY) or _FAR_FUTURE}

    def __setitem__(self, key: str, value: Mapping[str, Any]) -> None:
        is_known = value.get(_REGISTRATION_EXPIRY) != _FAR_FUTURE
        self._cache[key] = {
            name: value[name] for name in value if is_known or name != _REGISTRATION_EXPIRY
        }


class SessionToken:
    """A token that is refreshed before it expires, and used while it is valid if that fails.

    botocore's provider continues to use it only if the service refuses the refresh.
    """

    def __init__(
        self,
        cache: TokenCache,
        section: Mapping[str, str],
        client: Callable[..., Any],
        now: Callable[[], datetime],
    ) -> None:
        """Take the token files, the section with its name, and what a refresh needs."""
        self._cache, self._name, self._now = _RefreshableTokens(cache), section["name"], now
        profile = "sso"
        config = {
            "profiles": {profile: {"sso_session": self._name}},
            "sso_sessions": {self._name: section},
        }
        # botocore's provider uses only these attributes of a session.
        session: Any = SimpleNamespace(full_config=config, create_client=client)
        self._provider = SSOTokenProvider(session, self._cache, now, profile_name=profile)

    def load_token(self) -> "SessionToken":
        """Return this token: botocore's fetcher expects a token provider."""
        return self

    def get_frozen_token(self) -> FrozenAuthToken:
        """Return the token, refreshed in one round trip if it expires soon."""
        try:
            token: FrozenAuthToken = self._provider.load_token().get_frozen_token()
        except ReplacedMeanwhileError:
            return self.get_frozen_token()
        except Exception as error:
            cached = SSOTokenLoader(cast("Any", self._cache))("", self._name)
            left = (parse_timestamp(cached["expiresAt"]) - self._now()).total_seconds()
            if left <= 0:
                raise
            logger.warning(
                "The token of sso-session %s could not be refreshed (%s); it is valid for %d "
                "seconds",
                self._name,
                type(error).__name__,
                left,
            )
            return FrozenAuthToken(cached["accessToken"])
        return token
