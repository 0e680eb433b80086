"""The credential providers of the AWS SDK for JavaScript v3 that boto3 lacks.

>>> import boto3, botocore_ext
>>> botocore_ext.install()
>>> s3 = boto3.Session(profile_name="mobile").client("s3")

Names are loaded when they are first used, so that importing the package costs nearly nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .hook import extend, install, uninstall

if TYPE_CHECKING:
    from .chain import CredentialChain, create_credential_chain
    from .errors import (
        Attempt,
        ChainError,
        ConfigurationError,
        FetchError,
        NotConfigured,
        ProviderError,
    )
    from .explanation.report import Explanation
    from .explanation.walk import explain
    from .keys import Keys
    from .options import option
    from .provider import Provider
    from .providers.cognito_identity import from_cognito_identity
    from .providers.cognito_identity_pool import from_cognito_identity_pool
    from .providers.container import from_container_metadata
    from .providers.default_chain import from_default_chain
    from .providers.environment import from_env
    from .providers.http import from_http
    from .providers.instance import from_instance_metadata
    from .providers.login import from_login_credentials
    from .providers.process import from_process
    from .providers.profile import from_ini
    from .providers.sso import from_sso
    from .providers.temporary import from_temporary_credentials
    from .providers.token_file import from_token_file
    from .providers.web_token import from_web_token
    from .refreshing.credentials import ProviderCredentials
    from .scope import Scope
    from .session import Session

__version__ = "0.1.0"

__all__ = [
    "Attempt",
    "ChainError",
    "ConfigurationError",
    "CredentialChain",
    "Explanation",
    "FetchError",
    "Keys",
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
    "CredentialChain": "chain",
    "Explanation": "explanation.report",
    "FetchError": "errors",
    "Keys": "keys",
    "NotConfigured": "errors",
    "Provider": "provider",
    "ProviderCredentials": "refreshing.credentials",
    "ProviderError": "errors",
    "Scope": "scope",
    "Session": "session",
    "create_credential_chain": "chain",
    "explain": "explanation.walk",
    "from_cognito_identity": "providers.cognito_identity",
    "from_cognito_identity_pool": "providers.cognito_identity_pool",
    "from_container_metadata": "providers.container",
    "from_default_chain": "providers.default_chain",
    "from_env": "providers.environment",
    "from_http": "providers.http",
    "from_ini": "providers.profile",
    "from_instance_metadata": "providers.instance",
    "from_login_credentials": "providers.login",
    "from_process": "providers.process",
    "from_sso": "providers.sso",
    "from_temporary_credentials": "providers.temporary",
    "from_token_file": "providers.token_file",
    "from_web_token": "providers.web_token",
    "option": "options",
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
