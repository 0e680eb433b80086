"""The credential providers of the AWS SDK for JavaScript v3 that boto3 lacks.

>>> import boto3, botocore_ext
>>> botocore_ext.install()
>>> s3 = boto3.Session(profile_name="mobile").client("s3")

Names are loaded when they are first used, so that importing the package costs nearly nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .session.hook import extend, install, uninstall

if TYPE_CHECKING:
    from .aws.frozen_credentials import FrozenCredentials
    from .errors import (
        Attempt,
        ChainError,
        ConfigurationError,
        FetchError,
        NotConfigured,
        ProviderError,
    )
    from .explanation.explain import explain
    from .explanation.report import Explanation
    from .options.option import option
    from .options.scope import Scope
    from .providers.assume_role import from_temporary_credentials
    from .providers.base import Provider
    from .providers.chain import CredentialChain, create_credential_chain
    from .providers.cognito import from_cognito_identity, from_cognito_identity_pool
    from .providers.environment import from_env
    from .providers.http import from_container_metadata, from_http
    from .providers.instance import from_instance_metadata
    from .providers.login import from_login_credentials
    from .providers.process import from_process
    from .providers.profile import from_default_chain, from_ini
    from .providers.sso import from_sso
    from .providers.web_identity import from_token_file, from_web_token
    from .refresh.credentials import ProviderCredentials
    from .session.session import Session

__version__ = "0.1.0"

__all__ = [
    "Attempt",
    "ChainError",
    "ConfigurationError",
    "CredentialChain",
    "Explanation",
    "FetchError",
    "FrozenCredentials",
    "NotConfigured",
    "Provider",
    "ProviderCredentials",
    "ProviderError",
    "Scope",
    "Session",
    "create_credential_chain",
    "explain",
    "extend",
    "from_cognito_identity",
    "from_cognito_identity_pool",
    "from_container_metadata",
    "from_default_chain",
    "from_env",
    "from_http",
    "from_ini",
    "from_instance_metadata",
    "from_login_credentials",
    "from_process",
    "from_sso",
    "from_temporary_credentials",
    "from_token_file",
    "from_web_token",
    "install",
    "option",
    "uninstall",
]

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
    "create_credential_chain": "providers.chain",
    "explain": "explanation.explain",
    "from_cognito_identity": "providers.cognito",
    "from_cognito_identity_pool": "providers.cognito",
    "from_container_metadata": "providers.http",
    "from_default_chain": "providers.profile",
    "from_env": "providers.environment",
    "from_http": "providers.http",
    "from_ini": "providers.profile",
    "from_instance_metadata": "providers.instance",
    "from_login_credentials": "providers.login",
    "from_process": "providers.process",
    "from_sso": "providers.sso",
    "from_temporary_credentials": "providers.assume_role",
    "from_token_file": "providers.web_identity",
    "from_web_token": "providers.web_identity",
    "option": "options.option",
    "tokens": "",
}


def __getattr__(name: str) -> Any:
    """Load the module in which a public name lives (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    if not home:
        return import_module(f".{name}", __name__)
    value = globals()[name] = getattr(import_module(f".{home}", __name__), name)
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *_HOMES})
