"""Send a request again, once, if the service rejects its credentials as expired.

The handlers are on botocore's events, which a client copies from its session when it is created.
They are registered when a provider of this package resolves; other sessions have none. What only
S3 Express needs is imported when it is used.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary, WeakValueDictionary

from ..runtime.context import RoutedLogger
from .notes import WARNING, Rejected, note_headers, note_request

if TYPE_CHECKING:
    from botocore.session import Session

    from .credentials import ProviderCredentials
    from .identities import PerRequestCredentials

logger = RoutedLogger(__name__)

#: Error codes for credentials that have expired or are not known; the last one is EC2's.
_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidToken", "RequestExpired"})
#: A plain number: a member of ``HTTPStatus`` takes as long as the rest of the handler.
_NOT_SUCCESSFUL = 300
#: The ``ProviderCredentials`` of a session by their ``id()``; a chain may create several.
Known: TypeAlias = "WeakValueDictionary[int, ProviderCredentials | PerRequestCredentials]"
_known: "WeakKeyDictionary[Session, Known]" = WeakKeyDictionary()


def _cache_by_identity(request: Any, request_signer: Any) -> None:
    from .express import cache_by_identity

    cache_by_identity(request, request_signer)


def resend_rejected(
    session: "Session",
    credentials: "ProviderCredentials | PerRequestCredentials",
    decide: Callable[..., Any] | None = None,
    cache: Callable[..., Any] = _cache_by_identity,
) -> None:
    """Make new clients of ``session`` send requests again that are rejected for ``credentials``.

    It can be called again. For aiobotocore, ``decide`` replaces ``_send_again``, and ``cache``
    replaces ``express.cache_by_identity``.
    """
    known = _known.setdefault(session, WeakValueDictionary())
    known[id(credentials)] = credentials
    decide = decide or _send_again

    # botocore looks at the parameters of each handler, which takes a tenth as long for ``**event``
    # as for a ``partial``, and is done for each session.

    def note_request_with_cache(**event: Any) -> Any:
        return note_request(cache, event["request"], event["request_signer"])

    def decide_on_known(**event: Any) -> Any:
        response = event["response"]
        # The answer of a successful call may have a member ``Error``, of any type.
        if response is None or response[0].status_code < _NOT_SUCCESSFUL:
            return None
        return decide(known, response, event["request_dict"])

    events: Any = session.get_component("event_emitter")
    for event, handler in (
        # After botocore's own handler of before-sign.s3, because ``cache`` changes its outcome.
        ("before-sign", note_request_with_cache),
        ("after-call.s3.CreateSession", _note_creator),
        ("request-created", note_headers),
        ("needs-retry", decide_on_known),
    ):
        events.register(event, handler, unique_id=f"botocore-ext-{event}")
    events.unregister("before-sign", unique_id=WARNING)  # ``note_request`` warns too


def _note_creator(**event: Any) -> None:
    from .express import note_creator

    note_creator(**event)


def share_known(original: "Session", session: "Session") -> None:
    """Let the handlers that ``session`` has copied from ``original`` know its credentials too."""
    _known[session] = _known.setdefault(original, WeakValueDictionary())


def _send_again(known: "Known", response: Any, request_dict: Any) -> int | None:
    """Return the seconds to wait before another attempt, or None (``needs-retry``).

    botocore signs each attempt again. It calls other handlers too, and each decides for itself, so
    ``max_attempts`` does not limit this one.
    """
    request = find_rejected(known, response, request_dict)
    if request is None:
        return None
    try:
        access_key = request.auth().credentials.access_key
    except Exception as error:  # noqa: BLE001 - the caller gets the error of the service
        log_failed_fetch(request, error)
        return None
    return request.resend_with(access_key)


def find_rejected(known: "Known", response: Any, request_dict: Any) -> Rejected | None:
    """Return a request whose credentials were rejected, if it can be sent again.

    In any case the credentials are invalidated, or the bucket session that they created is dropped.
    """
    code = response[1].get("Error", {}).get("Code")
    if code not in _CODES:
        return None
    from .express import bucket_sessions_of

    context = request_dict["context"]
    request = Rejected(context, bucket_sessions_of(context))
    if request.was_resent:
        return None
    living = [found for one in known.valuerefs() if (found := one()) is not None]
    request.holders = [one for one in living if one._has_served(request.identity)]
    for credentials in request.holders:
        method = credentials.method
        _debug(credentials, "A service answered %s to credentials of %s", code, method)
        credentials.invalidate(request.access_key)  # no effect for the key of a bucket session
    if request.bucket_sessions is not None:
        request.bucket_sessions.drop(request.bucket, request.access_key)
    if not request.holders or request.begins_elsewhere or not _rewind(request_dict["body"]):
        return None
    return request


def log_failed_fetch(request: Rejected, error: Exception) -> None:
    """Log why a request is not sent again."""
    kind = type(error).__name__
    _debug(request.holders[0], "New credentials could not be fetched (%s)", kind)


def _debug(credentials: Any, text: str, *args: object) -> None:
    """Log a record with the logger of the provider of ``credentials``."""
    credentials._run_with_logger(partial(logger.debug, text, *args))


def _rewind(body: Any) -> bool:
    """Rewind the body; return whether it can be sent again."""
    if not hasattr(body, "read"):
        return True
    try:
        body.seek(0)
    except Exception:  # noqa: BLE001 - the caller's stream may raise anything
        return False
    return True
