"""Clients of one session that sign as different identities: ``client``, ``resource``."""

import copy
from collections.abc import Mapping, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar, cast

from botocore.client import ClientMeta
from botocore.session import Session

from ..aws.sessions import SameSettings, creates_its_own_clients, session_of_same_kind
from ..profiles.inert import is_async
from ..refresh.identity_hooks import unregister_hooks
from ..refresh.rejections import share_known
from .hook import botocore_session, use_only

if TYPE_CHECKING:
    import boto3

    from ..providers.function import Source

    S = TypeVar("S", bound="boto3.Session | Session")

#: The arguments of a client that give it credentials of its own.
_EXPLICIT = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_account_id")


def client(
    session: "boto3.Session | Session", *args: Any, credentials: "Source", **kwargs: Any
) -> Any:
    """Create a client of ``session`` that signs with ``credentials`` and nothing else.

    Args:
        session: A session of boto3, botocore, aioboto3 or aiobotocore; it does not change.
        args: As in the session's own ``client`` or ``create_client``.
        credentials: As in ``botocore_ext.Session``.
        kwargs: As in the session's own ``client`` or ``create_client``.

    Raises:
        TypeError: ``credentials`` is not a provider, there are explicit access keys too, or
            ``session`` is not such a session, has a ``create_client`` of its own, or returns a
            client that it has cached.
        NotConfigured: ``credentials`` has no credentials here.
    """
    refuse_access_keys(args, kwargs)
    found: Any = using(session, credentials, "client")
    if isinstance(found, Session):
        return found.create_client(*args, **kwargs)
    return _create(found, found.client, args, kwargs)


def resource(session: "boto3.Session", *args: Any, credentials: "Source", **kwargs: Any) -> Any:
    """Create a resource of ``session`` that signs with ``credentials`` and nothing else.

    Args:
        session: A session of boto3; it does not change.
        args: As in ``boto3.Session.resource``.
        credentials: As in ``botocore_ext.Session``.
        kwargs: As in ``boto3.Session.resource``.

    Raises:
        TypeError: See ``client``.
        NotConfigured: See ``client``.
    """
    refuse_access_keys(args, kwargs)
    if not hasattr(session, "resource"):
        raise TypeError(f"resource() takes a boto3 session, not {type(session).__qualname__}")
    found = using(session, credentials, "resource")
    return _create(found, found.resource, args, kwargs)


def _create(session: Any, create: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Return what ``create``, a method of a new boto3 session, returns.

    Raises:
        TypeError: A session class returned a cached one, which signs as another identity.
    """
    clients: list[object] = []
    events: Any = session._session.get_component("event_emitter")
    events.register("creating-client-class", lambda **_: clients.append(1))
    found = create(*args, **kwargs)
    # aioboto3 creates a client later, when it is entered.
    if clients or is_async(session._session):
        return found
    raise TypeError(
        f"{type(session).__qualname__} returned a client that it had created before, which signs "
        "as another identity: pass a session that does not cache clients"
    )


def using(session: "S", credentials: "Source", caller: str = "using") -> "S":
    """Return a session like ``session`` that uses ``credentials`` only.

    Models, settings and event handlers are those of ``session``. Handlers that are registered with
    one of the two later are not added to the other. Attributes that a session class of the caller
    adds are shared, but not clients and resources; a dict is copied without them.

    Raises:
        TypeError: ``credentials`` is not a provider, ``session`` is not a session, or its class has
            its own ``create_client``, which may choose another endpoint, for example.
    """
    inner = botocore_session(session, caller)
    if creates_its_own_clients(inner):
        raise TypeError(
            f"{caller}() would not call the create_client() of {type(inner).__qualname__}: create "
            "a session with the credentials, such as Session(credentials=..., botocore_session=...)"
        )
    new: Any = session_of_same_kind(inner, _kind(inner))
    share_known(inner, new)
    unregister_hooks(new)
    use_only(new, credentials, is_new=True)
    if inner is session:
        return cast("S", new)
    changed: Any = copy.copy(session)  # a new boto3.Session would register its handlers again
    own = {
        name: _without_clients(one) if isinstance(one, dict) else one
        for name, one in vars(session).items()
    }
    vars(changed).clear()
    vars(changed).update(_without_clients(own), _session=new)
    factory = type(changed.resource_factory)
    changed.resource_factory = factory(new.get_component("event_emitter"))
    return cast("S", changed)


def _without_clients(found: dict[Any, Any]) -> dict[Any, Any]:
    """Return a copy without clients and resources, which sign as another identity."""
    from boto3.resources.base import ResourceMeta  # noqa: PLC0415 - the session is one of boto3

    copied = copy.copy(found)
    for key, one in list(copied.items()):
        if isinstance(getattr(one, "meta", None), (ClientMeta, ResourceMeta)):
            del copied[key]
    return copied


def _kind(session: Session) -> type[SameSettings]:
    if not is_async(session):
        return SameSettings
    from ..aio.resolver import AioSameSettings  # noqa: PLC0415 - most sessions are not aiobotocore's

    return AioSameSettings


def refuse_access_keys(args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Refuse explicit access keys next to ``credentials``, in the arguments of a client.

    Raises:
        TypeError: One of the arguments is an access key.
    """
    # The parameters of boto3's client() and resource() have the same names and order.
    _, *names = signature(Session.create_client).parameters
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    if any(given.get(name) for name in _EXPLICIT):
        raise TypeError(
            "credentials= and explicit access keys exclude each other: pass one of them"
        )
