"""What happens when a service rejects our keys as expired: the request is sent once more.

It is done through botocore's events, which a client copies from its session when it is made. The
handlers are registered when a provider of ours resolves, so that every other session has none.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary, WeakValueDictionary

from .notes import Notes, note_access_key, note_signer, note_streams, notes_of

if TYPE_CHECKING:
    from botocore.session import Session

    from .credentials import ProviderCredentials

logger = logging.getLogger(__name__)

#: How services say that keys have expired, or were never theirs.
_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidToken"})
#: The credentials of a session that are ours, by their id; a chain may make new ones each time.
Ours: TypeAlias = "WeakValueDictionary[int, ProviderCredentials]"
_ours: "WeakKeyDictionary[Session, Ours]" = WeakKeyDictionary()


def resend_rejected(
    session: "Session",
    credentials: "ProviderCredentials",
    decide: Callable[..., Any] | None = None,
) -> None:
    """Let clients of ``session`` made from now on send again what is rejected for ``credentials``.

    It may be called again.

    Args:
        session: The session.
        credentials: The credentials.
        decide: Handles ``needs-retry`` in the place of ``_send_again``.
    """
    ours = _ours.setdefault(session, WeakValueDictionary())
    ours[id(credentials)] = credentials
    events: Any = session.get_component("event_emitter")
    for event, handler in (
        ("before-parameter-build", note_streams),
        ("before-sign", note_signer),
        ("request-created", note_access_key),
        ("needs-retry", partial(decide or _send_again, ours)),
    ):
        events.register(event, handler, unique_id=f"botocore-ext-{event}")


def _send_again(ours: "Ours", response: Any, request_dict: Any, **_: object) -> int | None:
    """Give the seconds to wait before another attempt, or None (``needs-retry``).

    botocore signs each attempt anew. It asks other handlers too, and each decides for itself, so
    that ``max_attempts`` does not limit this one.
    """
    notes = rejected(ours, response, request_dict)
    if notes is None:
        return None
    try:
        access_key = notes.auth().credentials.access_key
    except Exception as error:  # noqa: BLE001 - the caller shall see what the service said
        no_new_keys(error)
        return None
    return notes.resend_with(access_key)


def rejected(ours: "Ours", response: Any, request_dict: Any) -> Notes | None:
    """Return the notes on a request that keys of ours were rejected for, if it can be sent again.

    The keys are invalidated in any case.
    """
    notes = notes_of(request_dict["context"])
    code = response[1].get("Error", {}).get("Code") if response else None
    if code not in _CODES or notes.resent:
        return None
    living = [found for one in ours.valuerefs() if (found := one()) is not None]
    notes.holders = [one for one in living if one.has_served(notes.access_key)]
    for credentials in notes.holders:
        logger.debug("A service answered %s to keys of %s", code, credentials.method)
        credentials.invalidate(notes.access_key)
    if not notes.holders or notes.begins_elsewhere or not _rewound(request_dict["body"]):
        return None
    return notes


def no_new_keys(error: Exception) -> None:
    """Say in the log why the request is not sent again."""
    logger.debug("New keys could not be fetched (%s)", type(error).__name__)


def _rewound(body: Any) -> bool:
    """Whether the body can be sent from its beginning once more."""
    if not hasattr(body, "read"):
        return True
    try:
        body.seek(0)
    except Exception:  # noqa: BLE001 - a stream of the caller's may raise anything
        return False
    return True
