"""``SignedProvider``: the base class of providers one of whose calls is signed."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.credentials import CredentialProvider, Credentials
from botocore.exceptions import ClientError

from ..aws.clients import call
from ..aws.frozen_credentials import FieldError, FrozenCredentials
from ..errors import FetchError, ProviderError
from ..options.scope import Scope
from ..refresh.credentials import ProviderCredentials
from .base import Provider, ServiceProvider

if TYPE_CHECKING:
    from botocore.client import BaseClient

#: Error codes of services for credentials that have expired early.
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"})


class SignedProvider(ServiceProvider):
    """A provider that signs a call with the credentials of another source, the master."""

    @abstractmethod
    def _master_source(self) -> Any:
        """Return the source of the master credentials: a provider, or credentials."""

    @property
    @abstractmethod
    def _master_purpose(self) -> str:
        """What the master credentials are for, in an error that says that there are none."""

    def _master(self) -> CredentialProvider | Credentials:
        """Return the source of the master credentials, bound once for each binding of this."""
        return self._binding.once("master", self._bind_master)

    def _bind_master(self) -> CredentialProvider | Credentials:
        master: Any = self._master_source()
        if isinstance(master, Provider):
            region = self.scope.named_region(self.client_config)
            master = master.bind(Scope.like(self.scope, region_of_chain=region, profile=None))
        source: CredentialProvider | Credentials = master
        return source

    def _subscribe_to_master(self, credentials: ProviderCredentials, distance: int) -> None:
        """Notify ``credentials`` of new tokens of the master, which are new tokens of this one."""
        master = self._master()
        if isinstance(master, (Provider, ProviderCredentials)):
            master._subscribe(credentials, distance + 1)

    def _resolve_master(self) -> tuple[Credentials, FrozenCredentials]:
        """Return the credentials that sign the call.

        Raises:
            FetchError: There are none. It stops a chain, because this provider is configured.
        """
        master = self._master()
        reason = (
            master._reason_not_selected()
            if isinstance(master, Provider)
            else "their provider returned none"
        )
        try:
            credentials = master if isinstance(master, Credentials) else master.load()
            if credentials is not None:
                return credentials, FrozenCredentials.from_credentials(credentials)
        except ProviderError as error:
            if not error.try_next_link:
                raise
            reason = error.reason
        except FieldError as error:
            reason = str(error)
        fact = f"no credentials to {self._master_purpose}: {reason}"
        raise FetchError(provider=self.METHOD, error_msg=fact)

    @staticmethod
    def _call_signed(
        client: "BaseClient",
        operation: str,
        parameters: Mapping[str, Any],
        master: tuple[Credentials, FrozenCredentials],
    ) -> Mapping[str, Any]:
        """Call an operation. Master credentials that have expired early are invalidated."""
        try:
            return call(client, operation, parameters)
        except ClientError as error:
            is_expired = error.response.get("Error", {}).get("Code") in _EXPIRED
            source, used = master
            if is_expired and isinstance(source, ProviderCredentials):
                source.invalidate(used.access_key)
            raise
