"""What is sent and answered for keys, kept out of every log.

The answers of STS and Cognito are secrets; plain botocore writes them to its log at DEBUG.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Where botocore and urllib3 write tokens, keys and whole answers, most of it at DEBUG.
_LOGGERS = [
    logging.getLogger(name)
    for name in (
        "botocore.auth",
        "botocore.endpoint",
        "botocore.httpsession",
        "botocore.parsers",
        "botocore.tokens",
        "botocore.utils",
        "urllib3.connectionpool",
        "urllib3.util.retry",
    )
]

_inside: ContextVar[bool] = ContextVar("botocore_ext_inner_call", default=False)


def _is_outside(_: logging.LogRecord) -> bool:
    return not _inside.get()


@contextmanager
def unlogged() -> Iterator[None]:
    """Keep what is sent and answered inside, in this thread, out of every log."""
    for logger in _LOGGERS:
        logger.addFilter(_is_outside)  # once: logging sees to that
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)
