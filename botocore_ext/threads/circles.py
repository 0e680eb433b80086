"""What is being looked for, so that nothing waits for itself or goes round for ever."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..errors import ConfigurationError

#: From the outermost to the innermost: what tells a place from others, and how it is shown.
_path: ContextVar[tuple[tuple[object, str], ...]] = ContextVar("botocore_ext_path", default=())


def is_looked_for(place: object) -> bool:
    """Whether keys of ``place`` are looked for."""
    return place in [one for one, _ in _path.get()]


@contextmanager
def looking_for(place: object, text: str) -> Iterator[None]:
    """Remember that keys of ``place`` are looked for.

    Raises:
        ConfigurationError: They are looked for already. The error shows the way round.
    """
    path = (*_path.get(), (place, text))
    if is_looked_for(place):
        way = " -> ".join(text for _, text in path)
        raise ConfigurationError(
            provider=text,
            error_msg=f"the search for credentials goes in a circle ({way}): leave one of these "
            "out, or give a function a session or client of its own",
        )
    token = _path.set(path)
    try:
        yield
    finally:
        _path.reset(token)
