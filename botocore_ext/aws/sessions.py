"""Copies of a session, which does not change."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.session import Session

from ..profiles.inert import is_async

#: Components of a session that clients use, in addition to the settings.
_COMPONENTS = ("event_emitter", "response_parser_factory", "user_agent_creator")


#: Packages whose classes of sessions create clients as botocore does.
_OWN = ("aiobotocore", "botocore", "botocore_ext")


def creates_its_own_clients(session: Session) -> bool:
    """Return whether the session, or a class of the caller, has its own ``create_client``."""
    classes = [one for one in type(session).__mro__ if one.__module__.split(".")[0] not in _OWN]
    return any("create_client" in vars(one) for one in (session, *classes))


def session_like(
    original: Session, *, loader: Any = None, reread: Mapping[str, Any] | None = None
) -> Session:
    """Return a synchronous session with the settings and event handlers of another one.

    Args:
        original: The other session. Event handlers of an aiobotocore session are not copied,
            because they would have to be awaited.
        loader: The loader of service models; by default that of ``original``.
        reread: Config variables that differ. The session then reads the files itself when it needs
            them, with a loader of its own. None: it has the settings of ``original``, also when
            they change.
    """
    has_own_handlers = is_async(original)
    if reread is None:
        session: Session = SameSettings(original, include_builtin_handlers=has_own_handlers)
        session.register_component("config_store", original.get_component("config_store"))
        found = loader or original.get_component("data_loader")
        session.register_component("data_loader", found)
    else:
        session = Session(include_builtin_handlers=has_own_handlers)
        for name, value in {**original.instance_variables(), **reread}.items():
            session.set_config_variable(name, value)
        config: Any = original.get_default_client_config()
        session.set_default_client_config(config)
    # Not passed to the constructor: third-party initializers would register handlers again.
    _share(session, original, () if has_own_handlers else _COMPONENTS)
    return session


def session_of_same_kind(original: Session, kind: "type[SameSettings]") -> Session:
    """Return a session with the settings and event handlers of another one.

    Handlers that are registered with the original later are not added to it, nor the other way
    round.
    """
    session: Session = kind(original, include_builtin_handlers=False)
    _share(session, original, ("config_store", "data_loader", *_COMPONENTS))
    events: Any = copy.copy(original.get_component("event_emitter"))
    session.register_component("event_emitter", events)
    return session


def _share(session: Session, original: Session, components: Sequence[str]) -> None:
    for name in components:
        session.register_component(name, original.get_component(name))
    for name in ("user_agent_name", "user_agent_version", "user_agent_extra"):
        setattr(session, name, getattr(original, name))


class SameSettings(Session):
    """A session with the settings of another one, also when they change."""

    def __init__(self, original: Session, *, include_builtin_handlers: bool) -> None:
        self._original = original
        super().__init__(include_builtin_handlers=include_builtin_handlers)

    @property
    def full_config(self) -> Any:
        """All profiles of the files."""
        return self._original.full_config

    def get_scoped_config(self) -> Any:
        """Return the settings of the profile."""
        return self._original.get_scoped_config()

    def get_config_variable(self, logical_name: str, methods: Any = None) -> Any:
        """Return a setting, wherever it is set."""
        return self._original.get_config_variable(logical_name, methods)

    def instance_variables(self) -> dict[str, Any]:
        """Return the config variables that were set in code."""
        return self._original.instance_variables()

    def get_default_client_config(self) -> Any:
        """Return the default configuration of clients."""
        return self._original.get_default_client_config()

    def _get_internal_component(self, name: str) -> Any:
        """Return a component that all clients of a session share.

        The classes of modeled errors are those of the other session, so that ``except
        client.exceptions.X`` works with any of its clients. So are the endpoints if it has created
        a client and so has read them, because reading them takes long.
        """
        has_clients = getattr(self._original, "_last_client_region_used", None) is not None
        is_same = name == "exceptions_factory" or (name == "endpoint_resolver" and has_clients)
        owner: Any = self._original if is_same else super()
        return owner._get_internal_component(name)  # noqa: SLF001 - listed in test_architecture.py

    def _register_config_store(self) -> None:
        """Register a copy until the store is shared: a third-party initializer may change it."""
        store: Any = self._original.get_component("config_store")
        self.register_component("config_store", copy.copy(store))
