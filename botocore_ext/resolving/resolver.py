"""Our providers in botocore's credential resolver."""

from collections.abc import Sequence
from functools import partial

import botocore.session
from botocore.credentials import CredentialProvider, CredentialResolver
from botocore.utils import resolve_imds_endpoint_mode

from ..provider import Provider
from ..scope import Scope
from ..sources.settings import made_by_botocore
from .index import ENTRIES
from .plain_roles import replace_roles
from .profiles import ProfileScope
from .roles import RoleProvider, outer_region
from .selection import providers_of


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
    if ENTRIES[0].method in [one.METHOD for one in resolver.providers]:
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
