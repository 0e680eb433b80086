"""``Session``: a boto3 session with the keys of one provider, and no global state."""

import boto3
import botocore.session

from ..providers.function import Source
from .hook import extend, take_from


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

        That is a provider, or a callable that returns keys: the session uses the keys of this
        and of nothing else. With None it resolves them as after ``install()``.

        Raises:
            TypeError: ``credentials`` is neither, or the session has keys from elsewhere.
        """
        session = botocore_session or botocore.session.get_session()
        if profile_name is not None:  # boto3 does so, too, but only when AWS_PROFILE has been read
            session.set_config_variable("profile", profile_name)
        if credentials is None:
            extend(session)
        elif aws_access_key_id or aws_secret_access_key or aws_session_token:
            msg = "credentials= and explicit keys exclude each other: pass one of them"
            raise TypeError(msg)
        else:
            take_from(session, credentials)
        super().__init__(
            aws_access_key_id=aws_access_key_id,
            aws_secret_access_key=aws_secret_access_key,
            aws_session_token=aws_session_token,
            region_name=region_name,
            botocore_session=session,
            profile_name=profile_name,
            aws_account_id=aws_account_id,
        )
