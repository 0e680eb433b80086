"""Clients, and how to make them, as the values of options (see ``values``)."""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType
from typing import Any

from botocore.config import Config
from botocore.session import Session

from ..options import near


def client_config(value: object) -> Mapping[str, Any]:
    """Keyword arguments of ``create_client``."""
    if not isinstance(value, Mapping):
        msg = f"must be a mapping of create_client() arguments, not {type(value).__name__}"
        raise ValueError(msg)
    known = _arguments()
    for name in value:
        if name not in known:
            similar = near(str(name), known)
            remedy = f"did you mean {similar!r}?" if similar else "see whether Config() takes it"
            msg = f"has {name!r}, which is not an argument of create_client(): {remedy}"
            raise ValueError(msg)
    for name, kind in {"config": Config, "region_name": str, "endpoint_url": str}.items():
        if not isinstance(value.get(name), (kind, NoneType)):
            msg = f"has a value for {name} that is not a {kind.__name__}"
            raise ValueError(msg)
    return value


@cache
def _arguments() -> list[str]:
    """Return the names of what ``create_client`` takes, but for the service."""
    return list(inspect.signature(Session.create_client).parameters)[2:]


def client_with(operation: str) -> Callable[[object], Any]:
    """Return what takes a ready-made client that has ``operation``, whoever made it."""

    def client(value: object) -> Any:
        """A client of the right service."""
        if hasattr(value, operation):
            return value
        msg = f"must be a client that has {operation}(), not {type(value).__name__}"
        raise ValueError(msg)

    return client
