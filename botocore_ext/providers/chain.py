"""``CredentialChain``: a provider that tries other providers, in order."""

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
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
from ..aws.frozen_credentials import FieldError, FrozenCredentials
from ..catalogue import CHAIN, ROWS, find, load
from ..errors import (
    Attempt,
    ChainError,
    ConfigurationError,
    FetchError,
    near,
    nearest,
    redacted_text,
)
from ..options import types
from ..options.option import option, option_method
from ..options.scope import Scope
from ..profiles import logger as profiles_logger
from ..profiles.inert import profile_of
from ..profiles.registry import find_plugin, usable_plugins
from ..refresh.credentials import ProviderCredentials
from ..refresh.policy import Window
from ..runtime.context import RoutedLogger, guard_recursion, notify
from ..runtime.single_flight import own_copy
from .base import Provider
from .function import Source, as_provider
from .insertion import RoleProvider, replace_roles

if TYPE_CHECKING:
    from typing_extensions import Self

logger = RoutedLogger(__name__)


def fetch_from(link: CredentialProvider) -> FrozenCredentials | None:
    """Fetch credentials from any provider; None if a third-party provider has none.

    Raises:
        NotConfigured: The provider is not configured.
        Exception: What the fetch raises.
    """
    if not isinstance(link, Provider):
        credentials = link.load()
        try:
            return None if credentials is None else FrozenCredentials.from_credentials(credentials)
        except FieldError as error:
            fact = f"{error}: correct the source of these credentials"
        raise FetchError(provider=link.METHOD, error_msg=fact)
    return link._run_with_logger(partial(_fetch_from_provider, link))


def _fetch_from_provider(provider: Provider) -> FrozenCredentials:
    if not provider.is_selected():
        raise provider._not_configured()
    provider.check()
    return provider._guarded_fetch()


def try_link(name: str, link: CredentialProvider) -> FrozenCredentials | Attempt:
    """Return the credentials of one link, or why it has none; raise what must stop a chain."""
    try:
        credentials = fetch_from(link)
    except Exception as error:
        if not getattr(error, "try_next_link", False):
            notify((name, error))
            raise
        return Attempt(name, getattr(error, "reason", redacted_text(error)), own_copy(error))
    return credentials or Attempt(name, "not configured")


