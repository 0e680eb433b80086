"""Where an error was raised: it tells what it means, whatever its class."""

import traceback
from collections.abc import Iterator
from http.client import HTTPException

from botocore.exceptions import HTTPClientError
from urllib3.exceptions import HTTPError

_OWN = ("botocore", "botocore_ext", "aiobotocore")


def is_of_a_parser(error: BaseException) -> bool:
    """Whether an answer came, and botocore's parsers raised this error over it."""
    modules = list(_modules(error))
    # Of JSON that is null the parser makes nothing, which the endpoint trips over.
    is_parsed = modules[-1].endswith("botocore.endpoint")
    return is_parsed or any(name.endswith("botocore.parsers") for name in modules)


def is_of_a_handler(error: BaseException) -> bool:
    """Whether an event handler of the caller's raised this error, or moto, which is one."""
    below = False
    for name in _modules(error):
        if below and name.partition(".")[0] not in _OWN:
            return True
        below = name.endswith("botocore.hooks")
    return False


def while_sending(error: Exception) -> Exception | None:
    """Return what other code, such as a blocked socket, raised while a request was sent.

    botocore wraps it; None for what the network or the HTTP library raised.
    """
    cause = error.kwargs.get("error") if isinstance(error, HTTPClientError) else None
    is_known = cause is None or isinstance(cause, (HTTPError, HTTPException, OSError, ValueError))
    return None if is_known else cause


def _modules(error: BaseException) -> Iterator[str]:
    """Give the name of each function's module that the error came through, outermost first."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        yield str(frame.f_globals.get("__name__"))
