"""botocore's role provider, so that threads can share a session."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

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
from botocore.session import Session
from botocore.utils import create_nested_client

from .inert import source_profile_chain


class PlainRoleProvider(AssumeRoleProvider):
    """botocore's role provider, created again for each load, because it can load only once.

    A ``cache`` that programs set on it (AWS CLI, SAM) is used.
    """

    def __init__(
        self,
        session: Session,
        region: str | None,
        profile: str,
        theirs: list[CredentialProvider],
        cache: Any,
    ) -> None:
        """Take the session's region and profile, and botocore's sources and cache."""
        self._session, self._region, self._profile = session, region, profile
        self._arguments: dict[str, Any] = {
            "client_creator": partial(_create_client, session, region),
            "profile_name": profile,
            **self.sources(theirs, cache),
        }
        super().__init__(cache=cache, **self._arguments)
        self._built = dict(vars(self))
        #: The credentials of an earlier load, and the attributes of this provider at that time.
        self._cached: tuple[Credentials, dict[str, Any]] | None = None

    def sources(self, theirs: list[CredentialProvider], cache: Any) -> dict[str, Any]:
        """Return botocore's arguments for the credentials that assume the role."""
        session = self._session
        return {
            "load_config": lambda: session.full_config,
            "credential_sourcer": CanonicalNameCredentialSourcer(theirs),
            "profile_provider_builder": ProfileProviderBuilder(session, cache, self._region),
        }

    def load(self) -> Any:
        """Return the role's credentials; those of an earlier load if they can be reused.

        Threads that come just after a first load would otherwise assume the role again. With an
        MFA device every load asks for a code, as in botocore.
        """
        attributes = {name: vars(self)[name] for name in self._built}
        if self._cached is not None and _same(self._cached[1], attributes):
            return self._cached[0]
        provider = AssumeRoleProvider(**{**self._arguments, "cache": self.cache})
        for name, value in attributes.items():  # a program may have set a prompter or other sources
            if value is not self._built[name]:
                setattr(provider, name, value)
        credentials = provider.load()
        if credentials is not None and self._can_be_cached():
            self._cached = (credentials, attributes)
        return credentials

    def _can_be_cached(self) -> bool:
        """Return whether the credentials can be reused, and no load asks for a code."""
        profiles = self._arguments["load_config"]()["profiles"]
        chain = [profiles[name] for name in source_profile_chain(profiles, self._profile)]
        return not self.is_repeatable(chain) and not any("mfa_serial" in values for values in chain)

    def is_repeatable(self, chain: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether plain botocore can load a role with this chain again."""
        return len(chain) == 1


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[name] is other[name] for name in one)


def replace_roles(
    kind: type[PlainRoleProvider],
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


def _create_client(session: Session, region: str | None, service: str, **arguments: Any) -> Any:
    return create_nested_client(session, service, **{"region_name": region, **arguments})