class CredentialChain(Provider):
    """Credentials of the first link that has some. Each refresh starts at the first link again."""

    METHOD = "custom-credential-chain"
    CANONICAL_NAME = "CustomCredentialChain"
    FACTORY = "create_credential_chain"

    links: Sequence[Source | str] = option(
        ini="credential_chain",
        example="Environment, CustomCognitoIdentityPool, profile web",
        code="from_http(), 'Environment'",
        positional=True,
        selects=True,
        required=True,
        parse=types.links,
        help="The links, in order: providers, callables that return credentials, or names. In a "
        "profile a comma-separated line of canonical names, METHODs or factories in any case, and "
        "`profile NAME`.",
    )

    def __init__(
        self,
        *links: Source | str,
        expire_after: float | timedelta | None = None,
        refresh_window: Window | None = None,
        logger: logging.Logger | None = None,
        **unknown: NoReturn,
    ) -> None:
        """Take the links in order. Nothing is fetched yet.

        Raises:
            TypeError: A link is neither a name nor accepted where a provider is.
            ConfigurationError: A value is malformed.
        """
        sources = [link if isinstance(link, str) else as_provider(link) for link in links]
        super().__init__(
            links=sources or None,
            expire_after=expire_after,
            refresh_window=refresh_window,
            logger=logger,
            **unknown,
        )

    @option_method(
        ini="credential_chain_expire_after",
        example=900,
        parse=types.lifetime,
        help="Seconds, or a `timedelta`, after which credentials without an expiration are "
        "refreshed; 300 or more. `chain.expire_after(900)` returns a chain with this option.",
    )
    def expire_after(self, seconds: float | timedelta) -> "Self":
        """Return a chain like this one that refreshes credentials without an expiration.

        Args:
            seconds: The time after which they are refreshed; 300 or more.

        Raises:
            ValueError: ``seconds`` is less than that.
        """
        try:
            types.lifetime(seconds)
        except ValueError as error:
            raise ValueError(f"expire_after({seconds!r}) {error}") from None
        options: dict[str, Any] = {**self._code_values, "expire_after": seconds}
        return type(self)(*options.pop("links", ()), **options)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the chain as its links."""
        options = dict(self._code_values)
        return partial(type(self), *options.pop("links", ()), **options), ()

    def check(self) -> None:
        """See ``Provider.check``; an unknown name of a link is an error, too."""
        super().check()
        self._bound_links()

    def _subscribe(self, credentials: ProviderCredentials, distance: int = 0) -> None:
        """See ``Provider._subscribe``; a new token of a link is a new token of the chain."""
        super()._subscribe(credentials, distance)
        for _, link in self._bound_links():
            if isinstance(link, Provider):
                link._subscribe(credentials, distance + 1)

    def _guarded_fetch(self) -> FrozenCredentials:
        """See ``Provider._guarded_fetch``; ``fetch`` guards against recursion itself."""
        return self.fetch()

    def fetch(self) -> FrozenCredentials:
        """Return the credentials of the first link that has some.

        Raises:
            ChainError: No link has credentials.
            Exception: A link is configured but failed; its error is unchanged.
        """
        profile = self.scope.profile
        label = f"credential_chain of profile '{profile}'" if profile else self._label
        return guard_recursion(self._identity, label, self._first)

    def _first(self) -> FrozenCredentials:
        attempts = []
        for name, link in self._bound_links():
            result = try_link(name, link)
            notify((name, None if isinstance(result, FrozenCredentials) else result))
            if isinstance(result, FrozenCredentials):
                logger.debug("The chain uses the credentials of %s", name)
                return self._with_expiration(result)
            attempts.append(result)
        raise ChainError(provider=self.METHOD, attempts=attempts)

    @property
    def _identity(self) -> object:
        """See ``Provider._identity``; the chain of a profile is created for each use."""
        scope = self.scope
        return super()._identity if scope.profile is None else (id(scope.files), scope.profile)

    def _bound_links(self) -> list[tuple[str, CredentialProvider]]:
        """Return the links with their names, bound once for each binding of the chain."""
        return self._binding.once("links", lambda: [self._bind(link) for link in self.links])

    def _bind(self, link: Any) -> tuple[str, CredentialProvider]:
        if isinstance(link, str):
            return link, link_by_name(link, self.scope)
        if isinstance(link, Provider):
            return link._label, link.bind(self.scope)
        return str(link.CANONICAL_NAME or link.METHOD), link

    def _with_expiration(self, credentials: FrozenCredentials) -> FrozenCredentials:
        seconds = self._option_value(self._option_named("expire_after"))
        if seconds is None or credentials.expiration is not None:
            return credentials
        expiration = self.scope.clock.utc() + timedelta(seconds=seconds)
        return replace(credentials, expiration=expiration)


create_credential_chain = CredentialChain


# The names of links: providers of this package, providers of botocore, and profiles.

_PROFILE = r"profile\s+(?P<name>\S.*)"


def link_by_name(name: str, scope: Scope) -> CredentialProvider:
    """Return the provider that a link's name means.

    Raises:
        ConfigurationError: The name is unknown, or it is the name of chains.
    """
    where = scope.profile_in_file if scope.profile else "code"
    profile = re.fullmatch(_PROFILE, name, re.IGNORECASE)
    profiles = list(scope.profiles)
    if profile is not None:
        if profile["name"] not in profiles:
            similar = near(profile["name"], profiles)
            profiles_logger.warning(
                "The chain in %s names profile '%s', which does not exist: the link is skipped%s",
                where,
                profile["name"],
                f"; did you mean '{similar}'?" if similar else "",
            )
        provider: Provider = load("from_ini")(profile=profile["name"])
        return provider.bind(scope)
    row = find(name)
    if row is CHAIN:
        remedy = f"remove {name}, or write profile NAME for the chain of another profile"
        raise _chain_error(where, f"names itself: {remedy}")
    if row is None:
        link = BotocoreLink(name, scope)
        known = link.names()
        if name.lower() in known:
            return link
        row = find_plugin(name)
        if row is None:
            names = [*known.values(), *(one.canonical_name for one in (*ROWS, *usable_plugins()))]
            # Suggest a profile only if it is nearer than the name of any provider.
            similar = nearest(name, [*profiles, *names, *(one.factory for one in ROWS)])
            hint = f"did you mean {f'profile {similar}' if similar in profiles else similar}?"
            fact = f"names {name}, which is not a known provider: {hint}"
            raise _chain_error(where, f"{fact} (a profile is written as profile NAME)")
        if row.problem is not None:
            raise _chain_error(where, row.problem)
    provider = row.load()()
    return provider.bind(Scope.like(scope, is_bare=True))


def _chain_error(where: str, problem: str) -> ConfigurationError:
    return ConfigurationError(provider=CHAIN.method, error_msg=f"the chain in {where} {problem}")


class LinkRoleProvider(RoleProvider):
    """Roles in a link: they never prompt for an MFA code, because any thread may fetch."""

    def arguments(self) -> dict[str, Any]:
        """See ``RoleProvider.arguments``."""
        return {"prompter": self._mfa_prompt_missing}

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
        providers = create_with_botocore(session, CHAIN.method, create).providers
        profile = self._scope.profile or profile_of(session)
        providers = replace_roles(LinkRoleProvider, providers, session, region, profile)
        cache = next(one.cache for one in providers if isinstance(one, LinkRoleProvider))
        from_profile = ProfileProviderBuilder(session, cache, region).providers(profile)
        methods = {one.METHOD for one in from_profile}
        return [*from_profile, *(one for one in providers if one.METHOD not in methods)]
