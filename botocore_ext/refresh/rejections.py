"""Send a request again, once, if the service rejects its credentials as expired.

The handlers are on botocore's events, which a client copies from its session when it is created.
They are registered when a provider of this package resolves; other sessions have none.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary, WeakValueDictionary

from .express import cache_by_identity, note_creator
from .notes import Notes, note_access_key, note_signer, note_streams, notes_of

if TYPE_CHECKING:
    from botocore.session import Session

    from .credentials import ProviderCredentials

logger = logging.getLogger(__name__)

#: Error codes for credentials that have expired or are not known; the last one is EC2's.
_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidToken", "RequestExpired"})
#: The ``ProviderCredentials`` of a session by their ``id()``; a chain may create several.
Known: TypeAlias = "WeakValueDictionary[int, ProviderCredentials]"
_known: "WeakKeyDictionary[Session, Known]" = WeakKeyDictionary()


def resend_rejected(
    session: "Session",
    credentials: "ProviderCredentials",
    decide: Callable[..., Any] | None = None,
    cache: Callable[..., Any] = cache_by_identity,
) -> None:
    """Make new clients of ``session`` send requests again that are rejected for ``credentials``.

    It can be called again.

    Args:
        session: The session.
        credentials: The credentials.
        decide: Handles ``needs-retry`` instead of ``_send_again``.
        cache: Handles ``before-sign.s3`` instead of ``express.cache_by_identity``.
    """
    known = _known.setdefault(session, WeakValueDictionary())
    known[id(credentials)] = credentials
    events: Any = session.get_component("event_emitter")
    for event, handler in (
        ("before-parameter-build", note_streams),
        ("before-sign", note_signer),
        ("after-call.s3.CreateSession", note_creator),
        ("request-created", note_access_key),
        ("needs-retry", partial(decide or _send_again, known)),
    ):
        events.register(event, handler, unique_id=f"botocore-ext-{event}")
    # Last, because it changes the outcome of botocore's own handler, which each client registers.
    events.register_last("before-sign.s3", cache, unique_id="botocore-ext-before-sign.s3")


def share_known(original: "Session", session: "Session") -> None:
    """Let the handlers that ``session`` has copied from ``original`` know its credentials too."""
    _known[session] = _known.setdefault(original, WeakValueDictionary())


def _send_again(known: "Known", response: Any, request_dict: Any, **_: object) -> int | None:
    """Return the seconds to wait before another attempt, or None (``needs-retry``).

    botocore signs each attempt again. It calls other handlers too, and each decides for itself, so
    ``max_attempts`` does not limit this one.
    """
    notes = rejected(known, response, request_dict)
    if notes is None:
        return None
    try:
        access_key = notes.auth().credentials.access_key
    except Exception as error:  # noqa: BLE001 - the caller gets the error of the service
        log_failed_fetch(error)
        return None
    return notes.resend_with(access_key)


def rejected(known: "Known", response: Any, request_dict: Any) -> Notes | None:
    """Return the notes on a request with rejected credentials, if it can be sent again.

    In any case the credentials are invalidated, or the bucket session is dropped that they created.
    """
    notes = notes_of(request_dict["context"])
    code = response[1].get("Error", {}).get("Code") if response else None
    if code not in _CODES or notes.resent:
        return None
    living = [found for one in known.valuerefs() if (found := one()) is not None]
    notes.holders = [one for one in living if one._has_served(notes.identity)]
    for credentials in notes.holders:
        logger.debug("A service answered %s to credentials of %s", code, credentials.method)
        credentials.invalidate(notes.access_key)  # no effect for the key of a bucket session
    if notes.bucket_sessions is not None:
        notes.bucket_sessions.drop(notes.bucket, notes.access_key)
    if not notes.holders or notes.begins_elsewhere or not _rewound(request_dict["body"]):
        return None
    return notes


def log_failed_fetch(error: Exception) -> None:
    """Log why the request is not sent again."""
    logger.debug("New credentials could not be fetched (%s)", type(error).__name__)


def _rewound(body: Any) -> bool:
    """Return whether the body can be sent again, from its beginning."""
    if not hasattr(body, "read"):
        return True
    try:
        body.seek(0)
    except Exception:  # noqa: BLE001 - the caller's stream may raise anything
        return False
    return True
