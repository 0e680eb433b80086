"""botocore's credential resolver with our providers in it."""

import logging
from collections.abc import Sequence

import botocore.session
from botocore.credentials import CredentialProvider, CredentialResolver, Credentials

from .concurrency import NeedsItselfError, SingleFlight
from .errors import ConfigurationError, NotConfigured
from .profiles import ProfileScope
from .provider import Provider
from .registry import PROVIDERS
from .roles import replace_roles
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
        self._only = only
        self._flight: SingleFlight[Credentials | None] = SingleFlight()

    def load_credentials(self) -> Credentials | None:
        """Return the first credentials found, or None.

        Raises:
            NotConfigured: The session was built for one provider, and that has nothing.
            ConfigurationError: A provider's callable uses the session it is to provide for.
        """
        try:
            return self._flight.run(self._walk)
        except NeedsItselfError:
            pass
        raise ConfigurationError(
            provider="session",
            error_msg="a callable of a provider uses the session that it is to provide "
            "credentials for: give it a session or client of its own",
        )

    def _walk(self) -> Credentials | None:
        if self._only is None:
            return super().load_credentials()
        found: Credentials | None = self._only.load()
        if found is None:
            raise NotConfigured(
                provider=str(self._only.METHOD),
                error_msg="this session takes credentials from this provider alone, and nothing "
                "selects it: set its options in code or in the environment",
            )
        return found


def insert(
    resolver: CredentialResolver,
    session: botocore.session.Session,
    region: str | None,
    front: Sequence[CredentialProvider],
) -> None:
    """Put ``front`` before everything, and what the profile may select before its roles."""
    profile = session.get_config_variable("profile") or "default"
    scope = ProfileScope(session, profile=profile, outer_region=region)
    replace_roles(resolver.providers, session, region, profile)
    methods = [provider.METHOD for provider in resolver.providers]
    position = methods.index("assume-role") if "assume-role" in methods else methods.count("env")
    resolver.providers[position:position] = [kind().bind(scope) for kind in PROVIDERS]
    resolver.providers[:0] = bound(front, session, region)


def bound(
    providers: Sequence[CredentialProvider],
    session: botocore.session.Session,
    region: str | None,
) -> list[CredentialProvider]:
    """Bind providers that code built to ``session``; botocore's own stay as they are."""
    scope = Scope(session, outer_region=region)
    return [one.bind(scope) if isinstance(one, Provider) else one for one in providers]
