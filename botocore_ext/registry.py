"""The providers, and how to find one by its name."""

from collections.abc import Iterable

from .chain import CredentialChain
from .provider import Provider
from .providers.cognito import CognitoIdentityPoolProvider, CognitoIdentityProvider
from .providers.container import ContainerProvider
from .providers.environment import EnvironmentProvider
from .providers.http import HttpProvider
from .providers.instance import InstanceProvider
from .providers.login import LoginProvider
from .providers.process import ProcessProvider
from .providers.sso import SsoProvider
from .providers.web_identity import TokenFileProvider, WebTokenProvider

#: Those that a profile can select, in order of precedence.
PROVIDERS: tuple[type[Provider], ...] = (
    CredentialChain,
    WebTokenProvider,
    CognitoIdentityProvider,
    CognitoIdentityPoolProvider,
    HttpProvider,
)
#: Those that botocore has itself: ours are for their factories and as links of chains.
NATIVE: tuple[type[Provider], ...] = (
    EnvironmentProvider,
    TokenFileProvider,
    SsoProvider,
    LoginProvider,
    ProcessProvider,
    ContainerProvider,
    InstanceProvider,
)
#: What ``credential_source`` may name in plain botocore, in its spelling.
BOTOCORES_SOURCES: dict[str, type[Provider]] = {
    str(kind.CANONICAL_NAME): kind
    for kind in (EnvironmentProvider, ContainerProvider, InstanceProvider)
}
#: Those that have a region of their own.
LOGINS: tuple[type[Provider], ...] = (SsoProvider, LoginProvider)
#: Native ones that a role may name as its source, too.
_NATIVE_SOURCES = (SsoProvider, LoginProvider, ProcessProvider)


def by_name(name: str, among: Iterable[type[Provider]] = PROVIDERS) -> type[Provider] | None:
    """Return the provider with this canonical name or METHOD, in any case, or None."""
    wanted = name.strip().lower()
    for kind in among:
        if wanted in (str(kind.CANONICAL_NAME).lower(), str(kind.METHOD).lower()):
            return kind
    return None


def source_by_name(name: str) -> type[Provider] | None:
    """Return the provider of ours that ``credential_source`` means by this name, or None.

    Names that are botocore's keep the meaning that they have without us.
    """
    for kind in _NATIVE_SOURCES:
        if name.strip().lower() == str(kind.CANONICAL_NAME).lower():
            return kind
    return by_name(name)
