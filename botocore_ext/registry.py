"""The providers that a profile can select, in order of precedence."""

from .provider import Provider
from .providers.cognito import CognitoIdentityPoolProvider, CognitoIdentityProvider
from .providers.http import HttpProvider
from .providers.web_identity import WebTokenProvider

PROVIDERS: tuple[type[Provider], ...] = (
    WebTokenProvider,
    CognitoIdentityProvider,
    CognitoIdentityPoolProvider,
    HttpProvider,
)
