"""Our providers in the credential resolver of a session of aiobotocore.

They are the synchronous ones, bound to a synchronous twin of the session and asked in a thread.
All others stay aiobotocore's own.
"""

from collections.abc import Sequence
from inspect import iscoroutinefunction
from typing import Any

import botocore.session
from aiobotocore.credentials import AioCredentials  # pyright: ignore[reportMissingImports] - of the extra aio
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    create_credential_resolver,
)

from ..refreshing.credentials import ProviderCredentials
from ..resolving.bystanders import is_plain_role
from ..resolving.resolver import bound, insert
from .credentials import asynchronous
from .rejections import resend_rejected
from .tasks import in_thread


class Twin(botocore.session.Session):
    """A synchronous session that is configured as an asynchronous one is, now and later."""

    def __init__(self, original: botocore.session.Session) -> None:
        """Take the asynchronous session."""
        self._original = original
        super().__init__()
        for name in ("config_store", "data_loader"):
            self.register_component(name, original.get_component(name))
        for name in ("user_agent_name", "user_agent_version", "user_agent_extra"):
            setattr(self, name, getattr(original, name))

    @property
    def full_config(self) -> Any:
        """What stands in the files."""
        return self._original.full_config

    def instance_variables(self) -> dict[str, Any]:
        """What code has set."""
        return self._original.instance_variables()

    def get_default_client_config(self) -> Any:
        """How clients are made by default."""
        return self._original.get_default_client_config()


class AsyncProvider(CredentialProvider):
    """A synchronous provider in a session of aiobotocore."""

    def __init__(self, provider: CredentialProvider, session: botocore.session.Session) -> None:
        """Take the provider, bound to a twin of the session, and the session."""
        super().__init__()
        self.METHOD, self.CANONICAL_NAME = provider.METHOD, provider.CANONICAL_NAME
        self.provider: Any = provider
        self._session = session
        #: What it gave last, and what that is for aiobotocore.
        self._given: tuple[Credentials, AioCredentials] | None = None

    @property
    def cache(self) -> Any:
        """Where a role's keys are kept; others may set it, as for botocore's own provider."""
        return self.provider.cache

    @cache.setter
    def cache(self, cache: Any) -> None:
        self.provider.cache = cache

    async def load(self) -> AioCredentials | None:
        """See the provider's own ``load``."""
        found: Credentials | None = await in_thread(self.provider.load)
        if found is None:
            return None
        if self._given is None or self._given[0] is not found:
            self._given = found, asynchronous(found)
        if isinstance(found, ProviderCredentials):
            resend_rejected(self._session, found)
        return self._given[1]


def alone(
    session: botocore.session.Session, region: str | None, only: CredentialProvider
) -> CredentialProvider:
    """Return the provider that is asked alone in a session; see ``insert_async``."""
    [provider] = bound([only], Twin(session), region)
    return _asynchronous(provider, session)


def insert_async(
    resolver: CredentialResolver,
    session: botocore.session.Session,
    region: str | None,
    front: Sequence[CredentialProvider],
) -> None:
    """Put ``front``, and what the profile may select, into a resolver (see ``resolver.insert``)."""
    twin = Twin(session)
    synchronous = {one.METHOD: one for one in create_credential_resolver(twin).providers}
    profiles = session.full_config["profiles"]
    profile = session.get_config_variable("profile") or "default"
    if "role_arn" not in profiles.get(profile, {}) or is_plain_role(profiles, profile):
        synchronous.pop("assume-role", None)  # nothing of ours has a part in that
    # Places for those of aiobotocore, among which ours find their own.
    places = [(synchronous.pop(one.METHOD, one), one) for one in resolver.providers]
    stand_in = CredentialResolver([place for place, _ in places])
    insert(stand_in, twin, region, front)
    theirs = {id(place): one for place, one in places}
    resolver.providers = [
        theirs.get(id(one)) or _asynchronous(one, session) for one in stand_in.providers
    ]


def _asynchronous(
    provider: CredentialProvider, session: botocore.session.Session
) -> CredentialProvider:
    return provider if iscoroutinefunction(provider.load) else AsyncProvider(provider, session)
