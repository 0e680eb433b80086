"""``Session``: a boto3 session that knows this package, without any global state."""

from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.credentials import Credentials

from ..aws.service_data import sharing_loader
from ..providers.function import Source
from ..refresh.credentials import ProviderCredentials
from ..refresh.notes import warn_of_ignored_identities
from . import identities
from .hook import extend, use_only

if TYPE_CHECKING:
    from typing_extensions import Self

_UNSET: Any = object()


class Session(boto3.Session):
    """A ``boto3.Session`` that knows this package; ``install()`` is not needed."""

    def __init__(
        self,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        region_name: str | None = None,
        botocore_session: botocore.session.Session | None = None,
        profile_name: str | None = None,
        aws_account_id: str | None = None,
        *,
        credentials: Source | None = None,
    ) -> None:
        """Take the arguments of ``boto3.Session``, and ``credentials``.

        Args:
            aws_access_key_id: As in ``boto3.Session``, like the other parameters.
            aws_secret_access_key: As in ``boto3.Session``.
            aws_session_token: As in ``boto3.Session``.
            region_name: As in ``boto3.Session``.
            botocore_session: As in ``boto3.Session``.
            profile_name: As in ``boto3.Session``.
            aws_account_id: As in ``boto3.Session``.
            credentials: A provider, a callable that returns credentials, or credentials: the
                session uses these only. None: it resolves credentials as after ``install()``.

        Raises:
            TypeError: ``credentials`` is none of these, a provider is passed without this name, or
                the session already has credentials.
            ConfigurationError: With ``credentials``: the profile does not exist, an AWS file cannot
                be read, or a setting that botocore reads for every session is malformed.
            botocore.exceptions.BotoCoreError: Without ``credentials``: as in ``boto3.Session``.
        """
        if callable(aws_access_key_id):
            raise TypeError("a provider is not an access key ID: pass it as credentials=")
        session = botocore_session or botocore.session.get_session()
        if profile_name is not None:  # boto3 does this too, but only after AWS_PROFILE was read
            session.set_config_variable("profile", profile_name)
        if credentials is None:
            extend(session)
            warn_of_ignored_identities(session)
        elif aws_access_key_id or aws_secret_access_key or aws_session_token or aws_account_id:
            raise TypeError(
                "credentials= and explicit access keys exclude each other: pass one of them"
            )
        else:
            use_only(session, credentials)
        if botocore_session is None:
            loader = sharing_loader(session.get_component("data_loader"))
            session.register_component("data_loader", loader)
        super().__init__(
            aws_access_key_id=aws_access_key_id,
            aws_secret_access_key=aws_secret_access_key,
            aws_session_token=aws_session_token,
            region_name=region_name,
            botocore_session=session,
            profile_name=profile_name,
            aws_account_id=aws_account_id,
        )

    def get_credentials(self) -> ProviderCredentials | Credentials | None:
        """Return the credentials of this session, as ``boto3.Session`` does.

        Returns:
            ``ProviderCredentials`` if a provider of this package retrieves them; None if there are
            no credentials.

        Raises:
            ConfigurationError: A provider is selected, and an option is missing or malformed.
            NotConfigured: The session uses one provider only, and that has no credentials.
        """
        return super().get_credentials()

    def using(self, credentials: Source) -> "Self":
        """Return a session like this one that uses ``credentials`` only.

        It shares models, settings and event handlers with this session and costs less than a new
        one. Event handlers that are registered with one of the two later are not added to the
        other.

        Raises:
            TypeError: See ``botocore_ext.client``.
        """
        return identities.using(self, credentials)

    if not TYPE_CHECKING:  # type checkers see boto3's own, whose types depend on the service

        def client(self, *args: Any, credentials: Source = _UNSET, **kwargs: Any) -> Any:
            """Create a client, as ``boto3.Session.client`` does.

            Args:
                args: As in ``boto3.Session.client``.
                credentials: The client signs with these only (see ``Session``); without them it
                    signs with those of the session.
                kwargs: As in ``boto3.Session.client``.

            Raises:
                TypeError: See ``botocore_ext.client``.
            """
            if credentials is _UNSET:
                return super().client(*args, **kwargs)
            return identities.client(self, *args, credentials=credentials, **kwargs)

        def resource(self, *args: Any, credentials: Source = _UNSET, **kwargs: Any) -> Any:
            """Create a resource, as ``boto3.Session.resource`` does (see ``client``)."""
            if credentials is _UNSET:
                return super().resource(*args, **kwargs)
            return identities.resource(self, *args, credentials=credentials, **kwargs)
