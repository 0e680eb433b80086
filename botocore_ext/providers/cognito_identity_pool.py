"""Keys for an identity of a pool of Amazon Cognito, which says itself which one.

https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html
"""

import json
import logging
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ..calls.inner_calls import call
from ..declaration import values
from ..errors import FetchError, is_recoverable
from ..keys import Keys
from ..options import option
from ..sources.identities import KeptIdentities
from .cognito import CognitoProvider

if TYPE_CHECKING:
    from botocore.client import BaseClient

logger = logging.getLogger(__name__)

#: With these a kept identity id is worth asking for again.
_REJECTED = frozenset({"NotAuthorizedException", "ResourceNotFoundException"})


class CognitoIdentityPoolProvider(CognitoProvider):
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
        secret=True,
        parse=values.cache,
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
                return self._keys_of(client, identities, kept, logins)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code not in _REJECTED or is_recoverable(error):
                    raise  # an expired login says nothing against the identity
            logger.info("Cognito rejects the kept identity %s: asking for another", kept)
            identities.drop(kept)
        return self._keys_of(client, identities, self._ask(client, logins), logins)

    def _keys_of(
        self,
        client: "BaseClient",
        identities: KeptIdentities,
        identity: str,
        logins: dict[str, Any],
    ) -> Keys:
        """Ask for the credentials of ``identity``, and keep the identity that they are of."""
        asked = identities.keep(identity)
        found = self._keys(client, asked, logins)
        if found.identity_id != asked:
            identities.replace(asked, str(found.identity_id))
        return found

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


from_cognito_identity_pool = CognitoIdentityPoolProvider
