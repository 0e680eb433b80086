"""How inner clients are called: within the budget of a fetch, and out of every log."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.parsers import ResponseParserError

from ..errors import FetchError
from .budget import within_budget
from .unlogged import run_unlogged

if TYPE_CHECKING:
    from botocore.client import BaseClient

#: What botocore's parsers raise, and what they trip over: a time that is none, a list in the place
#: of an object, more brackets than Python reads.
UNREADABLE = (
    ResponseParserError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


def call(client: "BaseClient", operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Call ``operation`` and return its answer.

    Raises:
        botocore.exceptions.ClientError: As the service answered, unchanged.
        FetchError: The answer cannot be read; botocore's own error would show all of it.
    """
    host = client.meta.endpoint_url.split("/")[2]
    ask: Callable[[], dict[str, Any]] = partial(getattr(client, operation), **parameters)
    try:
        return run_unlogged(partial(within_budget, host, ask))
    except UNREADABLE:
        pass
    raise FetchError(
        provider=client.meta.service_model.service_name,
        error_msg=f"the answer of {client.meta.endpoint_url} cannot be read: "
        "check that nothing between here and AWS changes it",
    )
