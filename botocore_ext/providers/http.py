"""Credentials from an HTTP endpoint: ECS and EKS agents, or one that answers like them.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

import json
from functools import partial
from http import HTTPStatus
from typing import ClassVar

from ..aws.endpoint import Endpoint, EndpointError
from ..aws.frozen_credentials import FieldError, FrozenCredentials
from ..aws.http import Timeouts, refusal, request, retry
from ..errors import FetchError
from ..options import references, types
from ..options.option import option
from ..options.scope import Scope
from ..options.sources import TokenFile
from ..options.types import ECS_AGENT
from ..runtime.deadline import FETCH_BUDGET
from .base import Provider, max_retries_option, timeout_option

#: One attempt may take this many times the timeout.
WHOLE_ATTEMPT = 5


class HttpProvider(Provider):
    """Credentials from an HTTPS endpoint, or an HTTP one on this machine."""

    METHOD = "custom-http"
    CANONICAL_NAME = "CustomHttp"
    FACTORY = "from_http"
    FEATURE_IDS: ClassVar[tuple[str, ...]] = ("CREDENTIALS_HTTP",)

    aws_container_credentials_full_uri: str | None = option(
        ini="container_credentials_full_uri",
        env="AWS_CONTAINER_CREDENTIALS_FULL_URI",
        example="https://credentials.example.com/v1",
        selects=True,
        same_origin=True,
        secret=True,
        parse=types.full_uri,
        help="The endpoint: https to any host, http to loopback and the ECS and EKS agents.",
    )
    aws_container_credentials_relative_uri: str | None = option(
        ini="container_credentials_relative_uri",
        env="AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        example="/v2/credentials/1234",
        selects=True,
        same_origin=True,
        secret=True,
        parse=types.relative_uri,
        help="A path at the ECS agent (169.254.170.2). Takes precedence over the full URI.",
    )
    aws_container_authorization_token: references.Token | None = option(
        ini="container_authorization_token",
        env="AWS_CONTAINER_AUTHORIZATION_TOKEN",
        example="Bearer TOKEN",
        same_origin=True,
        secret=True,
        token=True,
        parse=references.header_or_source,
        read=references.reference,
        help="Sent as the `Authorization` header, or a callable that returns it.",
    )
    aws_container_authorization_token_file: str | None = option(
        ini="container_authorization_token_file",
        env="AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        example="/var/run/token",
        same_origin=True,
        parse=types.path,
        help="A file with the value of that header, read on every attempt. Takes precedence over "
        "the token.",
    )
    timeout: float = timeout_option(ini="container_credentials_timeout")
    max_retries: int = max_retries_option(default=3, ini="container_credentials_max_retries")

    def fetch(self) -> FrozenCredentials:
        """Request credentials; retry what may be temporary, within the budget of one fetch."""
        self.check()  # a token must never be sent to an address from another origin
        endpoint = self._endpoint()
        whole = min(WHOLE_ATTEMPT * self.timeout, FETCH_BUDGET)
        timeouts = Timeouts(self.timeout, self.timeout, whole)
        clock, retries = self.scope.clock, self.max_retries
        try:
            attempt = partial(self._attempt, endpoint, timeouts)
            return retry(attempt, endpoint.authority, timeouts, retries, clock, FETCH_BUDGET)
        except EndpointError as error:
            kind = "full" if self.aws_container_credentials_relative_uri is None else "relative"
            where = self._set_in(f"aws_container_credentials_{kind}_uri")
            fact = f"{where}: {endpoint.authority} {error}"
        raise FetchError(provider=self.METHOD, error_msg=fact)

    def _endpoint(self) -> Endpoint:
        relative = self.aws_container_credentials_relative_uri
        if relative is not None:
            return Endpoint.parse(ECS_AGENT + relative)
        if self.aws_container_credentials_full_uri is None:
            raise self._missing(*self.options()[:2])
        return Endpoint.parse(self.aws_container_credentials_full_uri)

    def _attempt(self, endpoint: Endpoint, timeouts: Timeouts) -> FrozenCredentials:
        status, body = request(endpoint, self._authorization(), timeouts, self.scope.session)
        if status != HTTPStatus.OK:
            raise refusal(status, "check the address and the token")
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            raise EndpointError("answered something that is not JSON: check the address") from None
        try:
            return FrozenCredentials.from_mapping(answer)
        except FieldError as error:
            msg = f"answered without usable credentials ({error}): check what it serves"
        raise EndpointError(msg, retry=False)

    def _authorization(self) -> dict[str, str]:
        name = "aws_container_authorization_token"
        token: references.Token | None = self.aws_container_authorization_token
        path = self.aws_container_authorization_token_file
        if path is not None:
            name, token = "aws_container_authorization_token_file", TokenFile(path)
        if token is None:
            return {}
        setting = self._key_of(name)
        text = self.read_token(token, setting)
        try:
            return {"Authorization": types.header(text)}
        except ValueError as error:
            fact = f"the token of {setting} {error}"
        raise FetchError(provider=self.METHOD, error_msg=fact)


from_http = HttpProvider


class _ContainerEndpoint(HttpProvider):
    """``from_http`` for the endpoint in the environment, with the container's name in errors."""

    METHOD = "container-role"
    FACTORY = "from_container_metadata"
    FEATURE_IDS: ClassVar[tuple[str, ...]] = ()


class ContainerProvider(Provider):
    """Credentials of the container's role, from the endpoint in `AWS_CONTAINER_...` variables."""

    METHOD = "container-role"
    CANONICAL_NAME = "EcsContainer"
    FACTORY = "from_container_metadata"
    FEATURE_IDS = ("CREDENTIALS_HTTP",)

    timeout: float = timeout_option()
    max_retries: int = max_retries_option()

    def is_selected(self) -> bool:
        """Whether an endpoint is set in the environment."""
        return self._endpoint().is_selected()

    def _reason_not_selected(self) -> str:
        """See ``Specification._reason_not_selected``."""
        return (
            "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI "
            "is set"
        )

    def check(self) -> None:
        """See ``Provider.check``; the variables are checked, too."""
        super().check()
        self._endpoint().check()

    def fetch(self) -> FrozenCredentials:
        """Request credentials as ``from_http`` does."""
        if not self.is_selected():
            raise self._not_configured()
        return self._endpoint().fetch()

    def _endpoint(self) -> HttpProvider:
        scope = self.scope
        environment = Scope(scope.given_session, environ=scope.environ, clock=scope.clock)
        provider = _ContainerEndpoint(timeout=self.timeout, max_retries=self.max_retries)
        return provider.bind(environment)


from_container_metadata = ContainerProvider
