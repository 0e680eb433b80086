"""What the name of a link in a chain means: a provider of ours, one of botocore's, or a profile."""

import re
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.credentials import (
    CanonicalNameCredentialSourcer,
    CredentialProvider,
    Credentials,
    ProfileProviderBuilder,
    create_credential_resolver,
)

from ..aws.botocore_errors import made_by_botocore
from ..catalogue import INSERTED, ROWS, find, load
from ..errors import ConfigurationError, near, nearest
from ..options.scope import Scope
from ..profiles import logger
from ..profiles.plain_roles import replace_roles
from .insertion import RoleProvider

if TYPE_CHECKING:
    from .base import Provider

_PROFILE = re.compile(r"profile\s+(?P<name>\S.*)", re.IGNORECASE)


def named(name: str, scope: Scope) -> CredentialProvider:
    """Return the link that bears ``name``.

    Raises:
        ConfigurationError: Nothing bears it.
    """
    place = f"profile '{scope.profile}'" if scope.profile else "code"
    profile = _PROFILE.fullmatch(name)
    profiles = scope.profiles
    if profile is not None:
        if profile["name"] not in profiles:
            similar = near(profile["name"], profiles)
            logger.warning(
                "The chain in %s names profile '%s', which is not in %s: it is stepped over%s",
                place,
                profile["name"],
                scope.config_file,
                f"; did you mean '{similar}'?" if similar else "",
            )
        provider: Provider = load("from_ini")(profile=profile["name"])
        return provider.bind(scope)
    ours = find(name)
    if ours is INSERTED[0]:
        raise ConfigurationError(
            provider=INSERTED[0].method,
            error_msg=f"the chain in {place} names itself: leave {name} out, or write "
            "profile NAME for the chain of another profile",
        )
    if ours is not None:
        provider = ours.load()()
        return provider.bind(Scope.like(scope, is_bare=True))
    theirs = BotocoreLink(name, scope)
    known = theirs.names()
    if name.lower() in known:
        return theirs
    every = [*known.values(), *(row.canonical_name for row in ROWS)]
    # A profile is meant only if that is nearer than the name of any provider.
    similar = nearest(name, [*profiles, *every, *(row.factory for row in ROWS)])
    meant = f"profile {similar}" if similar in profiles else similar
    raise ConfigurationError(
        provider=INSERTED[0].method,
        error_msg=f"the chain in {place} names {name}, which is no provider: did you mean {meant}? "
        "(a profile is written as profile NAME)",
    )


class RoleOfLink(RoleProvider):
    """One that asks nobody for the code of an MFA device: a fetch may be made by any thread."""

    def sources(self, *given: Any, **named: Any) -> dict[str, Any]:
        """See ``PlainRoleProvider.sources``."""
        return {**super().sources(*given, **named), "prompter": self._nobody_to_ask}

    def _nobody_to_ask(self, _: str) -> NoReturn:
        raise ConfigurationError(
            provider=self.METHOD,
            error_msg="the role is assumed with a code of an MFA device, and a chain asks nobody "
            "for it: put from_ini(profile=NAME, mfa_code_provider=ask_for_code) in its place",
        )


class BotocoreLink(CredentialProvider):
    """One of botocore's providers, built anew for each load: some can be loaded only once."""

    def __init__(self, name: str, scope: Scope) -> None:
        """Take the name as the user wrote it."""
        super().__init__()
        self.CANONICAL_NAME = name
        self._scope = scope

    def load(self) -> Credentials | None:
        """Return what the provider finds, or None."""
        providers = self._providers()
        name = self.names()[str(self.CANONICAL_NAME).lower()]
        for provider in providers:
            if name == provider.METHOD:
                found: Credentials | None = provider.load()
                return found
        return CanonicalNameCredentialSourcer(providers).source_credentials(name)

    def names(self) -> dict[str, str]:
        """Return every name by which a provider can be called, by its lower-case spelling."""
        names = [n for one in self._providers() for n in (one.METHOD, one.CANONICAL_NAME) if n]
        return {name.lower(): name for name in names}

    def _providers(self) -> list[CredentialProvider]:
        """Return botocore's providers for the chain's profile."""
        session, region = self._scope.files, self._scope.outer_region
        make = partial(create_credential_resolver, session, region_name=region)
        everything = made_by_botocore(session, INSERTED[0].method, make).providers
        profile = self._scope.profile or session.get_config_variable("profile") or "default"
        everything = replace_roles(RoleOfLink, everything, session, region, profile)
        cache = next(one.cache for one in everything if isinstance(one, RoleOfLink))
        of_profile = ProfileProviderBuilder(session, cache, region).providers(profile)
        methods = {one.METHOD for one in of_profile}
        return [*of_profile, *(one for one in everything if one.METHOD not in methods)]
