"""The errors of this package, in a module of the same name as those of botocore and boto3."""

from .errors import (
    Attempt,
    ChainError,
    ConfigurationError,
    FetchError,
    NotConfigured,
    ProviderError,
)

__all__ = [
    "Attempt",
    "ChainError",
    "ConfigurationError",
    "FetchError",
    "NotConfigured",
    "ProviderError",
]
