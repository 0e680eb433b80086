"""The seam with botocore: how providers get into a session's credential resolver.

This is the only module that touches names of botocore that begin with an underscore: the
``_create_credential_resolver`` and ``_last_client_region_used`` of a session, each with a fallback.
What else the package needs of botocore is listed in ``tests/test_botocore_seams.py``.
"""

import sys
import warnings
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import botocore
import botocore.credentials
import botocore.session
from botocore.credentials import AssumeRoleProvider, CredentialProvider, CredentialResolver

from .resolving.bystanders import is_async, is_bystander, is_of_others, is_plain, is_plain_role
from .resolving.plain_roles import PlainRoleProvider, replace_roles
from .resolving.registration import COMPONENT, Registration, loaded_credentials, pending, register
from .resolving.session_resolver import SessionResolver

if TYPE_CHECKING:
    import boto3

    from .declaration.functions import Source

#: The providers of ``install``; None while it is not in force.
_installed: tuple[CredentialProvider, ...] | None = None


def install(*providers: "Source") -> None:
    """Give every session that is made from now on the providers of this package.

    A profile selects them by its ini keys; everything else resolves as without them. Calling it
    again replaces ``providers``.

    Args:
        providers: Providers or callables, asked in this order before everything else.

    Raises:
        TypeError: One of ``providers`` is neither.
    """
    global _installed  # noqa: PLW0603 - installing is global by nature
    given = _as_providers(providers)
    if _installed is None:
        botocore.register_initializer(_initialize)
    _installed = given
    boto3 = sys.modules.get("boto3")
    if getattr(boto3, "DEFAULT_SESSION", None) is not None:
        warnings.warn(
            "boto3 has a default session already, which install() does not change: call "
            "install() before the first boto3.client(), or "
            "botocore_ext.extend(boto3.DEFAULT_SESSION)",
            stacklevel=2,
        )


def uninstall() -> None:
    """Undo ``install``: sessions made from now on are plain; older ones stay as they are."""
    global _installed  # noqa: PLW0603 - see install
    if _installed is not None:
        botocore.unregister_initializer(_initialize)
        _installed = None


def extend(session: "boto3.Session | botocore.session.Session", *providers: "Source") -> None:
    """Give one session that exists already the providers of this package.

    Call it before the session's first client: a session that has resolved its credentials keeps
    them, and a warning says so. Called again, it adds ``providers`` before those of the calls
    before. What others have inserted into the session's resolver stays.

    Args:
        session: A session of boto3 or botocore, aioboto3 or aiobotocore.
        providers: As for ``install``.

    Raises:
        TypeError: It is no such session, it takes its keys from one provider alone (see
            ``Session``), or one of ``providers`` is not a provider.
    """
    given = _as_providers(providers)
    inner = botocore_session(session)
    waiting = pending(inner)
    resolver: Any = None if waiting else inner.get_component(COMPONENT)
    if getattr(waiting or resolver, "only", None) is not None:
        msg = "this session takes its credentials from one provider alone: build another session"
        raise TypeError(msg)
    _warn_of_credentials(inner)
    if waiting is not None:
        _register(inner, (*given, *waiting.front))
    elif is_as_made(resolver, inner):
        _register(inner, (*given, *(_installed or ())))
    else:
        _put_into(resolver, inner, first_region(inner), given)


def take_from(session: botocore.session.Session, source: "Source") -> None:
    """Give a session the keys of ``source`` and of nothing else (see ``Session``).

    Raises:
        TypeError: ``source`` is no provider, or the session has credentials already.
        ConfigurationError: A setting that botocore reads for every session is none.
    """
    (only,) = _as_providers([source])
    session = botocore_session(session)
    _check_settings(session, only)
    loaded = loaded_credentials(session)
    if loaded is not None:
        msg = f"the botocore session has credentials already (method {loaded.method!r})"
        raise TypeError(msg)
    _register(session, (), only)


