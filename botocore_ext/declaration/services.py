"""``ServiceProvider``: what a provider that calls an AWS service has in common with others."""

from collections.abc import Mapping
from typing import Any

from ..options import option
from ..provider import Provider
from . import clients


class ServiceProvider(Provider):
    """A provider that calls an AWS service."""

    client_config: Mapping[str, Any] | None = option(
        default=None,
        example="{'region_name': 'eu-west-1'}",
        code="{'region_name': 'eu-west-1'}",
        secret=True,
        parse=clients.client_config,
        help="Arguments of `create_client` for the inner client.",
    )
