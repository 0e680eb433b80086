"""Tokens that Azure and Google Cloud issue for their workloads, through their own libraries.

https://learn.microsoft.com/python/api/azure-identity
https://googleapis.dev/python/google-auth
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..aws.endpoint import is_local
from ..errors import ConfigurationError, FetchError
from ..runtime.context import redact_logs
from ..runtime.deadline import FETCH_BUDGET, share_of_budget
from ..runtime.helper_thread import run_within
from .scope import Scope

if TYPE_CHECKING:
    import requests

#: What to install for each cloud.
_PACKAGES = {"azure": "azure-identity", "google": "'google-auth[requests]'"}
#: The packages of which nothing is logged, and the loggers that a first call creates.
_LOGGERS = (
    *("azure", "google", "msal", "requests", "urllib3"),
    "azure.core.pipeline.policies.http_logging_policy",
    "azure.core.pipeline.transport._requests_basic",
    "azure.identity._internal.managed_identity_client",
    "azure.identity._internal.msal_managed_identity_client",
    "google.auth.compute_engine._metadata",
    "google.auth.compute_engine._mtls",
    "google.auth.compute_engine.credentials",
)


#: The metadata service of Google Cloud.
_METADATA = "metadata.google.internal"


@dataclass(frozen=True)
class AzureToken:
    """Requests the token of a managed identity, a workload identity or a sign-in of Azure.

    In a profile it is ``azure://AUDIENCE``. The package azure-identity finds the identity as its
    ``DefaultAzureCredential`` does (extra ``azure``).

    Args:
        audience: The application ID URI that the token is for, such as ``api://TENANT_ID/aws``.
        credential: A credential of azure-identity; None: ``DefaultAzureCredential``.
    """

    audience: str
    credential: Any = field(default=None, repr=False)

    def __call__(self) -> str:
        """Request the token and return it.

        Raises:
            ConfigurationError: azure-identity is not installed.
            FetchError: The token could not be retrieved.
        """
        remedy = (
            "check that this is a workload with a managed or workload identity, or that a user "
            "has signed in, and that the audience is the ID URI of an application"
        )
        return _token(
            "azure", ("azure.identity", "azure.core.pipeline.transport"), self._request, remedy
        )

    def _request(self, identity: Any, transport: Any) -> str:
        wanted = f"{self.audience}/.default"
        if self.credential is not None:
            return str(self.credential.get_token(wanted).token)
        requests = transport.RequestsTransport(session=_session(), session_owner=True)
        with identity.DefaultAzureCredential(transport=requests) as credential:
            return str(credential.get_token(wanted).token)


@dataclass(frozen=True)
class GoogleToken:
    """Requests the ID token of a service account of Google Cloud.

    In a profile it is ``google://AUDIENCE``. The package google-auth finds the service account: the
    file that GOOGLE_APPLICATION_CREDENTIALS names, or the account of the instance (extra
    ``google``).

    Args:
        audience: The audience of the token, as in the trust policy of the role.
    """

    audience: str

    def __call__(self) -> str:
        """Request the token and return it.

        Raises:
            ConfigurationError: google-auth is not installed.
            FetchError: The token could not be retrieved.
        """
        remedy = (
            "check that this is a workload with a service account, or that "
            "GOOGLE_APPLICATION_CREDENTIALS names the file of one"
        )
        modules = ("google.oauth2.id_token", "google.auth.transport.requests")
        return _token("google", modules, self._request, remedy)

    def _request(self, id_token: Any, transport: Any) -> str:
        with _session() as session:
            return str(id_token.fetch_id_token(transport.Request(session), self.audience))


def azure_token(audience: str, _: Scope) -> AzureToken:
    """Return the source for ``azure://``."""
    return AzureToken(audience)


def google_token(audience: str, _: Scope) -> GoogleToken:
    """Return the source for ``google://``."""
    return GoogleToken(audience)


def _token(cloud: str, modules: Sequence[str], work: Callable[..., str], remedy: str) -> str:
    """Call ``work`` with modules in the time that the fetch has left, and return the token.

    They are imported first, because only existing loggers can be redacted.

    Raises:
        ConfigurationError: The library is not installed.
        FetchError: The token could not be retrieved. Only the class of the library's error is
            shown, because its text may contain the answer.
    """
    provider = f"{cloud} token"
    try:
        imported = [import_module(name) for name in modules]
    except ImportError as error:
        fact = f"the package {error.name} is not installed: run `pip install {_PACKAGES[cloud]}`"
        raise ConfigurationError(provider=provider, error_msg=fact) from None
    within_budget = partial(run_within, share_of_budget(), partial(work, *imported))
    try:
        return redact_logs(within_budget, *_LOGGERS)
    except TimeoutError:
        fact = f"within {FETCH_BUDGET} seconds"
    except Exception as error:  # noqa: BLE001 - whatever the library raises
        fact = f"({type(error).__name__})"
    text = f"{cloud.title()} issued no token {fact}: {remedy}"
    raise FetchError(provider=provider, error_msg=text)


def _session() -> "requests.Session":
    """Return a session that follows no redirect, and uses no proxy for what is local."""
    import requests  # noqa: PLC0415 - of the extras azure and google

    class Session(requests.Session):
        def get_redirect_target(self, resp: Any) -> None:
            """Return no target: a request may carry a secret."""

        def merge_environment_settings(
            self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
        ) -> Any:
            settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
            host = urlsplit(str(url)).hostname or ""
            if host == _METADATA or is_local(host):
                settings["proxies"] = {}
            return settings

    return Session()
