"""AWS's refresh vectors: what the tests of them do with ours, and what botocore answers."""

from typing import Any

from botocore.credentials import RefreshableCredentials

from botocore_ext import FetchError
from tests.fakes import FakeClock
from tests.refresh.test_vectors import (
    DecisionAlone,
    Scripted,
    WholeObject,
    aws_wait,
    discrepancies,
)


class Botocores:
    """``RefreshableCredentials``, with what a vector needs of it."""

    def __init__(self, source: Scripted, clock: FakeClock, window: Any, _wait: Any) -> None:
        self.source, self.clock = source, clock
        self.window = {} if window == "auto" else {"advisory_timeout": window}
        self.credentials: Any = None

    def start_with(self, keys: Any) -> None:
        parts = (keys.access_key, keys.secret_key, keys.token, keys.expiration)
        self.credentials = RefreshableCredentials(
            *parts, self._fetch, "vector", lambda: self.clock.at(0), **self.window
        )

    def invalidate(self, access_key: str) -> None:
        """There is no way to tell it: see ``came``."""

    def _fetch(self) -> dict[str, Any]:
        keys = self.source()
        names = ("access_key", "secret_key", "token")
        found = {name: getattr(keys, name) for name in names}
        return {**found, "expiry_time": keys.expiration.isoformat()}

    def get(self) -> str:
        try:
            if self.credentials is None:
                self.credentials = RefreshableCredentials.create_from_metadata(
                    self._fetch(), self._fetch, "vector", **self.window
                )
                self.credentials._time_fetcher = lambda: self.clock.at(0)
            return str(self.credentials.get_frozen_credentials().access_key)
        except RuntimeError as error:  # new credentials that have expired
            raise FetchError(provider="vector", error_msg=str(error)) from error

    def opens(self, window: float) -> bool:
        """Whether its advisory window is this long."""
        return bool(self.credentials._advisory_refresh_timeout == window)


def came(vector: Any, *, ours: bool) -> list[Any]:
    """Return what is otherwise than in the vector, step by step."""
    kinds: tuple[Any, ...] = (DecisionAlone, WholeObject) if ours else (Botocores,)
    found = [
        (kind.__name__, step, came)
        for kind in kinds
        for step, came in discrepancies(vector, kind, FakeClock(), aws_wait(vector))
    ]
    lacks = not ours and any(step["type"] == "invalidate" for step in vector["steps"])
    return [*found, "there is no invalidate()"] if lacks else found
