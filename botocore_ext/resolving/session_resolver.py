"""The resolver of a session: botocore's, walked once for all threads that come together."""

from typing import TYPE_CHECKING

from botocore.credentials import CredentialProvider, CredentialResolver, Credentials

from ..threads.concurrency import NeedsItselfError, SingleFlight, StillUnderWayError

if TYPE_CHECKING:
    from ..errors import NotConfigured

#: Seconds to wait for the walk of another thread: longer than a token process may take.
_LONGEST_WAIT = 120


class SessionResolver(CredentialResolver):
    """A resolver whose concurrent callers share one walk, and a later caller walks anew."""

    def __init__(
        self,
        providers: list[CredentialProvider],
        only: CredentialProvider | None = None,
    ) -> None:
        """Take the providers in order, and the one that is asked alone, if one is."""
        super().__init__(providers)
        self.only = only
        self._flight: SingleFlight[Credentials | None] = SingleFlight()

    def load_credentials(self) -> Credentials | None:
        """Return the first credentials found, or None.

        Raises:
            NotConfigured: The session was built for one provider, and that has nothing.
        """
        try:
            return self._flight.run(self._walk, patience=_LONGEST_WAIT)
        except (NeedsItselfError, StillUnderWayError):
            # A provider that uses this session, or that keeps another thread waiting: without us
            # it would be asked again, too, and a provider of others may be prepared for that.
            # Ours see a circle themselves.
            return self._walk()

    def _walk(self) -> Credentials | None:
        if self.only is None:
            return super().load_credentials()
        found: Credentials | None = self.only.load()
        if found is None:
            raise nothing_from(self.only)
        return found


def nothing_from(only: CredentialProvider) -> "NotConfigured":
    """Return the error where the provider that is asked alone has nothing."""
    from ..errors import NotConfigured  # noqa: PLC0415 - most sessions never need it

    why_not = getattr(only, "why_not", None)
    return NotConfigured(
        provider=str(only.METHOD),
        error_msg="this session takes credentials from this provider alone, and it has none here"
        f"{f' ({why_not()})' if why_not else ''}: set what it needs, or pass another provider",
    )
