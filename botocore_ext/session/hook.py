"""``install`` and ``extend``: add providers to the credential resolver of sessions.

The resolver itself is created in ``resolver``.
"""

import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import botocore
import botocore.credentials
import botocore.session
from botocore.credentials import CredentialProvider

from ..profiles.inert import is_of_others
from .resolver import (
    COMPONENT,
    first_region,
    is_unchanged,
    loaded_credentials,
    put_into,
    register,
    registered_factory,
    takes_providers,
    unused_registration,
)

if TYPE_CHECKING:
    import boto3

    from ..providers.function import Source

#: The providers of ``install``; None if it was not called. A reload of this module keeps them.
_installed: tuple[CredentialProvider, ...] | None = globals().get("_installed")


def install(*providers: "Source") -> None:
    """Add the providers of this package to every session that is created from now on.

    A profile selects them with its settings; all other profiles resolve as without them. Calling
    it again replaces ``providers``.

    Args:
        providers: Providers or callables, tried in this order before all others.

    Raises:
        TypeError: One of ``providers`` is neither.
    """
    global _installed  # noqa: PLW0603 - installing is global by nature
    given = _as_providers(providers)
    if _installed is None:
        _unregister()  # registered before this module was reloaded
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
    """Undo ``install`` for sessions created from now on; existing sessions stay as they are."""
    global _installed  # noqa: PLW0603 - installing is global by nature
    _unregister()
    _installed = None


def _unregister() -> None:
    with suppress(ValueError):  # nothing is registered
        while True:
            botocore.unregister_initializer(_initialize)


def extend(session: "boto3.Session | botocore.session.Session", *providers: "Source") -> None:
    """Add the providers of this package to an existing session.

    Call it before the session's first client: a session that has resolved its credentials keeps
    them, and a warning says so. Called again, it adds ``providers`` before those of earlier
    calls. Providers that other libraries have added to the resolver stay.

    Args:
        session: A session of boto3 or botocore, aioboto3 or aiobotocore.
        providers: As for ``install``.

    Raises:
        TypeError: It is not such a session, it uses one provider only (see ``Session``), or one
            of ``providers`` is not a provider.
        botocore.exceptions.BotoCoreError: Its profile is missing, or an AWS file cannot be read.
    """
    given = _as_providers(providers)
    inner = botocore_session(session)
    unused = unused_registration(inner)
    resolver: Any = None if unused else inner.get_component(COMPONENT)
    if getattr(unused or resolver, "only", None) is not None:
        raise TypeError(
            "this session takes its credentials from one provider only: create another session"
        )
    loaded = loaded_credentials(inner)
    if loaded is not None:
        warnings.warn(
            f"this session has credentials already (method {loaded.method!r}) and keeps them: "
            "call extend() before its first client, or build a "
            "botocore_ext.Session(credentials=...)",
            stacklevel=2,
        )
    if unused is not None:
        register(inner, (*given, *unused.front), theirs=unused.theirs)
    elif is_unchanged(resolver, inner):
        register(inner, (*given, *(_installed or ())))
    elif takes_providers(resolver):
        put_into(resolver, inner, first_region(inner), given)
    else:
        raise TypeError(
            f"the credential resolver of this session ({type(resolver).__qualname__}) takes no "
            "providers: create another session"
        )


def use_only(session: botocore.session.Session, source: "Source", *, is_new: bool = False) -> None:
    """Make a session use the credentials of ``source`` only (see ``Session``).

    A new session has no credentials, and its settings are checked later.

    Raises:
        TypeError: ``source`` is not a provider, or the session has credentials already.
        ConfigurationError: A setting that botocore reads for every session is malformed.
    """
    from ..aws.botocore_errors import check_settings  # noqa: PLC0415 - only sessions with one provider need it
    from ..providers.function import as_only_provider  # noqa: PLC0415 - it loads what providers need

    only = as_only_provider(source)
    session = botocore_session(session)
    if not is_new:
        check_settings(session, only.METHOD)
        loaded = loaded_credentials(session)
        if loaded is not None:
            raise TypeError(
                f"the botocore session has credentials already (method {loaded.method!r})"
            )
    register(session, (), only)
    session.register_component("token_provider", _NoTokens())


class _NoTokens:
    """The token provider of a session with one provider: it has no bearer tokens."""

    def load_token(self, **_: object) -> None:
        """Return None."""


def _as_providers(sources: Sequence["Source"]) -> tuple[CredentialProvider, ...]:
    if not sources:
        return ()
    from ..providers.function import as_provider  # noqa: PLC0415 - install() alone loads no provider

    return tuple(as_provider(source) for source in sources)


def botocore_session(session: Any, caller: str = "extend") -> botocore.session.Session:
    """Return the botocore session of a boto3 session, or itself.

    Raises:
        TypeError: It is neither, or asynchronous and not aiobotocore's; the text names ``caller``.
    """
    # boto3 has no public way from its session to botocore's.
    inner = getattr(session, "_session", session)
    if not isinstance(inner, botocore.session.Session) or is_of_others(inner):
        raise TypeError(
            f"{caller}() takes a boto3 or botocore session, not {type(session).__qualname__}"
        )
    return inner


class _Initializer:
    """Registers with a new session, lazily, because boto3 sets the profile later."""

    def __call__(self, session: botocore.session.Session) -> None:
        if not is_of_others(session):
            register(session, _installed or (), theirs=registered_factory(session))

    # botocore unregisters by equality, and a reloaded module has another class of this name.
    def __eq__(self, other: object) -> bool:
        mine, theirs = type(self), type(other)
        return (mine.__module__, mine.__qualname__) == (theirs.__module__, theirs.__qualname__)

    def __hash__(self) -> int:
        return hash(type(self).__qualname__)


_initialize = _Initializer()
