"""Keys of a role, for a web token.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from ..declaration import references
from ..options import option
from .web_identity import WebIdentityProvider


class WebTokenProvider(WebIdentityProvider):
    """Keys of a role, for a token that an OpenID Connect or OAuth 2.0 provider issued."""

    METHOD = "custom-web-token"
    CANONICAL_NAME = "CustomWebToken"
    FACTORY = "from_web_token"

    web_identity_token: references.Token = option(
        default=None,
        ini="web_identity_token",
        example="file:///var/run/token",
        code="get_token",
        selects=True,
        required=True,
        secret=True,
        token=True,
        parse=references.token,
        read=references.reference,
        help="The token, or a callable that returns it, asked anew at every fetch. In a profile "
        "also `file://PATH`, `env://NAME`, `process://COMMAND`, `github-actions://AUDIENCE` or "
        "`ambient://AUDIENCE`.",
    )

    def token(self) -> str:
        """See ``WebIdentityProvider.token``."""
        return self.read_token(self.web_identity_token, "web_identity_token")


from_web_token = WebTokenProvider
