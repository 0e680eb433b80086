"""The providers, and how to find one by its name."""

from .chain import CredentialChain
from .provider import Provider
from .providers.cognito import CognitoIdentityPoolProvider, CognitoIdentityProvider
from .providers.http import HttpProvider
from .providers.web_identity import WebTokenProvider

#: Those that a profile can select, in order of precedence.
PROVIDERS: tuple[type[Provider], ...] = (
    CredentialChain,
    WebTokenProvider,
    CognitoIdentityProvider,
    CognitoIdentityPoolProvider,
    HttpProvider,
)


def by_name(name: str) -> type[Provider] | None:
    """Return the provider with this canonical name or METHOD, in any case, or None."""
    wanted = name.strip().lower()
    for kind in PROVIDERS:
        if wanted in (str(kind.CANONICAL_NAME).lower(), str(kind.METHOD).lower()):
            return kind
    return None
