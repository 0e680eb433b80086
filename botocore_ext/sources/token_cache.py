"""The files in which AWS CLI keeps what ``aws sso login`` and ``aws login`` obtained."""

import json
import logging
import os
import tempfile
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from botocore.utils import JSONFileCache

from .paths import in_home, text_of

logger = logging.getLogger(__name__)


class TokenCache(JSONFileCache):
    """A directory of token files, rewritten so that no reader ever sees half of one.

    A refresh token that a service does not replace is kept, and a file that cannot be written
    does not fail the fetch that obtained its content.
    """

    def __init__(self, directory: str) -> None:
        """Take the directory; ``~`` means the home of whoever reads it."""
        self._directory = Path(in_home(directory))
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
        found = json.loads(text_of(str(self.file_of(key))))
        if isinstance(found, dict):
            return found
        raise ValueError  # as of what is no JSON at all

    def __setitem__(self, key: str, value: Any) -> None:
        """Write the file, readable by its owner only, in one step."""
        kept: Any = {}
        with suppress(OSError, ValueError):
            kept = self[key]
        content = json.dumps({**kept, **value}, default=_as_text, indent=2)
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._replace(self.file_of(key), content)
        except OSError as error:
            logger.warning(
                "The renewed token cannot be written to %s (%s): make the directory writable, "
                "or the next process may have to log in again",
                self.file_of(key),
                error.strerror,
            )

    def _replace(self, path: Path, content: str) -> None:
        handle, name = tempfile.mkstemp(dir=self._directory, suffix=".tmp")  # for its owner only
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError:
            Path(name).unlink()
            raise


def _as_text(value: datetime) -> str:
    return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
