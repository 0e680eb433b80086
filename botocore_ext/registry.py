"""The classes of all providers of one kind of source, and how to find one by its name."""

from collections.abc import Iterable, Mapping

from .chain import CredentialChain
from .provider import Provider
from .providers.cognito_identity import CognitoIdentityProvider
from .providers.cognito_identity_pool import CognitoIdentityPoolProvider
from .providers.container import ContainerProvider
from .providers.environment import EnvironmentProvider
from .providers.http import HttpProvider
from .providers.instance import InstanceProvider
from .providers.login import LoginProvider
from .providers.process import ProcessProvider
from .providers.sso import SsoProvider
from .providers.token_file import TokenFileProvider
from .providers.web_token import WebTokenProvider
from .resolving.bystanders import BOTOCORES_SOURCES

#: Those that a profile can select, in order of precedence; ``index`` has what it takes to tell.
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
#: What stands for the sources that a role may name in plain botocore, by that name.
SOURCES: Mapping[str, type[Provider]] = {
    str(kind.CANONICAL_NAME): kind for kind in NATIVE if kind.CANONICAL_NAME in BOTOCORES_SOURCES
}
#: Those that have a region of their own.
LOGINS: tuple[type[Provider], ...] = (SsoProvider, LoginProvider)


def by_name(name: str, among: Iterable[type[Provider]]) -> type[Provider] | None:
    """Return the provider with this canonical name, METHOD or factory, in any case, or None."""
    wanted = name.strip().lower()
    for kind in among:
        names = (kind.CANONICAL_NAME, kind.METHOD, kind.FACTORY)
        if wanted in [str(one).lower() for one in names]:
            return kind
    return None
