"""A session like another one, which is left as it was."""

from collections.abc import Mapping
from typing import Any

from botocore.session import Session

from ..profiles.inert import is_async

#: What an inner client is made with, besides the settings.
_COMPONENTS = ("event_emitter", "response_parser_factory", "user_agent_creator")


def session_like(
    original: Session, *, loader: Any = None, reread: Mapping[str, Any] | None = None
) -> Session:
    """Return a synchronous session with the settings and event handlers of another one.

    Args:
        original: The other one. The handlers of one of aiobotocore stay there: they would have to
            be awaited.
        loader: Reads the models of services; None: the loader of ``original``.
        reread: Config variables that differ. The session then reads the files itself, once it needs
            them, with a loader of its own. None: it is configured as ``original`` is, now and
            later.
    """
    has_own_handlers = is_async(original)
    if reread is None:
        session: Session = _SameSettings(original, include_builtin_handlers=has_own_handlers)
        session.register_component("config_store", original.get_component("config_store"))
        found = loader or original.get_component("data_loader")
        session.register_component("data_loader", found)
    else:
        session = Session(include_builtin_handlers=has_own_handlers)
        for name, value in {**original.instance_variables(), **reread}.items():
            session.set_config_variable(name, value)
        config: Any = original.get_default_client_config()
        session.set_default_client_config(config)
    # Not given to the constructor: initializers of others would register their handlers again.
    for name in () if has_own_handlers else _COMPONENTS:
        session.register_component(name, original.get_component(name))
    for name in ("user_agent_name", "user_agent_version", "user_agent_extra"):
        setattr(session, name, getattr(original, name))
    return session


class _SameSettings(Session):
    """A session whose settings are those of another one, also once these change."""

    def __init__(self, original: Session, *, include_builtin_handlers: bool) -> None:
        """Take the other one."""
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
        """Return what code has set."""
        return self._original.instance_variables()

    def get_default_client_config(self) -> Any:
        """Return how clients are made by default."""
        return self._original.get_default_client_config()

    def _get_internal_component(self, name: str) -> Any:
        """Return what botocore keeps for all clients of a session.

        The classes of modeled errors are the same, so that ``except client.exceptions.X`` works
        with any client of the session. The endpoints are, if the session has made a client and so
        has read them: reading them takes longer than all else.
        """
        has_clients = getattr(self._original, "_last_client_region_used", None) is not None
        is_same = name == "exceptions_factory" or (name == "endpoint_resolver" and has_clients)
        owner: Any = self._original if is_same else super()
        return owner._get_internal_component(name)  # noqa: SLF001 - listed in test_architecture.py
