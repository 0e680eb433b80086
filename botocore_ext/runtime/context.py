"""Run a piece of work in a copied context: recursion guard, redaction of logs, listener."""

import contextvars
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..errors import Attempt

    _LoggerAdapter = logging.LoggerAdapter[logging.Logger]
else:
    _LoggerAdapter = logging.LoggerAdapter

T = TypeVar("T")
V = TypeVar("V")

_UNSET: Any = object()


def run_with(variable: "contextvars.ContextVar[V]", value: V, work: Callable[[], T]) -> T:
    """Run ``work`` with ``variable`` set to ``value``, and return its result.

    The work runs in a copy of the context, so an interrupt at any instruction leaves nothing set.
    Other variables that it sets (user code and instrumentation do) keep their new values, as after
    a direct call.
    """
    context = contextvars.copy_context()
    context.run(variable.set, value)
    try:
        return context.run(work)
    finally:
        for other, found in context.items():
            if other is not variable and other.get(_UNSET) is not found:
                other.set(found)


# The recursion guard: no search for credentials waits for itself.

#: The searches under way, the innermost last: the identity of each, and its name in errors.
_path: ContextVar[tuple[tuple[object, str], ...]] = ContextVar("botocore_ext_path", default=())
#: Most searches under way at once. A function that builds its session again is new each time.
_MAX_DEPTH = 20


def is_being_resolved(identity: object) -> bool:
    """Return whether a search for the credentials of ``identity`` is under way."""
    return identity in [one for one, _ in _path.get()]


def is_fetching() -> bool:
    """Return whether a search for credentials is under way here."""
    return bool(_path.get())


def provider_under_way(otherwise: str) -> str:
    """Return the name in errors of the provider that fetches here, or ``otherwise``."""
    path = _path.get()
    return path[-1][1] if path else otherwise


def guard_recursion(identity: object, name: str, work: Callable[[], T]) -> T:
    """Run ``work``, which looks for the credentials of ``identity``, and return its result.

    Raises:
        ConfigurationError: A search for them is under way. The error shows the circle.
        Exception: The error of ``work``.
    """
    path = (*_path.get(), (identity, name))
    if is_being_resolved(identity) or len(path) > _MAX_DEPTH:
        circle = " -> ".join(one for _, one in path)
        raise ConfigurationError(
            provider=name,
            error_msg=f"the search for credentials depends on itself ({circle}): remove one of "
            "these, or use a separate session or client in a callable",
        )
    return run_with(_path, path, work)


# Redaction: the answers of STS and Cognito are secrets, and plain botocore logs them at DEBUG.

#: The loggers to which botocore and urllib3 write tokens, credentials, whole answers and endpoints,
#: which may have a user and a password.
_LOGGERS = [logging.getLogger(name) for name in (
    "botocore.auth", "botocore.endpoint", "botocore.httpsession", "botocore.parsers",
    "botocore.regions", "botocore.tokens", "botocore.utils", "urllib3.connectionpool",
    "urllib3.util.retry",
)]  # fmt: skip

#: False while nothing is logged. Its ``get`` is the filter: it returns the record otherwise.
_may_log: ContextVar[bool] = ContextVar("botocore_ext_may_log")


def redact_logs(work: Callable[[], T], *packages: str) -> T:
    """Run ``work`` without a log of what it sends and receives, and return its result.

    Nothing is logged of ``packages`` meanwhile: third-party packages that are imported already, and
    the names of loggers that the work may create.
    """
    may_log: Any = _may_log.get
    known = list(logging.root.manager.loggerDict) if packages else ()
    theirs = [name for name in known if name.partition(".")[0] in packages]
    for logger in (*_LOGGERS, *map(logging.getLogger, [*packages, *theirs])):
        logger.addFilter(may_log)  # logging adds it only once
    return run_with(_may_log, value=False, work=work)


# The logger of a provider: its records go there while it is at work.

_provider_logger: ContextVar[logging.Logger | None] = ContextVar(
    "botocore_ext_logger", default=None
)


def log_to(logger: logging.Logger | None, work: Callable[[], T]) -> T:
    """Run ``work``, whose records go to ``logger``, and return its result; None: no change."""
    return work() if logger is None else run_with(_provider_logger, logger, work)


class RoutedLogger(_LoggerAdapter):
    """A logger of this package, or the ``logger`` of the provider that is at work."""

    def __init__(self, name: str) -> None:
        self._own = logging.getLogger(name)
        super().__init__(self._own, {})

    @property
    def logger(self) -> logging.Logger:
        """The logger for a record."""
        return _provider_logger.get() or self._own

    @logger.setter
    def logger(self, _: logging.Logger) -> None:  # pyright: ignore - it is looked up each time
        """Ignore what the constructor of the adapter sets."""


# The listener: ``explain`` is notified of what a fetch does.

#: A link of a chain, with the ``Attempt`` that was skipped, the error, or None for credentials; or
#: a method and a host, with the milliseconds that a call took.
Event: TypeAlias = "tuple[str, Attempt | Exception | None] | tuple[str, float]"

_listener: ContextVar[Callable[[Event], None] | None] = ContextVar(
    "botocore_ext_listener", default=None
)


def run_with_listener(listener: Callable[[Event], None], work: Callable[[], T]) -> T:
    """Run ``work``, call ``listener`` with each event in it, and return the result."""
    return run_with(_listener, listener, work)


def notify(event: Event) -> None:
    """Call the listener, if there is one."""
    listener = _listener.get()
    if listener is not None:
        listener(event)


# The identity in force, for clients that sign as another identity at each request.


class InForce(NamedTuple):
    """An identity in force, and what is in force again after it."""

    #: See ``refresh.identities.Identity``; None: that of no block, so a client's default.
    identity: Any
    #: The ``use_credentials`` object.
    owner: Any
    previous: "InForce | None"

    def __repr__(self) -> str:
        """Show the identity only."""
        return repr(self.identity)


#: Set by ``use_credentials``.
identity_in_force: ContextVar[InForce | None] = ContextVar("botocore_ext_identity", default=None)
