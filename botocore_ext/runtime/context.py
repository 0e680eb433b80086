"""What surrounds a piece of work: one variable, set for the work alone."""

import contextvars
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..errors import Attempt

T = TypeVar("T")
V = TypeVar("V")

_UNSET: Any = object()


def run_with(variable: "contextvars.ContextVar[V]", value: V, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, which finds ``value`` in ``variable``.

    The work runs in a copy of the context, so that an interrupt at any instruction leaves nothing
    set. What it sets in other variables (user code and instrumentation do) is kept, as if it had
    been called directly.

    Raises:
        Exception: What ``work`` raised.
    """
    context = contextvars.copy_context()
    context.run(variable.set, value)
    try:
        return context.run(work)
    finally:
        for other, found in context.items():
            if other is not variable and other.get(_UNSET) is not found:
                other.set(found)


# What is being looked for, so that nothing waits for itself or goes round for ever.

#: From the outermost to the innermost: what tells a place from others, and how it is shown.
_path: ContextVar[tuple[tuple[object, str], ...]] = ContextVar("botocore_ext_path", default=())
#: How many there may be. A function that builds itself again is another one each time.
_DEEPEST = 20


def is_being_resolved(place: object) -> bool:
    """Whether keys of ``place`` are looked for."""
    return place in [one for one, _ in _path.get()]


def guard_recursion(place: object, text: str, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, which looks for the credentials of ``place``.

    Raises:
        ConfigurationError: They are looked for already. The error shows the circle.
        Exception: What ``work`` raised.
    """
    path = (*_path.get(), (place, text))
    if is_being_resolved(place) or len(path) > _DEEPEST:
        way = " -> ".join(text for _, text in path)
        raise ConfigurationError(
            provider=text,
            error_msg=f"the search for credentials goes in a circle ({way}): leave one of these "
            "out, or give a function a session or client of its own",
        )
    return run_with(_path, path, work)


# What is sent and answered for keys, kept out of every log.
#
# The answers of STS and Cognito are secrets; plain botocore writes them to its log at DEBUG.

#: Where botocore and urllib3 write tokens, keys and whole answers, most of it at DEBUG.
_LOGGERS = [
    logging.getLogger(name)
    for name in (
        "botocore.auth",
        "botocore.endpoint",
        "botocore.httpsession",
        "botocore.parsers",
        "botocore.regions",  # an endpoint, which may have a user and a password
        "botocore.tokens",
        "botocore.utils",
        "urllib3.connectionpool",
        "urllib3.util.retry",
    )
]

_inside: ContextVar[bool] = ContextVar("botocore_ext_inner_call", default=False)


def _is_outside(_: logging.LogRecord) -> bool:
    return not _inside.get()


def redact_logs(work: Callable[[], T]) -> T:
    """Return what ``work`` returns; what it sends and receives stays out of every log."""
    for logger in _LOGGERS:
        logger.addFilter(_is_outside)  # once: logging sees to that
    return run_with(_inside, value=True, work=work)


# Who is told what a fetch does while it is under way: ``explain``, and mostly nobody.

#: A link of a chain with why it was stepped over, or what it failed with, or None for keys; or a
#: host with the milliseconds that it was asked for.
Event: TypeAlias = "tuple[str, Attempt | Exception | None] | tuple[str, float]"

_listener: ContextVar[Callable[[Event], None] | None] = ContextVar(
    "botocore_ext_listener", default=None
)


def run_with_listener(listener: Callable[[Event], None], work: Callable[[], T]) -> T:
    """Return what ``work`` returns, and tell ``listener`` what happens in it."""
    return run_with(_listener, listener, work)


def tell(event: Event) -> None:
    """Tell whoever listens."""
    listener = _listener.get()
    if listener is not None:
        listener(event)
