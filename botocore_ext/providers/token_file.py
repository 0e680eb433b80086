"""Keys of a role, for the web token in a file.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
"""

from collections.abc import Iterable, Mapping

from ..declaration import values
from ..declaration.origins import Environment, Origin, Profile
from ..options import Option, option
from ..tokens import TokenFile
from .web_identity import WebIdentityProvider

#: Who names a token file -> botocore's feature id for that.
_FILE_NAMED_BY: Mapping[type, str] = {
    Environment: "CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN",
    Profile: "CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN",
}


class TokenFileProvider(WebIdentityProvider):
    """Keys of a role, for a token that something else keeps up to date in a file."""

    METHOD = "assume-role-with-web-identity"
    CANONICAL_NAME = "CustomTokenFile"
    FACTORY = "from_token_file"

    web_identity_token_file: str = option(
        default=None,
        ini="web_identity_token_file",
        env="AWS_WEB_IDENTITY_TOKEN_FILE",
        example="/var/run/token",
        selects=True,
        required=True,
        parse=values.text,
        help="The file, read at every fetch and stripped.",
    )

    def _origins_of(self, wanted: Option) -> Iterable[Origin]:
        """Leave out a profile that names no file: its role is not for the environment's token."""
        file, origins = self.option_named("web_identity_token_file"), super()._origins_of(wanted)
        return [one for one in origins if not isinstance(one, Profile) or one.has(file)]

    def features(self) -> tuple[str, ...]:
        """See ``Provider.features``."""
        origin = self._origin(self.option_named("web_identity_token_file"))
        by = _FILE_NAMED_BY.get(type(origin))
        return (by, *self.FEATURE_IDS) if by else self.FEATURE_IDS

    def token(self) -> str:
        """See ``WebIdentityProvider.token``."""
        file = TokenFile(self.web_identity_token_file)
        return self.read_token(file, self.key_of("web_identity_token_file"))


from_token_file = TokenFileProvider
