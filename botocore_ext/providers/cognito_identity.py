"""Keys for an identity of Amazon Cognito."""

from typing import Any

from ..declaration import values
from ..keys import Keys
from ..options import Option, option
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
        help="The identity. When a guest signs in, Cognito may merge it into the identity of the "
        "user: then `identity_id` of the provider and of its credentials is the user's.",
    )

    def option_value(self, wanted: Option) -> Any:
        """See ``Specification.option_value``; the identity is the one that Cognito answered."""
        value = super().option_value(wanted)
        return self._cell.kept.get(value, value) if wanted.name == "identity_id" else value

    def fetch(self) -> Keys:
        """Ask Cognito for the keys of the identity: one round trip."""
        merged = self._cell.kept  # before the logins: see Provider.replace_token
        given = str(super().option_value(self.option_named("identity_id")))
        identity = merged.get(given, given)
        found = self._keys(self._client(identity), identity, self._logins())
        merged[given] = str(found.identity_id)
        return found


from_cognito_identity = CognitoIdentityProvider
