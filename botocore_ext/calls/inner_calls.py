"""How inner clients are called: within the budget of a fetch, and out of every log."""

from collections.abc import Callable, Mapping
from functools import partial
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from botocore.exceptions import HTTPClientError
from urllib3.exceptions import HTTPError

from ..errors import FetchError, without_users
from .budget import within_budget
from .raised import is_of_a_parser
from .unlogged import run_unlogged

if TYPE_CHECKING:
    from botocore.client import BaseClient

#: What urllib3 and http.client raise, of which the text may show a header or an answer.
_SHOW_VALUES = (HTTPError, HTTPException, ValueError)


def call(client: "BaseClient", operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Call ``operation`` and return its answer.

    Raises:
        botocore.exceptions.ClientError: As the service answered, unchanged.
        FetchError: The answer cannot be read, or the request cannot be sent; botocore's own error
            would show all of it.
        Exception: What an event handler of the caller's raised, unchanged.
    """
    url = without_users(client.meta.endpoint_url)
    ask: Callable[[], Any] = partial(getattr(client, operation), **parameters)
    try:
        answer = run_unlogged(partial(within_budget, url.split("/")[2], ask))
    except HTTPClientError as error:
        cause = error.kwargs.get("error")
        if type(error) is not HTTPClientError or not isinstance(cause, _SHOW_VALUES):
            raise
        fact = f"the request to {url} cannot be sent ({type(cause).__name__}): "
        remedy = "check the options and the network"
    except Exception as error:
        if not is_of_a_parser(error):
            raise
        fact = f"the answer of {url} cannot be read: "
        remedy = "check that nothing between here and AWS changes it"
    else:
        if isinstance(answer, Mapping):
            return answer
        fact = f"the answer of {url} is {type(answer).__name__}, not an object: "
        remedy = "check the client"
    raise FetchError(provider=client.meta.service_model.service_name, error_msg=f"{fact}{remedy}")
