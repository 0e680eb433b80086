"""What is sent and answered for keys, kept out of every log.

The answers of STS and Cognito are secrets; plain botocore writes them to its log at DEBUG.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from ..threads.context import run_with

T = TypeVar("T")

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


def run_unlogged(work: Callable[[], T]) -> T:
    """Return what ``work`` returns; what it sends and receives stays out of every log."""
    for logger in _LOGGERS:
        logger.addFilter(_is_outside)  # once: logging sees to that
    return run_with(_inside, value=True, work=work)
