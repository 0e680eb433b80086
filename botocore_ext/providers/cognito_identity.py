"""Keys for an identity of Amazon Cognito."""

from ..declaration import values
from ..keys import Keys
from ..options import option
from .cognito import CognitoProvider


class CognitoIdentityProvider(CognitoProvider):
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


from_cognito_identity = CognitoIdentityProvider
