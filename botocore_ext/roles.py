"""Roles on top of our providers: botocore's ``AssumeRoleProvider`` with more sources.

A role stays botocore's: it assumes and refreshes it. What is ours is where the credentials come
from that assume it, by ``source_profile`` or by ``credential_source``, at any depth.
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.credentials import (
    AssumeRoleProvider,
    CanonicalNameCredentialSourcer,
    ContainerProvider,
    CredentialProvider,
    Credentials,
    EnvProvider,
    InstanceMetadataProvider,
    ProfileProviderBuilder,
)
from botocore.utils import create_nested_client

from .profiles import ProfileScope, selecting_keys, source_of
from .selection import providers_of

if TYPE_CHECKING:
    from .provider import Provider


class SourceOfOurs(str):
    """The value of a ``credential_source`` as the user wrote it, and what it means.

    botocore hands it on as it is, so that its errors show the user's own word.
    """

    __slots__ = ("kind", "profile")

    kind: "type[Provider]"
    profile: str


class SourceProfiles(ProfileProviderBuilder):
    """The providers of a profile, ours first; what is built for a profile is kept."""

    def __init__(
        self, session: botocore.session.Session, cache: Any, region_name: str | None
    ) -> None:
        """Take what botocore's builder takes."""
        super().__init__(session, cache=cache, region_name=region_name)
        self._ours: dict[str, list[CredentialProvider]] = {}
        self._scope = partial(
            ProfileScope, session, outer_region=outer_region(session, region_name)
        )

    def providers(self, profile_name: str, disable_env_vars: bool = False) -> list[Any]:  # noqa: FBT001, FBT002 - botocore's signature
        """Return what may give credentials for a profile, in order."""
        return [*self.ours(profile_name), *self.theirs(profile_name, disable_env_vars)]

    def theirs(self, profile: str, disable_env_vars: bool) -> list[CredentialProvider]:  # noqa: FBT001 - as above
        """Return botocore's providers for a profile."""
        return super().providers(profile, disable_env_vars)

    def ours(self, profile: str) -> list[CredentialProvider]:
        """Return our providers bound to a profile."""
        if profile not in self._ours:
            self._ours.setdefault(profile, providers_of(self._scope(profile=profile)))
        return self._ours[profile]


class NamedSources(CanonicalNameCredentialSourcer):
    """What ``credential_source`` may name: botocore's three, and ours with the profile's keys."""

    def __init__(
        self,
        providers: list[CredentialProvider],
        session: botocore.session.Session,
        region: str | None,
    ) -> None:
        """Take botocore's providers, and where ours belong to."""
        super().__init__(providers)
        self._scope = partial(ProfileScope, session, outer_region=outer_region(session, region))
        self._ours: dict[str, Provider] = {}

    def is_supported(self, source_name: str) -> bool:
        """Whether a source has this name; botocore's are case-sensitive as they always were."""
        return isinstance(source_name, SourceOfOurs) or super().is_supported(source_name)

    def source_credentials(self, source_name: str) -> Any:
        """Return the credentials of a source; None if one of botocore's has none.

        Raises:
            ConfigurationError: The profile that names a source of ours lacks its keys.
        """
        if not isinstance(source_name, SourceOfOurs):
            return super().source_credentials(source_name)
        kind, profile = source_name.kind, source_name.profile
        if profile not in self._ours:
            scope = self._scope(profile=profile, source=kind)
            self._ours.setdefault(profile, kind().bind(scope))
        provider = self._ours[profile]
        credentials = provider.load()
        if credentials is None:
            raise provider.missing(*(one for one in provider.options() if one.selects))
        return credentials


