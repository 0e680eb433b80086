"""The credential providers of the AWS SDK for JavaScript v3 that boto3 lacks.

>>> import boto3, botocore_ext
>>> botocore_ext.install()
>>> s3 = boto3.Session(profile_name="mobile").client("s3")

Names are loaded on first use, so that importing the package costs almost nothing.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:  # the public names; ``__getattr__`` finds the factories in the catalogue
    from . import exceptions as exceptions
    from . import tokens as tokens
    from .aws.frozen_credentials import FrozenCredentials as FrozenCredentials
    from .errors import Attempt as Attempt
    from .errors import ChainError as ChainError
    from .errors import ConfigurationError as ConfigurationError
    from .errors import FetchError as FetchError
    from .errors import NotConfigured as NotConfigured
    from .errors import ProviderError as ProviderError
    from .explanation.explain import explain as explain
    from .explanation.report import Explanation as Explanation
    from .options.option import option as option
    from .options.references import Token as Token
    from .options.scope import Scope as Scope
    from .providers.assume_role import from_temporary_credentials as from_temporary_credentials
    from .providers.base import Provider as Provider
    from .providers.chain import CredentialChain as CredentialChain
    from .providers.chain import create_credential_chain as create_credential_chain
    from .providers.cognito import from_cognito_identity as from_cognito_identity
    from .providers.cognito import from_cognito_identity_pool as from_cognito_identity_pool
    from .providers.environment import from_env as from_env
    from .providers.function import Source as Source
    from .providers.http import from_container_metadata as from_container_metadata
    from .providers.http import from_http as from_http
    from .providers.identities import per_request as per_request
    from .providers.identities import use_credentials as use_credentials
    from .providers.instance import from_instance_metadata as from_instance_metadata
    from .providers.login import from_login_credentials as from_login_credentials
    from .providers.process import from_process as from_process
    from .providers.profile import from_default_chain as from_default_chain
    from .providers.profile import from_ini as from_ini
    from .providers.roles_anywhere import from_roles_anywhere as from_roles_anywhere
    from .providers.sso import from_sso as from_sso
    from .providers.web_identity import from_token_file as from_token_file
    from .providers.web_identity import from_web_token as from_web_token
    from .refresh.credentials import ProviderCredentials as ProviderCredentials
    from .session.hook import extend as extend
    from .session.hook import install as install
    from .session.hook import uninstall as uninstall
    from .session.identities import client as client
    from .session.identities import resource as resource
    from .session.session import Session as Session

_MODULES = ("exceptions", "tokens")
#: The modules of the public names that are not factories.
_HOMES = {
    "Attempt": "errors",
    "ChainError": "errors",
    "ConfigurationError": "errors",
    "CredentialChain": "providers.chain",
    "Explanation": "explanation.report",
    "FetchError": "errors",
    "FrozenCredentials": "aws.frozen_credentials",
    "NotConfigured": "errors",
    "Provider": "providers.base",
    "ProviderCredentials": "refresh.credentials",
    "ProviderError": "errors",
    "Scope": "options.scope",
    "Session": "session.session",
    "Source": "providers.function",
    "Token": "options.references",
    "client": "session.identities",
    "explain": "explanation.explain",
    "extend": "session.hook",
    "install": "session.hook",
    "option": "options.option",
    "per_request": "providers.identities",
    "resource": "session.identities",
    "uninstall": "session.hook",
    "use_credentials": "providers.identities",
}

if not TYPE_CHECKING:  # to a type checker, a module with __getattr__ has every name

    def __getattr__(name: str) -> Any:
        """Load the module of a public name (PEP 562)."""
        if name in _MODULES:
            return import_module(f".{name}", __name__)
        if name == "__all__":
            return _public_names()
        home = _HOMES.get(name)
        if home is None:
            from .catalogue import find_module  # noqa: PLC0415 - install() alone needs no catalogue

            home = find_module(name)
        if home is None:
            text = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(text, name=name, obj=sys.modules[__name__])
        value = globals()[name] = getattr(import_module(f".{home}", __name__), name)
        return value


def _public_names() -> list[str]:
    from .catalogue import ROWS  # noqa: PLC0415 - install() alone needs no catalogue

    return sorted([*_HOMES, *(row.factory for row in ROWS)])


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted({*globals(), *_public_names(), *_MODULES})
