"""botocore's credential resolver with our providers in it."""

import logging
from collections.abc import Sequence

import botocore.session
from botocore.credentials import CredentialProvider, CredentialResolver, Credentials

from .concurrency import NeedsItselfError, SingleFlight
from .errors import NotConfigured
from .profiles import ProfileScope
from .provider import Provider
from .refresher import LONGEST_WAIT
from .registry import PROVIDERS
from .roles import outer_region, replace_roles
from .scope import Scope

logger = logging.getLogger(__name__)


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
            return self._flight.run(self._walk, patience=LONGEST_WAIT)
        except (NeedsItselfError, TimeoutError):
            # A provider that uses this session, or that keeps another thread waiting: without us
            # it would be asked again, too, and a provider of others may be prepared for that.
            # Ours see a circle themselves.
            return self._walk()

    def _walk(self) -> Credentials | None:
        if self.only is None:
            return super().load_credentials()
        found: Credentials | None = self.only.load()
        if found is None:
            reason = f" ({self.only.why_not()})" if isinstance(self.only, Provider) else ""
            raise NotConfigured(
                provider=str(self.only.METHOD),
                error_msg="this session takes credentials from this provider alone, and it has "
                f"none here{reason}: set its options in code or in the environment",
            )
        return found


def insert(
    resolver: CredentialResolver,
    session: botocore.session.Session,
    region: str | None,
    front: Sequence[CredentialProvider],
) -> None:
    """Put ``front`` before everything, and what the profile may select before its roles.

    Args:
        resolver: Where to put them.
        session: Whose it is.
        region: That of the session's first client; None without one.
        front: Providers that code gave.
    """
    resolver.providers = list(resolver.providers)  # botocore takes any sequence
    profile = session.get_config_variable("profile") or "default"
    scope = ProfileScope(session, profile=profile, outer_region=outer_region(session, region))
    resolver.providers[:0] = bound(front, session, region)
    if any(one.METHOD == PROVIDERS[0].METHOD for one in resolver.providers):
        return  # all but ``front`` is there already
    replace_roles(resolver.providers, session, region, profile)
    methods = [provider.METHOD for provider in resolver.providers]
    position = 0
    if "assume-role" in methods:
        position = methods.index("assume-role")
    elif "env" in methods:
        position = methods.index("env") + 1
    resolver.providers[position:position] = [kind().bind(scope) for kind in PROVIDERS]


def bound(
    providers: Sequence[CredentialProvider],
    session: botocore.session.Session,
    region: str | None,
) -> list[CredentialProvider]:
    """Bind providers that code built to ``session``; botocore's own stay as they are."""
    scope = Scope(session, outer_region=outer_region(session, region))
    return [one.bind(scope) if isinstance(one, Provider) else one for one in providers]
