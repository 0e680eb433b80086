"""Our providers in botocore's credential resolver."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import botocore.session
from botocore.credentials import (
    CanonicalNameCredentialSourcer,
    CredentialProvider,
    CredentialResolver,
    ProfileProviderBuilder,
)
from botocore.utils import resolve_imds_endpoint_mode

from ..aws.botocore_errors import made_by_botocore
from ..catalogue import INSERTED, Row, find_source
from ..options.scope import ProfileScope, Scope
from ..profiles.plain_roles import PlainRoleProvider, replace_roles
from ..profiles.selection import selecting_keys, source_of
from .base import Provider

# Our providers in the place where a profile has them, loaded only if a key of it selects them.

logger = logging.getLogger(__name__)


def providers_of(scope: ProfileScope) -> list[CredentialProvider]:
    """Return ours for a profile, in order, without loading those that no key of it selects.

    The first is always there: it warns of keys that are misspelt.
    """
    values = scope.profile_values
    real = [INSERTED[0], *(row for row, _ in selecting_keys(values))]
    return [row.load()().bind(scope) if row in real else Unselected(row) for row in INSERTED]


class Unselected(CredentialProvider):
    """Keeps the place of a provider that nothing selects, for who looks for it by name."""

    def __init__(self, row: Row) -> None:
        """Take the names of the provider."""
        super().__init__()
        self.METHOD, self.CANONICAL_NAME = row.method, row.canonical_name

    def load(self) -> None:
        """Return None, as the provider itself would."""
        logger.debug("Not called for: %s, because nothing selects it", self.METHOD)


# Roles on top of our providers: botocore's ``AssumeRoleProvider`` with more sources.
#
# A role stays botocore's: it assumes and refreshes it. What is ours is where the credentials come
# from that assume it, by ``source_profile`` or by ``credential_source``, at any depth.


class SourceOfOurs(str):
    """The value of a ``credential_source`` as the user wrote it, and what it means.

    botocore hands it on as it is, so that its errors show the user's own word.
    """

    __slots__ = ("profile", "row")

    row: Row
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
        theirs: list[Any] = super().providers(profile_name, disable_env_vars)
        return [*self.ours(profile_name), *theirs]

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
        row, profile = source_name.row, source_name.profile
        if profile not in self._ours:
            scope = self._scope(profile=profile, source=row)
            self._ours.setdefault(profile, row.load()().bind(scope))
        provider = self._ours[profile]
        credentials = provider.load()
        if credentials is None:
            raise provider._missing(*(one for one in provider.options() if one.selects))
        return credentials


class RoleProvider(PlainRoleProvider):
    """One whose sources, at any depth, may be ours."""

    def sources(
        self,
        session: botocore.session.Session,
        region: str | None,
        theirs: list[CredentialProvider],
        cache: Any,
    ) -> dict[str, Any]:
        """See ``PlainRoleProvider.sources``."""
        return {
            "load_config": partial(_view, session),
            "credential_sourcer": NamedSources(theirs, session, region),
            "profile_provider_builder": SourceProfiles(session, cache, region),
        }

    def is_repeatable(self, way: Sequence[Mapping[str, Any]]) -> bool:
        """See ``PlainRoleProvider.is_repeatable``."""
        is_ours = isinstance(way[0].get("credential_source"), SourceOfOurs)
        return super().is_repeatable(way) and not is_ours


def outer_region(session: botocore.session.Session, of_client: str | None) -> str | None:
    """Return the region that our inner clients inherit: the first client's, else the session's."""
    region: str | None = of_client or session.get_config_variable("region")
    return region


def _view(session: botocore.session.Session) -> Mapping[str, Any]:
    """Return the configuration as ``AssumeRoleProvider`` is to see it.

    It claims every profile with ``role_arn``: one that is ours is shown without. A
    ``credential_source`` of ours is shown with its profile, because a source is asked by name, and
    a factory of one of botocore's by botocore's name.
    """
    config: Mapping[str, Any] = session.full_config
    changed = {}
    for name, values in config["profiles"].items():
        source = source_of(values)
        if source is not None:
            ours = SourceOfOurs(values["credential_source"])
            ours.row, ours.profile = source, name
            changed[name] = {**values, "credential_source": ours}
        elif "role_arn" in values and any(selecting_keys(values)):
            changed[name] = {key: value for key, value in values.items() if key != "role_arn"}
        elif "credential_source" in values:
            theirs = find_source(str(values["credential_source"]))
            if theirs is not None and theirs.source_of == "botocore":
                changed[name] = {**values, "credential_source": theirs.canonical_name}
    return {**config, "profiles": {**config["profiles"], **changed}} if changed else config


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
    if INSERTED[0].method in [one.METHOD for one in resolver.providers]:
        return  # all but ``front`` is there already
    resolver.providers = replace_roles(RoleProvider, resolver.providers, session, region, profile)
    methods = [provider.METHOD for provider in resolver.providers]
    position = 0
    if "assume-role" in methods:
        position = methods.index("assume-role")
    elif "env" in methods:
        position = methods.index("env") + 1
    resolver.providers[position:position] = providers_of(scope)


def check_settings(session: botocore.session.Session, method: str | None) -> None:
    """See that botocore's own resolver can be made: it stands beside a session's one provider.

    Raises:
        ConfigurationError: A setting of the metadata service is none, or there is no such profile.
    """
    made_by_botocore(session, method, partial(resolve_imds_endpoint_mode, session))


def bound(
    providers: Sequence[CredentialProvider],
    session: botocore.session.Session,
    region: str | None,
) -> list[CredentialProvider]:
    """Bind providers that code built to ``session``; botocore's own stay as they are."""
    scope = Scope(session, outer_region=outer_region(session, region))
    return [one.bind(scope) if isinstance(one, Provider) else one for one in providers]
