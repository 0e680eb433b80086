"""Hooks with which clients and resources sign as the identity in force at the call."""

import copy
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache, partial, wraps
from inspect import isawaitable, iscoroutinefunction
from typing import Any

from ..aws.frozen_credentials import PER_REQUEST
from ..errors import ConfigurationError
from ..runtime.context import InForce, identity_in_force, run_with
from .identities import key_of, weak_reference

#: The methods of a client of boto3 that make requests in other threads.
_TRANSFERS = ("copy", "download_file", "download_fileobj", "upload_file", "upload_fileobj")


def register_hooks(session: Any) -> None:
    """Register the hooks with the events of a session; a second call has no effect."""
    events: Any = session.get_component("event_emitter")
    for event, handler in _HOOKS:
        # After those of boto3, which add the methods that make transfers.
        events.register_last(event, handler, unique_id=f"{_PREFIX}{event}")


def unregister_hooks(session: Any) -> None:
    """Remove the hooks that a session has copied from another one, which signs per request."""
    events: Any = session.get_component("event_emitter")
    for event, _ in _HOOKS:
        events.unregister(event, unique_id=f"{_PREFIX}{event}")


def as_now(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function``, to be called with the identity that is in force now.

    It may return an awaitable, which is awaited with that identity too.
    """
    found = identity_in_force.get() or InForce(None, None, None)

    def call(*args: Any, **kwargs: Any) -> Any:
        returned = run_with(identity_in_force, found, partial(function, *args, **kwargs))
        return _await_with(found, returned) if isawaitable(returned) else returned

    return call


async def _await_with(found: InForce, awaitable: Awaitable[Any]) -> Any:
    token = identity_in_force.set(found)
    try:
        return await awaitable
    finally:
        with suppress(ValueError):  # it is closed by the garbage collector, in another context
            identity_in_force.reset(token)


class PerRequestClient:
    """A mixin for the class of a client whose session signs per request."""

    def get_paginator(self, operation_name: str) -> Any:
        """Return a paginator whose pages are read as the identity in force at ``paginate()``."""
        parent: Any = super()
        paginator = parent.get_paginator(operation_name)
        pages = paginator.PAGE_ITERATOR_CLS
        paginator.PAGE_ITERATOR_CLS = lambda method, *args, **kwargs: pages(
            as_now(method), *args, **kwargs
        )
        return paginator

    def _get_credentials(self) -> Any:
        """Return the credentials, for a transfer by the AWS Common Runtime.

        Raises:
            ConfigurationError: They are not those of one identity.
        """
        parent: Any = super()
        found = parent._get_credentials()
        if getattr(found, "method", None) != PER_REQUEST:
            return found
        raise ConfigurationError(
            provider=PER_REQUEST,
            error_msg="the AWS Common Runtime signs all its transfers as one identity: use "
            "TransferConfig(preferred_transfer_client='classic'), or create the client with "
            "client(credentials=...)",
        )


class _ClientAsNow:
    """A client whose operations have the identity that was in force when this was created."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._as_now = as_now(lambda method, *args, **kwargs: method(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # copy and pickle ask for them before there is a client
            raise AttributeError(name)
        found = getattr(self._client, name)
        is_operation = name in self._client.meta.method_to_api_mapping
        return partial(self._as_now, found) if is_operation else found


def _change_client_class(
    class_attributes: dict[str, Any], base_classes: list[type], **_: object
) -> None:
    """Add ``PerRequestClient``; transfers keep their identity (``creating-client-class``)."""
    base_classes.insert(0, PerRequestClient)
    for name in _TRANSFERS:
        method = class_attributes.get(name)
        # Those of aioboto3 make requests in tasks, which copy the context.
        if method is not None and not iscoroutinefunction(method):
            class_attributes[name] = _transfer(method)


def _transfer(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def transfer(*args: Any, **kwargs: Any) -> Any:
        return method(*map(_pin, args), **{key: _pin(one) for key, one in kwargs.items()})

    return transfer


def _pin(argument: Any) -> Any:
    """Return a client with the identity in force now; other arguments of a transfer as they are."""
    return _ClientAsNow(argument) if isinstance(argument, PerRequestClient) else argument


@cache
def _per_request_resource() -> type:
    """Return a part of the class of a resource whose session signs per request."""
    from boto3.resources.base import ResourceMeta  # noqa: PLC0415 - resources exist in boto3 only

    class MetaByIdentity(ResourceMeta):
        """Keeps the attributes that a resource has loaded for each identity."""

        def __init__(self, meta: ResourceMeta) -> None:
            vars(self).update({name: one for name, one in vars(meta).items() if name != "data"})
            self._loaded: dict[object, Any] = {}
            self.data = meta.data  # pyright: ignore[reportIncompatibleVariableOverride]  # of boto3

        @property
        def data(self) -> Any:
            source = _source_in_force()
            reference, data = self._loaded.get(key_of(source), (lambda: None, None))
            return data if reference() == source else None

        @data.setter
        def data(self, data: Any) -> None:
            source, loaded = _source_in_force(), self._loaded
            key = key_of(source)
            loaded[key] = weak_reference(source, lambda _: loaded.pop(key, None)), data

        def copy(self) -> "MetaByIdentity":
            """Return a copy with the attributes of the identity in force."""
            return MetaByIdentity(self)

    class PerRequestResource:
        """A part of the class of a resource whose session signs per request."""

        meta: Any

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.meta = MetaByIdentity(self.meta)

    return PerRequestResource


class PerRequestTable:
    """A part of the class of a DynamoDB table whose session signs per request."""

    meta: Any

    def batch_writer(self, *args: Any, **kwargs: Any) -> Any:
        """Return a writer that sends the items, later, with the identity in force now."""
        table: Any = copy.copy(self)
        table.meta = self.meta.copy()
        table.meta.client = _ClientAsNow(self.meta.client)
        parent: Any = super(PerRequestTable, table)
        return parent.batch_writer(*args, **kwargs)


def _source_in_force() -> Any:
    found = identity_in_force.get()
    return getattr(found and found.identity, "source", None)


def _change_resource_class(base_classes: list[type], **_: object) -> None:
    """Let a resource keep what it loads for each identity (``creating-resource-class``)."""
    if any(hasattr(one, "batch_writer") for one in base_classes):
        base_classes.insert(0, PerRequestTable)
    base_classes.insert(0, _per_request_resource())


def _refuse_endpoint_discovery(model: Any, context: dict[str, Any], **_: object) -> None:
    """Refuse a call to a discovered endpoint (``before-parameter-build``).

    Raises:
        ConfigurationError: A client caches such endpoints for all identities.
    """
    if "discovery" not in context:
        return
    service = model.service_model.service_name
    raise ConfigurationError(
        provider=PER_REQUEST,
        error_msg=f"a client of {service} sends the requests of every identity to the endpoint "
        "that it discovers for the first one: create a client for each identity with "
        "client(credentials=...)",
    )


_PREFIX = "botocore-ext-identity-"
_HOOKS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("creating-client-class", _change_client_class),
    ("creating-resource-class", _change_resource_class),
    ("before-parameter-build", _refuse_endpoint_discovery),
)
