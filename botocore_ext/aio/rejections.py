"""``rejections`` for clients of aiobotocore: the new keys are awaited."""

from typing import TYPE_CHECKING, Any

from ..refreshing import rejections
from .express import keep_by_identity

if TYPE_CHECKING:
    from botocore.session import Session

    from ..refreshing.credentials import ProviderCredentials


def resend_rejected(session: "Session", credentials: "ProviderCredentials") -> None:
    """See ``rejections.resend_rejected``."""
    rejections.resend_rejected(session, credentials, _send_again, keep_by_identity)


async def _send_again(
    ours: rejections.Ours, response: Any, request_dict: Any, **_: object
) -> int | None:
    """Give the seconds to wait before another attempt, or None (``needs-retry``)."""
    notes = rejections.rejected(ours, response, request_dict)
    if notes is None:
        return None
    try:
        access_key = (await notes.auth()).credentials.access_key
    except Exception as error:  # noqa: BLE001 - the caller shall see what the service said
        rejections.no_new_keys(error)
        return None
    return notes.resend_with(access_key)
