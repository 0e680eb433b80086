"""Insertion of this package's providers into botocore's credential resolver.

Roles stay botocore's: it assumes and refreshes them. This package adds sources for the credentials
that assume a role, by ``source_profile`` or ``credential_source``, at any depth.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from botocore.credentials import (
    AssumeRoleProvider,
    CanonicalNameCredentialSourcer,
    ContainerProvider,
    CredentialProvider,
    CredentialResolver,
    EnvProvider,
    InstanceMetadataProvider,
    ProfileProviderBuilder,
)
from botocore.session import Session
from botocore.utils import create_nested_client

from ..catalogue import CHAIN, Row
from ..options.scope import ProfileScope, Scope
from ..profiles.inert import profile_of, source_profile_chain
from ..profiles.plain_roles import PlainRoleProvider
from ..profiles.registry import find_source, profile_key, rows_of, source_of
from ..profiles.selection import selecting_keys

if TYPE_CHECKING:
    from .base import Provider

logger = logging.getLogger(__name__)


def inserted_providers(scope: ProfileScope) -> list[CredentialProvider]:
    """Return this package's providers for a profile, in order, loading only those it selects.

    The first is always loaded, because it warns of misspelled settings.
    """
    values = scope.profile_values
    selected = [CHAIN, *(row for row, _ in selecting_keys(values) if row.problem is None)]
    return [
        row.load()().bind(scope) if row in selected else Unselected(row, scope)
        for row in rows_of(values)
    ]


class Unselected(CredentialProvider):
    """A placeholder for a provider that is not configured: it can be found by its name."""

    def __init__(self, row: Row, scope: ProfileScope) -> None:
        super().__init__()
        self.METHOD, self.CANONICAL_NAME = row.method, row.canonical_name
        self._scope = scope

    def is_selected(self) -> bool:
        """Return False.

        Raises:
            ConfigurationError: The profile needs a provider that cannot be used.
        """
        return self._scope.allows(self.METHOD)

    def load(self) -> None:
        """Return None, as the provider itself would."""
        logger.debug("Not configured: %s", self.METHOD)


# Sources of roles.

#: Returns the scope of a profile, which it takes by keyword.
_ScopeOf: TypeAlias = Callable[..., ProfileScope]


class InsertedSource(str):
    """A ``credential_source`` as the user wrote it, with the provider that it names.

    botocore passes it on unchanged, so that its errors show the user's own spelling.
    """

    __slots__ = ("profile", "row")

    row: Row
    profile: str


class SourceProfileProviders(ProfileProviderBuilder):
    """Builds the providers of a source profile, this package's first, once for each profile."""

    def __init__(self, session: Session, cache: Any, region: str | None, scope: _ScopeOf) -> None:
        super().__init__(session, cache=cache, region_name=region)
        self._scope = scope
        self._inserted: dict[str, list[CredentialProvider]] = {}

    def providers(self, profile_name: str, disable_env_vars: bool = False) -> list[Any]:  # noqa: FBT001, FBT002 - botocore's signature
        """Return the providers of a profile, in order."""
        botocores: list[Any] = super().providers(profile_name, disable_env_vars)
        return [*self.own_providers(profile_name), *botocores]

    def own_providers(self, profile: str) -> list[CredentialProvider]:
        """Return this package's providers, bound to a profile."""
        if profile not in self._inserted:
            self._inserted.setdefault(profile, inserted_providers(self._scope(profile=profile)))
        return self._inserted[profile]


class CredentialSources(CanonicalNameCredentialSourcer):
    """The values of ``credential_source``: botocore's three, and this package's providers."""

    def __init__(self, providers: list[CredentialProvider], scope: _ScopeOf) -> None:
        super().__init__(providers)
        self._scope = scope
        self._bound: dict[str, Provider] = {}

    def is_supported(self, source_name: str) -> bool:
        """Whether there is such a source; botocore's names stay case-sensitive."""
        return isinstance(source_name, InsertedSource) or super().is_supported(source_name)

    def source_credentials(self, source_name: str) -> Any:
        """Return the credentials of a source; None if a source of botocore has none.

        Raises:
            ConfigurationError: The profile lacks the settings of a source of this package.
        """
        if not isinstance(source_name, InsertedSource):
            return super().source_credentials(source_name)
        row, profile = source_name.row, source_name.profile
        if profile not in self._bound:
            scope = self._scope(profile=profile, source=row)
            scope.allows(row.method)  # raises if the provider cannot be used
            self._bound.setdefault(profile, row.load()().bind(scope))
        provider = self._bound[profile]
        credentials = provider.load()
        if credentials is None:
            raise provider._missing(*(one for one in provider.options() if one.selects))
        return credentials