class RoleProvider(AssumeRoleProvider):
    """botocore's provider, built anew for each load, because it can be loaded only once.

    Whoever sets ``cache`` on it (AWS CLI, SAM) has it used.
    """

    def __init__(
        self,
        session: botocore.session.Session,
        region: str | None,
        profile: str,
        theirs: list[CredentialProvider],
        cache: Any,
    ) -> None:
        """Take the session's region and profile, and botocore's sources and cache."""
        self._arguments: dict[str, Any] = {
            "load_config": partial(_view, session),
            "client_creator": partial(_create_client, session, region),
            "profile_name": profile,
            "credential_sourcer": NamedSources(theirs, session, region),
            "profile_provider_builder": SourceProfiles(session, cache, region),
        }
        super().__init__(cache=cache, **self._arguments)
        self.sources: SourceProfiles = self._arguments["profile_provider_builder"]
        self._built = dict(vars(self))
        #: The credentials of an earlier load, and what this provider was made of then.
        self._kept: tuple[Credentials, dict[str, Any]] | None = None

    def load(self) -> Any:
        """Return the role's credentials; those of an earlier load where a new one has no use.

        Threads that come just after a first load would otherwise assume the role again. With an
        MFA device every load asks for a code, as botocore does.
        """
        made_of = {name: vars(self)[name] for name in self._built}
        if self._kept is not None and _same(self._kept[1], made_of):
            return self._kept[0]
        provider = AssumeRoleProvider(**{**self._arguments, "cache": self.cache})
        for name, value in made_of.items():  # somebody may have set a prompter or other sources
            if value is not self._built[name]:
                setattr(provider, name, value)
        credentials = provider.load()
        if credentials is not None and self._may_be_kept():
            self._kept = (credentials, made_of)
        return credentials

    def _may_be_kept(self) -> bool:
        """Whether another load would fail in plain botocore, or is ours, and asks for no code."""
        profiles = self._arguments["load_config"]()["profiles"]
        own = name = self._arguments["profile_name"]
        hops = []
        while name in profiles and name not in hops:
            hops.append(name)
            name = profiles[name].get("source_profile")
        source = profiles[own].get("credential_source")
        repeatable = len(hops) == 1 and not isinstance(source, SourceOfOurs)
        return not repeatable and not any("mfa_serial" in profiles[hop] for hop in hops)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[name] is other[name] for name in one)


def outer_region(session: botocore.session.Session, of_client: str | None) -> str | None:
    """Return the region that our inner clients inherit: the first client's, else the session's."""
    region: str | None = of_client or session.get_config_variable("region")
    return region


def replace_roles(
    providers: list[CredentialProvider],
    session: botocore.session.Session,
    region: str | None,
    profile: str,
) -> None:
    """Put a ``RoleProvider`` in the place of botocore's, unless somebody has replaced that."""
    sources = (ContainerProvider, InstanceMetadataProvider)
    environment = [one for one in providers if isinstance(one, EnvProvider)] or [EnvProvider()]
    theirs: list[CredentialProvider] = [environment[0]]
    theirs += [one for one in providers if isinstance(one, sources)]
    for position, provider in enumerate(providers):
        if type(provider) is AssumeRoleProvider:
            providers[position] = RoleProvider(session, region, profile, theirs, provider.cache)


def _create_client(
    session: botocore.session.Session, region: str | None, service: str, **arguments: Any
) -> Any:
    return create_nested_client(session, service, **{"region_name": region, **arguments})


def _view(session: botocore.session.Session) -> Mapping[str, Any]:
    """Return the configuration as ``AssumeRoleProvider`` is to see it.

    It claims every profile with ``role_arn``: one that is ours is shown without. A
    ``credential_source`` of ours is shown with its profile, because a source is asked by name.
    """
    config: Mapping[str, Any] = session.full_config
    changed = {}
    for name, values in config["profiles"].items():
        source = source_of(values)
        if source is not None:
            named = SourceOfOurs(values["credential_source"])
            named.kind, named.profile = source, name
            changed[name] = {**values, "credential_source": named}
        elif "role_arn" in values and dict(selecting_keys(values)):
            changed[name] = {key: value for key, value in values.items() if key != "role_arn"}
    return {**config, "profiles": {**config["profiles"], **changed}} if changed else config