def _as_providers(sources: Sequence["Source"]) -> tuple[CredentialProvider, ...]:
    if not sources:
        return ()
    from .declaration.functions import as_provider  # noqa: PLC0415 - install() alone loads no provider

    return tuple(as_provider(source) for source in sources)


def botocore_session(session: Any, caller: str = "extend") -> botocore.session.Session:
    """Return the botocore session of a boto3 session, or itself.

    Raises:
        TypeError: It is neither, or aiobotocore's; the text names ``caller``.
    """
    # boto3 has no public way from its session to botocore's.
    inner = getattr(session, "_session", session)
    if not isinstance(inner, botocore.session.Session) or is_of_others(inner):
        msg = f"{caller}() takes a boto3 or botocore session, not {type(session).__qualname__}"
        raise TypeError(msg)
    return inner


def _initialize(session: botocore.session.Session) -> None:
    """Register with a new session, lazily: boto3 sets the profile only after this."""
    if not is_of_others(session):
        _register(session, _installed or ())


def _register(
    session: botocore.session.Session,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None = None,
) -> None:
    make = partial(create_resolver, session, front, only)
    register(session, Registration(make, front, only))


def _warn_of_credentials(session: botocore.session.Session) -> None:
    loaded = loaded_credentials(session)
    if loaded is not None:
        warnings.warn(
            f"this session has credentials already (method {loaded.method!r}) and keeps them: "
            "call extend() before its first client, or build a "
            "botocore_ext.Session(credentials=...)",
            stacklevel=3,
        )


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


def plain_resolver(session: botocore.session.Session) -> CredentialResolver:
    """Return a resolver as the session makes one without us."""
    fallback = partial(botocore.credentials.create_credential_resolver, session)
    resolver: CredentialResolver = getattr(session, "_create_credential_resolver", fallback)()
    return resolver


def create_resolver(
    session: botocore.session.Session,
    front: Sequence[CredentialProvider],
    only: CredentialProvider | None,
    region: str | None = None,
) -> CredentialResolver:
    """Build botocore's own resolver and put our providers into it, if they can have a part.

    Args:
        session: Whose it is.
        front: What code puts first.
        only: What code lets be asked alone.
        region: That of the first client of the session that this one stands for, if there is one.
    """
    if only is not None:
        _check_settings(session, only)  # again: the profile may be another one by now
    resolver = plain_resolver(session)
    region = region or first_region(session)
    if not hasattr(resolver, "providers"):
        return resolver  # a session class has a resolver of another kind
    if is_async(session):
        return _create_async_resolver(resolver, session, region, front, only)
    if only is not None:
        from .resolving.resolver import bound  # noqa: PLC0415 - not before it is needed

        return SessionResolver(resolver.providers, *bound([only], session, region))
    profiles, profile = session.full_config["profiles"], _profile(session)
    if not front and is_plain_role(profiles, profile):
        _rebuild_roles(resolver, session, region)
    elif front or not is_bystander(profiles, profile):
        _put_into(resolver, session, region, front)
    if type(resolver) is not CredentialResolver:
        return resolver  # a session class with a resolver of its own keeps it
    return SessionResolver(resolver.providers)


def _check_settings(session: botocore.session.Session, only: CredentialProvider) -> None:
    from .resolving.resolver import check_settings  # noqa: PLC0415 - not before it is needed

    check_settings(session, only.METHOD)


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
    from .aio.resolver import resolver_of  # noqa: PLC0415 - as above

    return resolver_of(resolver, session, region, front, only)


def _put_into(
    resolver: CredentialResolver,
    session: botocore.session.Session,
    region: str | None,
    front: Sequence[CredentialProvider],
) -> None:
    if is_async(session):
        from .aio.providers import insert_async as insert  # noqa: PLC0415 - as above
    else:
        from .resolving.resolver import insert  # noqa: PLC0415 - as above

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


def first_region(session: botocore.session.Session) -> str | None:
    """Return the region of the session's first client; None if there is none yet."""
    region: str | None = getattr(session, "_last_client_region_used", None)
    return region
