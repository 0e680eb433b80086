"""The files in which AWS CLI keeps what ``aws sso login`` and ``aws login`` obtained."""

import json
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from botocore.tokens import FrozenAuthToken, SSOTokenProvider
from botocore.utils import JSONFileCache, SSOTokenLoader, parse_timestamp

from ..system import in_home, text_of

logger = logging.getLogger(__name__)


class ReplacedMeanwhileError(Exception):
    """The file has changed since it was read: there was another login, or another renewal."""


class TokenCache(JSONFileCache):
    """A directory of token files, rewritten so that no reader ever sees half of one.

    A refresh token that a service does not replace is kept, and a file that cannot be written
    does not fail the fetch that obtained its content. What another login has written meanwhile is
    never overwritten, nor mixed with the tokens of the one before.
    """

    def __init__(self, directory: str) -> None:
        """Take the directory; ``~`` means the home of whoever reads it."""
        self._directory = Path(in_home(directory))
        #: The files as they were last read.
        self._read: dict[str, str] = {}
        super().__init__(str(self._directory))

    def file_of(self, key: str) -> Path:
        """Return the path of the file, for an error."""
        return self._directory / f"{key}.json"

    def __contains__(self, key: object) -> bool:
        """Always: reading a file says why there is no token, and botocore would not."""
        return True

    def __getitem__(self, key: str) -> Any:
        """Read the file.

        Raises:
            OSError: There is none, or it may not be read.
            ValueError: It is no JSON object.
        """
        text = text_of(str(self.file_of(key)))
        found = json.loads(text)
        if isinstance(found, dict):
            self._read[key] = text
            return found
        raise ValueError  # as of what is no JSON at all

    def __setitem__(self, key: str, value: Any) -> None:
        """Write the file, readable by its owner only, in one step.

        Raises:
            ReplacedMeanwhileError: It is not as it was read; it stays as it is.
        """
        read = self._read.get(key)
        kept = json.loads(read) if read else {}
        content = json.dumps({**kept, **value}, default=_as_text, indent=2)
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._replace(self.file_of(key), read, content)
            self._read[key] = content
        except OSError as error:
            logger.warning(
                "The renewed token cannot be written to %s (%s): make the directory writable, "
                "or the next process may have to log in again",
                self.file_of(key),
                error.strerror,
            )

    def _replace(self, path: Path, read: str | None, content: str) -> None:
        handle, name = tempfile.mkstemp(dir=self._directory, suffix=".tmp")  # for its owner only
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if _text_or_none(path) != read:
                raise ReplacedMeanwhileError
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)


def _text_or_none(path: Path) -> str | None:
    with suppress(OSError, ValueError):
        return text_of(str(path))
    return None


def _as_text(value: datetime) -> str:
    return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# The token of a session of IAM Identity Center, which AWS CLI keeps and every SDK renews.

_REGISTERED = "registrationExpiresAt"
#: For a token file that does not say until when its client is registered: botocore renews no such
#: token, the other SDKs do, and the service knows.
_SOME_TIME = "9999-12-31T23:59:59Z"


class _Renewable(JSONFileCache):
    """A ``TokenCache`` of which botocore renews every token that has a refresh token."""

    def __init__(self, cache: TokenCache) -> None:
        self._cache = cache

    def __contains__(self, key: object) -> bool:
        return key in self._cache

    def __getitem__(self, key: str) -> Any:
        found = self._cache[key]
        return {**found, _REGISTERED: found.get(_REGISTERED) or _SOME_TIME}

    def __setitem__(self, key: str, value: Mapping[str, Any]) -> None:
        is_known = value.get(_REGISTERED) != _SOME_TIME
        self._cache[key] = {one: value[one] for one in value if is_known or one != _REGISTERED}


class SessionToken:
    """A token that is renewed in time; while it is valid it outlives a failed renewal.

    botocore's provider sees to that only where the service answers that it refuses.
    """

    def __init__(
        self,
        cache: TokenCache,
        section: Mapping[str, str],
        client: Callable[..., Any],
        now: Callable[[], datetime],
    ) -> None:
        """Take what is needed.

        Args:
            cache: Where the token is kept.
            section: The session: ``name``, ``sso_start_url`` and ``sso_region``.
            client: Makes the client that renews it.
            now: Tells the time.
        """
        self._cache, self._name, self._now = _Renewable(cache), section["name"], now
        config = {
            "profiles": {"it": {"sso_session": self._name}},
            "sso_sessions": {self._name: section},
        }
        # What botocore's provider needs of a session: its configuration and its clients.
        session: Any = SimpleNamespace(full_config=config, create_client=client)
        self._provider = SSOTokenProvider(session, self._cache, now, profile_name="it")

    def load_token(self) -> "SessionToken":
        """Return what gives the token, as botocore's fetcher asks for it."""
        return self

    def get_frozen_token(self) -> FrozenAuthToken:
        """Return the token, renewed if it expires soon; one round trip then."""
        try:
            found: FrozenAuthToken = self._provider.load_token().get_frozen_token()
        except ReplacedMeanwhileError:
            return self.get_frozen_token()
        except Exception as error:
            kept = SSOTokenLoader(cast("Any", self._cache))("", self._name)
            left = (parse_timestamp(kept["expiresAt"]) - self._now()).total_seconds()
            if left <= 0:
                raise
            fact = "The token of sso-session %s cannot be renewed (%s); it is valid for %d seconds"
            logger.warning(fact, self._name, type(error).__name__, left)
            return FrozenAuthToken(kept["accessToken"])
        return found
