"""Keys from the metadata service of a container (ECS, EKS Pod Identity, Greengrass).

https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from typing import ClassVar

from ..declaration import times, values
from ..keys import Keys
from ..options import option
from ..provider import Provider
from ..scope import Scope
from .http import HttpProvider


class _Endpoint(HttpProvider):
    """The endpoint that the environment names, under the container's name in errors."""

    METHOD = "container-role"
    FACTORY = "from_container_metadata"
    FEATURE_IDS: ClassVar[tuple[str, ...]] = ()


class ContainerProvider(Provider):
    """The keys of the container's role, where the `AWS_CONTAINER_...` variables say."""

    METHOD = "container-role"
    CANONICAL_NAME = "EcsContainer"
    FACTORY = "from_container_metadata"
    FEATURE_IDS = ("CREDENTIALS_HTTP",)

    timeout: float = option(
        default=1.0,
        example="1",
        code="1",
        parse=times.timeout,
        help="Seconds to connect and to wait for data; a whole attempt takes at most five times "
        "as long.",
    )
    max_retries: int = option(
        default=0,
        example="3",
        code="3",
        parse=values.whole,
        help="Further attempts after a connection error, 429, 5xx or an answer that is no JSON.",
    )

    def is_selected(self) -> bool:
        """Whether the environment names an endpoint."""
        return self._endpoint().is_selected()

    def why_not(self) -> str:
        """See ``Specification.why_not``."""
        return (
            "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI "
            "is set"
        )

    def check(self) -> None:
        """See ``Provider.check``; the variables are options, too."""
        super().check()
        self._endpoint().check()

    def fetch(self) -> Keys:
        """Ask the endpoint, as ``from_http`` does."""
        if not self.is_selected():
            raise self.not_here()
        return self._endpoint().fetch()

    def _endpoint(self) -> HttpProvider:
        scope = self.scope
        outside = Scope(scope.given_session, environ=scope.environ, clock=scope.clock)
        return _Endpoint(timeout=self.timeout, max_retries=self.max_retries).bind(outside)


from_container_metadata = ContainerProvider
