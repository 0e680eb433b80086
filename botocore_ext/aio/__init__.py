"""``AioSession``: a session of aiobotocore that knows this package, without any global state."""

from typing import TYPE_CHECKING, Any

from ..providers.function import Source
from ..refresh.notes import warn_of_ignored_identities
from ..session import identities
from ..session.hook import extend, use_only

try:
    import aiobotocore.session  # pyright: ignore[reportMissingImports] - of the extra aio
except ImportError:
    raise ImportError("botocore_ext.aio needs aiobotocore: run `pip install aiobotocore`") from None


if TYPE_CHECKING:
    from aiobotocore.credentials import (  # pyright: ignore[reportMissingImports] - of the extra aio
        AioCredentials,  # pyright: ignore[reportMissingImports] - of the extra aio
    )

    from .credentials import AsyncProviderCredentials

_UNSET: Any = object()


class AioSession(aiobotocore.session.AioSession):
    """An ``AioSession`` of aiobotocore that knows this package; ``install()`` is not needed."""

    def __init__(
        self,
        session_vars: Any = None,
        event_hooks: Any = None,
        include_builtin_handlers: bool = True,  # noqa: FBT001, FBT002 - botocore's signature
        profile: str | None = None,
        *,
        credentials: Source | None = None,
    ) -> None:
        """Take the arguments of aiobotocore's ``AioSession``, and ``credentials``.

        Args:
            session_vars: As in aiobotocore, like the next three.
            event_hooks: As in aiobotocore.
            include_builtin_handlers: As in aiobotocore.
            profile: As in aiobotocore.
            credentials: A provider, or a callable that returns credentials, which may be a
                coroutine function: the session uses these credentials only. None: it resolves
                credentials as after ``install()``.

        Raises:
            TypeError: ``credentials`` is neither.
            ConfigurationError: See ``botocore_ext.Session``.
            botocore.exceptions.BotoCoreError: See ``botocore_ext.Session``.
        """
        super().__init__(session_vars, event_hooks, include_builtin_handlers, profile)
        if credentials is None:
            extend(self)
            warn_of_ignored_identities(self)
        else:
            use_only(self, credentials)

    async def get_credentials(self) -> "AsyncProviderCredentials | AioCredentials | None":
        """Return the credentials of this session, as aiobotocore does.

        Returns:
            ``AsyncProviderCredentials`` if a provider of this package retrieves them; None if there
            are no credentials.
        """
        return await super().get_credentials()

    def create_client(self, *args: Any, credentials: Source = _UNSET, **kwargs: Any) -> Any:
        """Create a client, as aiobotocore does.

        Args:
            args: As in aiobotocore.
            credentials: The client signs with these only; without them it signs with those of the
                session.
            kwargs: As in aiobotocore.

        Raises:
            TypeError: See ``botocore_ext.client``.
        """
        if credentials is _UNSET:
            return super().create_client(*args, **kwargs)
        return identities.client(self, *args, credentials=credentials, **kwargs)