class RoleProvider(PlainRoleProvider):
    """botocore's role provider, with sources of this package at any depth."""

    def __init__(
        self,
        session: Session,
        region: str | None,
        profile: str,
        theirs: list[CredentialProvider],
        cache: Any,
    ) -> None:
        scope = partial(ProfileScope, session, outer_region=outer_region(session, region))
        load_config = partial(_config_for_roles, session, profile)
        original = AssumeRoleProvider(
            load_config,
            partial(create_nested_client, session, region_name=region),
            cache,
            profile,
            credential_sourcer=CredentialSources(theirs, scope),
            profile_provider_builder=SourceProfileProviders(session, cache, region, scope),
            **self.arguments(),
        )
        super().__init__(original, load_config, profile)

    def arguments(self) -> dict[str, Any]:
        """Return more arguments of botocore's provider."""
        return {}

    def is_repeatable(self, chain: Sequence[Mapping[str, Any]]) -> bool:
        """See ``PlainRoleProvider.is_repeatable``."""
        is_inserted = isinstance(chain[0].get("credential_source"), InsertedSource)
        return super().is_repeatable(chain) and not is_inserted


def replace_roles(
    kind: type[RoleProvider],
    providers: Sequence[CredentialProvider],
    session: Session,
    region: str | None,
    profile: str,
) -> list[CredentialProvider]:
    """Return ``providers`` with botocore's role provider replaced by one of ``kind``."""
    sources = (ContainerProvider, InstanceMetadataProvider)
    environment = [one for one in providers if isinstance(one, EnvProvider)] or [EnvProvider()]
    theirs: list[CredentialProvider] = [environment[0]]
    theirs += [one for one in providers if isinstance(one, sources)]
    return [
        kind(session, region, profile, theirs, one.cache)
        if type(one) is AssumeRoleProvider
        else one
        for one in providers
    ]


def outer_region(session: Session, client_region: str | None) -> str | None:
    """Return the region that inner clients inherit: the first client's, else the session's."""
    region: str | None = client_region or session.get_config_variable("region")
    return region


def _config_for_roles(session: Session, profile: str) -> Mapping[str, Any]:
    """Return the configuration for ``AssumeRoleProvider``, which uses every ``role_arn``.

    A profile whose ``role_arn`` belongs to a provider of this package is shown without it. A
    ``credential_source`` that names such a provider is shown with its profile, and one that names
    a factory of a botocore provider by botocore's name.
    """
    config: Mapping[str, Any] = session.full_config
    changed = {}
    for name in source_profile_chain(config["profiles"], profile):
        values = config["profiles"][name]
        source = source_of(values)
        if "role_arn" in values and (
            profile_key(values) or (source is None and any(selecting_keys(values)))
        ):
            changed[name] = {key: value for key, value in values.items() if key != "role_arn"}
        elif source is not None:
            inserted = InsertedSource(values["credential_source"])
            inserted.row, inserted.profile = source, name
            changed[name] = {**values, "credential_source": inserted}
        elif "credential_source" in values:
            row = find_source(str(values["credential_source"]))
            if row is not None and row.source_of == "botocore":
                changed[name] = {**values, "credential_source": row.canonical_name}
    return {**config, "profiles": {**config["profiles"], **changed}} if changed else config


# The resolver of a session.


def providers_of_profile(session: Session, region: str | None) -> list[CredentialProvider]:
    """Return this package's providers for the profile of a session, in order."""
    scope = ProfileScope(
        session, profile=profile_of(session), outer_region=outer_region(session, region)
    )
    return inserted_providers(scope)


def insert(
    resolver: CredentialResolver,
    session: Session,
    region: str | None,
    front: Sequence[CredentialProvider],
    ours: Sequence[CredentialProvider] = (),
) -> None:
    """Insert ``front`` first, and the providers that the profile can select before its roles.

    ``ours`` are these, if they exist already.
    """
    resolver.providers = list(resolver.providers)  # it may be any sequence
    profile = profile_of(session)
    resolver.providers[:0] = bind_all(front, session, region)
    if CHAIN.method in [one.METHOD for one in resolver.providers]:
        return  # everything else was inserted before
    resolver.providers = replace_roles(RoleProvider, resolver.providers, session, region, profile)
    methods = [provider.METHOD for provider in resolver.providers]
    position = 0
    if "assume-role" in methods:
        position = methods.index("assume-role")
    elif "env" in methods:
        position = methods.index("env") + 1
    resolver.providers[position:position] = ours or providers_of_profile(session, region)


def bind_all(
    providers: Sequence[CredentialProvider], session: Session, region: str | None
) -> list[CredentialProvider]:
    """Bind providers from code to ``session``; those of botocore stay as they are."""
    scope = Scope(session, outer_region=outer_region(session, region))
    bindings = [(one, getattr(one, "bind", None)) for one in providers]
    return [one if bind is None else bind(scope) for one, bind in bindings]
