"""What happens when a service rejects our keys as expired: the request is sent once more.

It is done through botocore's events, which a client copies from its session when it is made. The
handlers are registered when a provider of ours resolves, so that every other session has none.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary, WeakValueDictionary

from .express import keep_by_identity, note_creator
from .notes import Notes, note_access_key, note_signer, note_streams, notes_of

if TYPE_CHECKING:
    from botocore.session import Session

    from .credentials import ProviderCredentials

logger = logging.getLogger(__name__)

#: How services say that keys have expired, or were never theirs; the last is EC2's word.
_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidToken", "RequestExpired"})
#: The credentials of a session that are ours, by their id; a chain may make new ones each time.
Ours: TypeAlias = "WeakValueDictionary[int, ProviderCredentials]"
_ours: "WeakKeyDictionary[Session, Ours]" = WeakKeyDictionary()


def resend_rejected(
    session: "Session",
    credentials: "ProviderCredentials",
    decide: Callable[..., Any] | None = None,
    keep: Callable[..., Any] = keep_by_identity,
) -> None:
    """Let clients of ``session`` made from now on send again what is rejected for ``credentials``.

    It may be called again.

    Args:
        session: The session.
        credentials: The credentials.
        decide: Handles ``needs-retry`` in the place of ``_send_again``.
        keep: Handles ``before-sign.s3`` in the place of ``express.keep_by_identity``.
    """
    ours = _ours.setdefault(session, WeakValueDictionary())
    ours[id(credentials)] = credentials
    events: Any = session.get_component("event_emitter")
    for event, handler in (
        ("before-parameter-build", note_streams),
        ("before-sign", note_signer),
        ("after-call.s3.CreateSession", note_creator),
        ("request-created", note_access_key),
        ("needs-retry", partial(decide or _send_again, ours)),
    ):
        events.register(event, handler, unique_id=f"botocore-ext-{event}")
    # Last: each client registers botocore's own there, whose outcome it changes.
    events.register_last("before-sign.s3", keep, unique_id="botocore-ext-before-sign.s3")


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

    The keys are invalidated in any case, or the bucket session that they created is dropped.
    """
    notes = notes_of(request_dict["context"])
    code = response[1].get("Error", {}).get("Code") if response else None
    if code not in _CODES or notes.resent:
        return None
    living = [found for one in ours.valuerefs() if (found := one()) is not None]
    notes.holders = [one for one in living if one.has_served(notes.identity)]
    for credentials in notes.holders:
        logger.debug("A service answered %s to keys of %s", code, credentials.method)
        credentials.invalidate(notes.access_key)  # a bucket session is none of them
    if notes.bucket_sessions is not None:
        notes.bucket_sessions.drop(notes.bucket, notes.access_key)
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
