"""The credential providers of the AWS SDK for JavaScript v3 that boto3 lacks.

>>> import boto3, botocore_ext
>>> botocore_ext.install()
>>> s3 = boto3.Session(profile_name="mobile").client("s3")

Names are loaded on first use, so that importing the package costs almost nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .session.hook import extend, install, uninstall

if TYPE_CHECKING:
    from . import tokens as tokens
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

#: The modules of the public names that are not loaded yet; factories are in the catalogue.
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
    "explain": "explanation.explain",
    "option": "options.option",
}

if not TYPE_CHECKING:  # to a type checker, a module with __getattr__ has every name

    def __getattr__(name: str) -> Any:
        """Load the module of a public name (PEP 562)."""
        if name == "tokens":
            return import_module(f".{name}", __name__)
        from .catalogue import find_module  # noqa: PLC0415 - install() alone needs no catalogue

        home = _HOMES.get(name) or find_module(name)
        if home is None:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        value = globals()[name] = getattr(import_module(f".{home}", __name__), name)
        return value


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted({*globals(), *__all__, "tokens"})
