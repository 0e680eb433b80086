"""What is being looked for, so that nothing waits for itself or goes round for ever."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from ..errors import ConfigurationError
from .context import run_with

T = TypeVar("T")

#: From the outermost to the innermost: what tells a place from others, and how it is shown.
_path: ContextVar[tuple[tuple[object, str], ...]] = ContextVar("botocore_ext_path", default=())


def is_looked_for(place: object) -> bool:
    """Whether keys of ``place`` are looked for."""
    return place in [one for one, _ in _path.get()]


def run_guarded(place: object, text: str, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, which looks for the credentials of ``place``.

    Raises:
        ConfigurationError: They are looked for already. The error shows the circle.
        Exception: What ``work`` raised.
    """
    path = (*_path.get(), (place, text))
    if is_looked_for(place):
        way = " -> ".join(text for _, text in path)
        raise ConfigurationError(
            provider=text,
            error_msg=f"the search for credentials goes in a circle ({way}): leave one of these "
            "out, or give a function a session or client of its own",
        )
    return run_with(_path, path, work)
