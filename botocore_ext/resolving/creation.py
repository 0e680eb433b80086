"""The resolver of a session: botocore's own, with our providers in it if they can have a part.

Our providers, and what is for aiobotocore, are imported within functions: most sessions need
neither.

This module touches the ``_create_credential_resolver`` and ``_last_client_region_used`` of a
session, each with a fallback. Besides, only ``registration``, ``keys``, ``hook`` and
``aio.credentials`` touch names of botocore and boto3 that begin with an underscore. What else the
package needs of botocore is listed in ``tests/test_botocore_seams.py``.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import botocore.credentials
import botocore.session
from botocore.credentials import AssumeRoleProvider, CredentialProvider, CredentialResolver

from .bystanders import is_async, is_bystander, is_plain, is_plain_role
from .plain_roles import PlainRoleProvider, replace_roles
from .registration import Theirs
from .session_resolver import SessionResolver


def create_resolver(
    session: botocore.session.Session,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None,
    region: str | None = None,
    theirs: Theirs | None = None,
) -> CredentialResolver:
    """Build botocore's own resolver and put our providers into it, if they can have a part.

    Args:
        session: Whose it is.
        front: What code puts first.
        only: What code lets be asked alone.
        region: That of the first client of the session that this one stands for, if there is one.
        theirs: Makes a resolver that another library registered: it stays what it is.
    """
    region = region or first_region(session)
    if only is not None:
        check_alone(session, only)  # again: the profile may be another one by now
    elif theirs is not None:
        return _with_ours(theirs(), session, region, front)
    resolver = plain_resolver(session)
    if only is None and not hasattr(resolver, "providers"):
        return resolver  # a session class has a resolver of another kind
    if is_async(session):
        return _create_async_resolver(resolver, session, region, front, only)
    if only is not None:
        from .resolver import bound

        return SessionResolver(providers_of(resolver), *bound([only], session, region))
    profiles, profile = session.full_config["profiles"], _profile(session)
    if not front and is_plain_role(profiles, profile):
        _rebuild_roles(resolver, session, region)
    elif front or not is_bystander(profiles, profile):
        put_into(resolver, session, region, front)
    if type(resolver) is not CredentialResolver:
        return resolver  # a session class with a resolver of its own keeps it
    return SessionResolver(resolver.providers)


def _with_ours(
    resolver: Any, session: botocore.session.Session, region: str | None, front: Sequence[Any]
) -> CredentialResolver:
    """Put our providers into the resolver of another library, if they can have a part."""
    is_ours = front or not is_plain(session.full_config["profiles"], _profile(session))
    if is_ours and hasattr(resolver, "providers"):
        put_into(resolver, session, region, front)
    theirs: CredentialResolver = resolver
    return theirs


def providers_of(resolver: Any) -> list[CredentialProvider]:
    """Return the providers of a resolver; none if it is of another kind than botocore's."""
    return list(getattr(resolver, "providers", ()))


def plain_resolver(session: botocore.session.Session) -> CredentialResolver:
    """Return a resolver as the session makes one without us."""
    fallback = partial(botocore.credentials.create_credential_resolver, session)
    resolver: CredentialResolver = getattr(session, "_create_credential_resolver", fallback)()
    return resolver


def _create_async_resolver(
    resolver: CredentialResolver,
    session: botocore.session.Session,
    region: str | None,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None,
) -> CredentialResolver:
    """Put our providers into aiobotocore's own resolver, if they can have a part."""
    if not (front or only) and is_plain(session.full_config["profiles"], _profile(session)):
        return resolver
    from ..aio.resolver import resolver_of

    return resolver_of(resolver, session, region, front, only)


def put_into(
    resolver: CredentialResolver,
    session: botocore.session.Session,
    region: str | None,
    front: Sequence[CredentialProvider],
) -> None:
    """Put our providers into a resolver that is in use."""
    if is_async(session):
        from ..aio.providers import insert_async as insert
    else:
        from .resolver import insert

    insert(resolver, session, region, front)


def _rebuild_roles(
    resolver: CredentialResolver, session: botocore.session.Session, region: str | None
) -> None:
    """Let a role of botocore's own be loaded more than once."""
    resolver.providers = replace_roles(
        PlainRoleProvider, resolver.providers, session, region, _profile(session)
    )


def _profile(session: botocore.session.Session) -> str:
    """Return the session's profile, as botocore's own resolver takes it."""
    return session.get_config_variable("profile") or "default"


def check_alone(session: botocore.session.Session, only: CredentialProvider) -> None:
    """See to it that ``only`` can be asked alone in the session.

    Raises:
        ConfigurationError: A setting that botocore reads for every session is none.
    """
    from .resolver import check_settings

    check_settings(session, only.METHOD)


def first_region(session: botocore.session.Session) -> str | None:
    """Return the region of the session's first client; None if there is none yet."""
    region: str | None = getattr(session, "_last_client_region_used", None)
    return region


def is_as_made(resolver: Any, session: botocore.session.Session) -> bool:
    """Whether nobody has changed botocore's resolver; then it can be made anew, and later.

    Later, because it then takes the region of the session's first client.
    """
    plain = plain_resolver(session)
    if type(resolver) is not (type(plain) if is_async(session) else CredentialResolver):
        return False
    made = [one.METHOD for one in plain.providers]
    caches = [one.cache for one in resolver.providers if isinstance(one, AssumeRoleProvider)]
    return made == [one.METHOD for one in resolver.providers] and not any(caches)
