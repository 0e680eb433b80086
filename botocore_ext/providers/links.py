"""The names of links: providers of this package, providers of botocore, and profiles."""

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

from ..aws.botocore_errors import create_with_botocore
from ..catalogue import INSERTED, ROWS, find, load
from ..errors import ConfigurationError, near, nearest
from ..options.scope import Scope
from ..profiles import logger
from ..profiles.inert import profile_of
from ..profiles.plain_roles import replace_roles
from ..profiles.registry import find_plugin, usable_plugins
from .insertion import RoleProvider

if TYPE_CHECKING:
    from .base import Provider

_PROFILE = re.compile(r"profile\s+(?P<name>\S.*)", re.IGNORECASE)


def link_by_name(name: str, scope: Scope) -> CredentialProvider:
    """Return the provider that a link's name means.

    Raises:
        ConfigurationError: The name is unknown, or it is the name of chains.
    """
    where = f"profile '{scope.profile}'" if scope.profile else "code"
    profile = _PROFILE.fullmatch(name)
    profiles = scope.profiles
    if profile is not None:
        if profile["name"] not in profiles:
            similar = near(profile["name"], profiles)
            logger.warning(
                "The chain in %s names profile '%s', which is not in %s: the link is skipped%s",
                where,
                profile["name"],
                scope.config_file,
                f"; did you mean '{similar}'?" if similar else "",
            )
        provider: Provider = load("from_ini")(profile=profile["name"])
        return provider.bind(scope)
    row = find(name)
    if row is INSERTED[0]:
        raise ConfigurationError(
            provider=INSERTED[0].method,
            error_msg=f"the chain in {where} names itself: remove {name}, or write "
            "profile NAME for the chain of another profile",
        )
    if row is not None:
        provider = row.load()()
        return provider.bind(Scope.like(scope, is_bare=True))
    link = BotocoreLink(name, scope)
    known = link.names()
    if name.lower() in known:
        return link
    plugin = find_plugin(name)
    if plugin is not None and plugin.problem is not None:
        fact = f"the chain in {where} {plugin.problem}"
        raise ConfigurationError(provider=INSERTED[0].method, error_msg=fact)
    if plugin is not None:
        provider = plugin.load()()
        return provider.bind(Scope.like(scope, is_bare=True))
    names = [*known.values(), *(row.canonical_name for row in (*ROWS, *usable_plugins()))]
    # Suggest a profile only if it is nearer than the name of any provider.
    similar = nearest(name, [*profiles, *names, *(row.factory for row in ROWS)])
    suggestion = f"profile {similar}" if similar in profiles else similar
    raise ConfigurationError(
        provider=INSERTED[0].method,
        error_msg=f"the chain in {where} names {name}, which is not a known provider: did you mean "
        f"{suggestion}? (a profile is written as profile NAME)",
    )


class LinkRoleProvider(RoleProvider):
    """Roles in a link: they never prompt for an MFA code, because any thread may fetch."""

    def sources(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """See ``PlainRoleProvider.sources``."""
        return {**super().sources(*args, **kwargs), "prompter": self._mfa_prompt_missing}

    def _mfa_prompt_missing(self, _: str) -> NoReturn:
        raise ConfigurationError(
            provider=self.METHOD,
            error_msg="the role needs an MFA code, but a chain does not prompt for one: use the "
            "link from_ini(profile=NAME, mfa_code_provider=ask_for_code) instead",
        )


class BotocoreLink(CredentialProvider):
    """A provider of botocore, created again for each load: some can be loaded only once."""

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
                credentials: Credentials | None = provider.load()
                return credentials
        return CanonicalNameCredentialSourcer(providers).source_credentials(name)

    def names(self) -> dict[str, str]:
        """Return the names of all providers, by lower-case name."""
        names = [name for one in self._providers() for name in (one.METHOD, one.CANONICAL_NAME)]
        return {name.lower(): name for name in names if name}

    def _providers(self) -> list[CredentialProvider]:
        """Return botocore's providers for the chain's profile."""
        session, region = self._scope.files, self._scope.outer_region
        create = partial(create_credential_resolver, session, region_name=region)
        providers = create_with_botocore(session, INSERTED[0].method, create).providers
        profile = self._scope.profile or profile_of(session)
        providers = replace_roles(LinkRoleProvider, providers, session, region, profile)
        cache = next(one.cache for one in providers if isinstance(one, LinkRoleProvider))
        from_profile = ProfileProviderBuilder(session, cache, region).providers(profile)
        methods = {one.METHOD for one in from_profile}
        return [*from_profile, *(one for one in providers if one.METHOD not in methods)]
