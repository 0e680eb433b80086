"""Token sources: where a token comes from.

In Python a token is a string, or a callable without arguments that returns one, such as an
instance of these classes. In an ini file a token is the text itself or a reference: ``file://``,
``env://``, ``process://``, ``github-actions://``, ``ambient://``, ``azure://``, ``google://`` or
``oauth://``. A source is read again at every fetch, because tokens are short-lived.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .options.sources import TokenFile, TokenProcess, TokenVariable

if TYPE_CHECKING:
    from .options.cloud import AzureToken, GoogleToken
    from .options.oauth import OAuthToken
    from .options.oidc import AmbientToken, GitHubActionsToken

__all__ = [
    "AmbientToken",
    "AzureToken",
    "GitHubActionsToken",
    "GoogleToken",
    "OAuthToken",
    "TokenFile",
    "TokenProcess",
    "TokenVariable",
]

#: The sources that are loaded on first use -> their module in ``options``.
_LATE = {
    "AmbientToken": "oidc",
    "AzureToken": "cloud",
    "GitHubActionsToken": "oidc",
    "GoogleToken": "cloud",
    "OAuthToken": "oauth",
}

if not TYPE_CHECKING:  # to a type checker, a module with __getattr__ has every name

    def __getattr__(name: str) -> Any:
        """Load a source on first use (PEP 562)."""
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__package__}.options.{_LATE[name]}"), name)
