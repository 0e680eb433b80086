"""Credentials of a role, from STS AssumeRoleWithWebIdentity.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..aws.frozen_credentials import FrozenCredentials
from ..options import references, types
from ..options.option import option, option_like
from ..options.resolution import ENVIRONMENT, PROFILE, Origin
from ..options.sources import TokenFile
from ..runtime.awaiting import result_of
from .base import WebIdentityRoleProvider


class WebIdentityProvider(WebIdentityRoleProvider):
    """What web identity providers share: a role, and the exchange of a token for credentials."""

    FEATURE_IDS = ("CREDENTIALS_STS_ASSUME_ROLE_WEB_ID",)

    role_arn: str = option_like(
        WebIdentityRoleProvider._option_named("role_arn"), env="AWS_ROLE_ARN", required=True
    )
    role_session_name: str | None = option_like(
        WebIdentityRoleProvider._option_named("role_session_name"), env="AWS_ROLE_SESSION_NAME"
    )
    provider_id: str | None = option(
        ini="web_identity_provider_id",
        example="graph.facebook.com",
        parse=types.text,
        help="The host of an OAuth 2.0 identity provider; not for OpenID Connect tokens.",
    )
    policy_arns: Sequence[str | Mapping[str, str]] | None = option(
        ini="web_identity_policy_arns",
        example="arn:aws:iam::aws:policy/ReadOnlyAccess",
        code="['arn:aws:iam::aws:policy/ReadOnlyAccess']",
        parse=types.arns,
        help="Managed policies that limit the session: strings or `{'arn': ...}` mappings, in a "
        "profile separated by commas.",
    )
    policy: str | Mapping[str, Any] | None = option(
        ini="web_identity_policy",
        example='{"Version": "2012-10-17", "Statement": []}',
        parse=types.json_document,
        help="An inline policy that limits the session: JSON text or a mapping.",
    )
    role_assumer_with_web_identity: Callable[[dict[str, Any]], Any] | None = option(
        code="assume_role",
        secret=True,
        parse=types.function,
        help="Called instead of STS with the parameters of AssumeRoleWithWebIdentity; returns "
        "`FrozenCredentials`, botocore credentials or a mapping.",
    )

    def fetch(self) -> FrozenCredentials:
        """Exchange the token for credentials of the role: one round trip."""
        parameters = self._parameters()
        assume_role = self.role_assumer_with_web_identity
        if assume_role is not None:
            name = "role_assumer_with_web_identity"
            answer = result_of(assume_role(parameters), self.METHOD, name)
            is_of_sts = isinstance(answer, Mapping) and "Credentials" in answer
            convert = FrozenCredentials.from_sts if is_of_sts else FrozenCredentials.of
            role = f"the role {self.role_arn}"
            return self._credentials_in(answer, role, convert, f"what {name} returns")
        return self._assume_role(parameters)

    @abstractmethod
    def _token(self) -> str:
        """Return the token. It is read again at each fetch."""

    def _parameters(self) -> dict[str, Any]:
        policy_arns: Any = self.policy_arns  # strings: see types.arns
        return self._role_parameters(
            self._token(),
            ProviderId=self.provider_id,
            PolicyArns=policy_arns and [{"arn": arn} for arn in policy_arns],
            Policy=self.policy,
        )


class WebTokenProvider(WebIdentityProvider):
    """Credentials of a role, for a token that an OpenID Connect or OAuth 2.0 provider issued."""

    METHOD = "custom-web-token"
    CANONICAL_NAME = "CustomWebToken"
    FACTORY = "from_web_token"

    web_identity_token: references.Token = option(
        ini="web_identity_token",
        example="file:///var/run/token",
        code="get_token",
        selects=True,
        required=True,
        secret=True,
        token=True,
        parse=references.token,
        read=references.reference,
        help="The token, or a callable that returns it, called on every refresh. In a profile "
        "also `file://PATH`, `env://NAME`, `process://COMMAND`, `github-actions://AUDIENCE`, "
        "`ambient://AUDIENCE`, `azure://AUDIENCE`, `google://AUDIENCE` or `oauth://NAME`.",
    )

    def _token(self) -> str:
        """See ``WebIdentityProvider._token``."""
        return self.read_token(self.web_identity_token, "web_identity_token")


from_web_token = WebTokenProvider


#: Where the token file is configured -> botocore's feature id for that.
_FILE_FEATURES: Mapping[str, str] = {
    ENVIRONMENT: "CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN",
    PROFILE: "CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN",
}


class TokenFileProvider(WebIdentityProvider):
    """Credentials of a role, for a token that another program keeps up to date in a file."""

    METHOD = "assume-role-with-web-identity"
    CANONICAL_NAME = "CustomTokenFile"
    FACTORY = "from_token_file"

    web_identity_token_file: str = option(
        ini="web_identity_token_file",
        env="AWS_WEB_IDENTITY_TOKEN_FILE",
        example="/var/run/token",
        selects=True,
        required=True,
        parse=types.path,
        help="The token file, read on every refresh; white space around the token is removed.",
    )

    # The documentation of JavaScript lists these variables; no SDK reads them.
    role_arn: str = option_like(
        WebIdentityProvider._option_named("role_arn"), also_env="AWS_IAM_ROLE_ARN"
    )
    role_session_name: str | None = option_like(
        WebIdentityProvider._option_named("role_session_name"), also_env="AWS_IAM_ROLE_SESSION_NAME"
    )

    def _eligible_origins(self) -> list[Origin]:
        """Skip a profile without a token file: its role is not for the environment's token."""
        file = self._option_named("web_identity_token_file")
        origins = super()._eligible_origins()
        return [origin for origin in origins if origin.kind != PROFILE or origin.has(file)]

    def _features(self) -> tuple[str, ...]:
        """See ``Provider._features``."""
        origin = self._resolution(self._option_named("web_identity_token_file")).origin
        feature = _FILE_FEATURES.get(origin.kind) if origin else None
        return (feature, *self.FEATURE_IDS) if feature else self.FEATURE_IDS

    def _token(self) -> str:
        """See ``WebIdentityProvider._token``."""
        file = TokenFile(self.web_identity_token_file)
        return self.read_token(file, self._key_of("web_identity_token_file"))


from_token_file = TokenFileProvider
