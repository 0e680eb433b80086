"""Keys from Amazon Cognito identity pools (enhanced flow).

https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html
"""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..calls.inner_calls import call
from ..declaration import clients, references, values
from ..declaration.services import ServiceProvider
from ..errors import FetchError
from ..keys import FieldError, Keys, member
from ..options import option

if TYPE_CHECKING:
    from botocore.client import BaseClient

logger = logging.getLogger(__name__)


class CognitoProvider(ServiceProvider):
    """The logins, the client, and how an identity is exchanged for its keys."""

    custom_role_arn: str | None = option(
        default=None,
        ini="cognito_custom_role_arn",
        example="arn:aws:iam::123456789012:role/Mobile",
        parse=values.arn,
        help="The role to assume where the logins allow more than one.",
    )
    logins: Mapping[str, references.Token] | None = option(
        default=None,
        ini="cognito_logins",
        example="(and below it, indented) accounts.google.com = env://GOOGLE_TOKEN",
        code="{'accounts.google.com': get_token}",
        secret=True,
        token=True,
        parse=references.tokens,
        read=references.references,
        help="Names of identity providers with their tokens, or with callables that return "
        "them, asked once for each fetch. In a profile an indented block.",
    )
    client: "BaseClient | None" = option(
        default=None,
        code="boto3.client('cognito-identity', config=Config(signature_version=UNSIGNED))",
        parse=clients.client_with("get_credentials_for_identity"),
        help="A ready-made Cognito Identity client, used instead of an inner one.",
    )

    def _client(self, of_id: str) -> "BaseClient":
        region = of_id.partition(":")[0]
        return self.client or self.scope.client("cognito-identity", self.client_config, region)

    def _logins(self) -> dict[str, Any]:
        """Ask every login once, for all calls of one fetch."""
        logins = self.logins
        if logins is None:
            return {}
        found = {
            name: self.read_token(source, f"the login {name}", in_json=True)
            for name, source in logins.items()
        }
        return {"Logins": found}

    def _keys(self, client: "BaseClient", identity: str, logins: dict[str, Any]) -> Keys:
        """Ask for the credentials of ``identity``, which may be those of another one.

        Cognito merges the identity of a guest who signs in into that of the user.
        """
        role = {"CustomRoleArn": self.custom_role_arn} if self.custom_role_arn else {}
        parameters = {"IdentityId": identity, **logins, **role}
        answer = call(client, "get_credentials_for_identity", parameters)
        try:
            answered = _answered(answer) or identity
            if answered != identity:
                logger.info("Cognito has merged the identity %s into %s", identity, answered)
            return Keys.from_mapping({**member(answer, "Credentials"), "IdentityId": answered})
        except FieldError as error:
            fact = f"the answer for the identity {identity} holds no keys ({error})"
        raise FetchError(provider=self.METHOD, error_msg=f"{fact}: check the endpoint")


def _answered(answer: Mapping[str, Any]) -> str | None:
    """Return the identity that an answer names, if any.

    Raises:
        FieldError: It is malformed.
    """
    try:
        return values.cognito_id(answer["IdentityId"]) if answer.get("IdentityId") else None
    except ValueError as error:
        fact = str(error)
    raise FieldError("IdentityId", fact)
