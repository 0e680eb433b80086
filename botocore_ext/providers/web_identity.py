"""Keys from STS AssumeRoleWithWebIdentity.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..calls.inner_calls import call
from ..declaration import values
from ..declaration.services import ServiceProvider
from ..errors import FetchError
from ..keys import FieldError, Keys
from ..options import option
from ..threads.awaiting import awaited


class WebIdentityProvider(ServiceProvider):
    """The role, and how a token, wherever it comes from, is exchanged for its keys."""

    FEATURE_IDS = ("CREDENTIALS_STS_ASSUME_ROLE_WEB_ID",)

    role_arn: str = option(
        default=None,
        ini="role_arn",
        env="AWS_ROLE_ARN",
        example="arn:aws:iam::123456789012:role/Web",
        required=True,
        parse=values.arn,
        help="The role to assume.",
    )
    role_session_name: str | None = option(
        default=None,
        ini="role_session_name",
        env="AWS_ROLE_SESSION_NAME",
        example="my-app",
        parse=values.text,
        help="The name of the role session; by default `botocore-ext-` and the time in seconds.",
    )
    provider_id: str | None = option(
        default=None,
        ini="web_identity_provider_id",
        example="graph.facebook.com",
        parse=values.text,
        help="The host of an OAuth 2.0 identity provider; not for OpenID Connect tokens.",
    )
    policy_arns: Sequence[str | Mapping[str, str]] | None = option(
        default=None,
        ini="web_identity_policy_arns",
        example="arn:aws:iam::aws:policy/ReadOnlyAccess",
        code="['arn:aws:iam::aws:policy/ReadOnlyAccess']",
        parse=values.arns,
        help="Managed policies that limit the session: strings or `{'arn': ...}` mappings, in a "
        "profile separated by commas.",
    )
    policy: str | Mapping[str, Any] | None = option(
        default=None,
        ini="web_identity_policy",
        example='{"Version": "2012-10-17", "Statement": []}',
        parse=values.json_document,
        help="An inline policy that limits the session: JSON text or a mapping.",
    )
    duration_seconds: int | None = option(
        default=None,
        ini="duration_seconds",
        example="3600",
        code="3600",
        parse=values.whole,
        help="The lifetime of the role session in seconds; by default what STS chooses (3600).",
    )
    role_assumer_with_web_identity: Callable[[dict[str, Any]], Any] | None = option(
        default=None,
        code="assume_role",
        secret=True,
        parse=values.function,
        help="Called instead of STS with the parameters of AssumeRoleWithWebIdentity; returns "
        "`Keys`, botocore credentials or a mapping.",
    )

    def fetch(self) -> Keys:
        """Exchange the token for the keys of the role."""
        parameters = self._parameters()
        assume_role = self.role_assumer_with_web_identity
        if assume_role is not None:
            name = "role_assumer_with_web_identity"
            answer = awaited(assume_role(parameters), self.METHOD, name)
            return self._keys_of(answer, f"what {name} does")
        client = self.scope.client("sts", self.client_config)
        answer = call(client, "assume_role_with_web_identity", parameters)
        return self._keys_of(answer, "the endpoint")

    @abstractmethod
    def token(self) -> str:
        """Return the token, read anew."""

    def _parameters(self) -> dict[str, Any]:
        policy_arns: Any = self.policy_arns  # strings by now, see values.arns
        optional = {
            "ProviderId": self.provider_id,
            "PolicyArns": policy_arns and [{"arn": arn} for arn in policy_arns],
            "Policy": self.policy,
            "DurationSeconds": self.duration_seconds,
        }
        return {
            "RoleArn": self.role_arn,
            "RoleSessionName": self.role_session_name
            or f"botocore-ext-{self.scope.clock.now():.0f}",
            "WebIdentityToken": self.token(),
        } | {name: value for name, value in optional.items() if value is not None}

    def _keys_of(self, answer: Any, suspect: str) -> Keys:
        try:
            is_of_sts = isinstance(answer, Mapping) and "Credentials" in answer
            return Keys.from_sts(answer) if is_of_sts else Keys.of(answer)
        except FieldError as error:
            fact = f"the answer for the role {self.role_arn} holds no keys ({error})"
        raise FetchError(provider=self.METHOD, error_msg=f"{fact}: check {suspect}")
