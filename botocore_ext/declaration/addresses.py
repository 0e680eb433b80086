"""Addresses of HTTP endpoints as the values of options (see ``values``)."""

from ..calls.endpoint import Endpoint
from . import values

#: Where a relative URI is asked: the ECS agent.
ECS_AGENT = "http://169.254.170.2"


def full_uri(value: object) -> str:
    """A URL that may be asked."""
    found = values.text(value)
    Endpoint.parse(found)
    return found


def relative_uri(value: object) -> str:
    """A path, and nothing that could name another host."""
    found = values.text(value)
    if not found.startswith("/"):
        msg = "does not begin with /"
        raise ValueError(msg)
    Endpoint.parse(ECS_AGENT + found)
    return found
