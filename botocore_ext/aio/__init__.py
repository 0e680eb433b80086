"""``AioSession``: a session of aiobotocore with the keys of one provider, and no global state."""

from typing import Any

from ..providers.function import Source
from ..session.hook import extend, take_from

try:
    import aiobotocore.session  # pyright: ignore[reportMissingImports] - of the extra aio
except ImportError:
    msg = "botocore_ext.aio needs aiobotocore: run pip install 'botocore-ext[aio]'"
    raise ImportError(msg) from None


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

        That is a provider, or a callable that returns keys, which may be a coroutine function: the
        session uses the keys of this and of nothing else. With None it resolves them as after
        ``install()``.

        Raises:
            TypeError: ``credentials`` is neither.
        """
        super().__init__(session_vars, event_hooks, include_builtin_handlers, profile)
        if credentials is None:
            extend(self)
        else:
            take_from(self, credentials)
