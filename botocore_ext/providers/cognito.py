"""Keys from Amazon Cognito identity pools (enhanced flow).

https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html
https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html
"""

import json
import logging
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ..calls.inner_calls import call
from ..declaration import references, values
from ..declaration.services import ServiceProvider
from ..errors import FetchError
from ..keys import Keys
from ..options import option
from ..sources.identities import KeptIdentities

if TYPE_CHECKING:
    from botocore.client import BaseClient

logger = logging.getLogger(__name__)

#: With these a kept identity id is worth asking for again.
_REJECTED = frozenset({"NotAuthorizedException", "ResourceNotFoundException"})


class _CognitoProvider(ServiceProvider):
    """What both Cognito providers have in common."""

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
            name: self.read_token(source, f"the login {name}") for name, source in logins.items()
        }
        return {"Logins": found}

    def _keys(self, client: "BaseClient", identity: str, logins: dict[str, Any]) -> Keys:
        role = {"CustomRoleArn": self.custom_role_arn} if self.custom_role_arn else {}
        parameters = {"IdentityId": identity, **logins, **role}
        answer = call(client, "get_credentials_for_identity", parameters)
        try:
            return Keys.from_mapping({**answer.get("Credentials", {}), "IdentityId": identity})
        except ValueError as error:
            fact = f"the answer for the identity {identity} holds no keys ({error})"
        raise FetchError(provider=self.METHOD, error_msg=f"{fact}: check the endpoint")


class CognitoIdentityProvider(_CognitoProvider):
    """Keys for a Cognito identity that is known already."""

    METHOD = "custom-cognito-identity"
    CANONICAL_NAME = "CustomCognitoIdentity"
    FACTORY = "from_cognito_identity"

    identity_id: str = option(
        default=None,
        ini="cognito_identity_id",
        example="us-east-1:128d0a74-c82f-4553-916d-90053e4a8b0f",
        selects=True,
        required=True,
        parse=values.cognito_id,
        help="The identity.",
    )

    def fetch(self) -> Keys:
        """Ask Cognito for the keys of the identity: one round trip."""
        client = self._client(self.identity_id)
        return self._keys(client, self.identity_id, self._logins())


class CognitoIdentityPoolProvider(_CognitoProvider):
    """Keys for the identity that a Cognito identity pool gives to these logins, or to a guest."""

    METHOD = "custom-cognito-identity-pool"
    CANONICAL_NAME = "CustomCognitoIdentityPool"
    FACTORY = "from_cognito_identity_pool"

    identity_pool_id: str = option(
        default=None,
        ini="cognito_identity_pool_id",
        example="us-east-1:1699ebc0-7900-4099-b910-2df94f52a030",
        selects=True,
        required=True,
        parse=values.cognito_id,
        help="The identity pool.",
    )
    account_id: str | None = option(
        default=None,
        ini="cognito_account_id",
        example="123456789012",
        parse=values.text,
        help="The AWS account that owns the pool.",
    )
    user_identifier: str | None = option(
        default=None,
        ini="cognito_user_identifier",
        example="user_0",
        parse=values.text,
        help="Who the user is: providers of this process with the same one share its identity.",
    )
    cache: MutableMapping[str, str] | None = option(
        default=None,
        code="shelve.open('identities')",
        help="Where identity ids are kept beyond this process. With logins it is used only "
        "beside `user_identifier`, so that no user gets the identity of another.",
    )

    @property
    def identity_id(self) -> str | None:
        """The identity in use; None before the first fetch."""
        return next(reversed(self._cell.kept.values()), None)

    def fetch(self) -> Keys:
        """Ask Cognito for the identity, unless it is kept, and for its keys."""
        mine = self._cell.kept  # before the logins: see Provider.replace_token
        client, logins = self._client(self.identity_pool_id), self._logins()
        identities = self._identities(client, logins, mine)
        kept = identities.find()
        if kept is not None:
            try:
                return self._keys(client, identities.keep(kept), logins)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in _REJECTED:
                    raise
            logger.info("Cognito rejects the kept identity %s: asking for another", kept)
            identities.drop(kept)
        return self._keys(client, identities.keep(self._ask(client, logins)), logins)

    def _identities(
        self, client: "BaseClient", logins: dict[str, Any], mine: dict[str, str]
    ) -> KeptIdentities:
        meta, user, cache = client.meta, self.user_identifier, self.cache
        pool, account = self.identity_pool_id, self.account_id
        return KeptIdentities(
            key=json.dumps([pool, meta.region_name, meta.endpoint_url, account, user]),
            region=pool.partition(":")[0],
            mine=mine,
            by_user=user is not None,
            # Whose identity it is, only the user identifier says; without logins it is a guest's.
            cache=cache if user is not None or not logins else None,
        )

    def _ask(self, client: "BaseClient", logins: dict[str, Any]) -> str:
        account = {"AccountId": self.account_id} if self.account_id else {}
        parameters = {"IdentityPoolId": self.identity_pool_id, **account, **logins}
        identity = call(client, "get_id", parameters).get("IdentityId")
        if not identity:
            raise FetchError(
                provider=self.METHOD,
                error_msg=f"the answer for the pool {self.identity_pool_id} names no identity: "
                "check the endpoint",
            )
        return str(identity)


from_cognito_identity = CognitoIdentityProvider
from_cognito_identity_pool = CognitoIdentityPoolProvider
