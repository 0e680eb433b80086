"""What happens when a service rejects our keys as expired: the request is sent once more.

It is done through botocore's events, which a client copies from its session when it is made. The
handlers are registered when a provider of ours resolves, so that every other session has none.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary, WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.session import Session

    from .credentials import ProviderCredentials

logger = logging.getLogger(__name__)

#: How services say that keys have expired, or were never theirs.
_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidToken"})
#: The access key in an ``Authorization`` header, as every signature in use has it.
_ACCESS_KEY = re.compile(r"(?:Credential=|AWS )([^/:,\s]+)[/:]")
#: The name of our notes in the context of a request, which lasts over all its attempts.
_NOTES = "botocore_ext.refreshing.rejections"


@dataclass
class Notes:
    """What is known of one request of a client."""

    #: What signs for the client; botocore's ``RequestSigner``, or aiobotocore's.
    signer: Any = None
    #: That with which the last attempt was signed; empty for one that was not.
    access_key: str = ""
    #: A stream among the parameters cannot be rewound to where the caller had it.
    begins_elsewhere: bool = False
    resent: bool = False

    def auth(self) -> Any:
        """Return what the next attempt would be signed with; aiobotocore's is to be awaited.

        The signer is asked, not our credentials: a client with explicit keys goes on with these.
        """
        return self.signer.get_auth_instance(self.signer.signing_name, self.signer.region_name)

    def resend_with(self, access_key: str) -> int | None:
        """Give the seconds to wait before another attempt with this access key, or None."""
        if access_key == self.access_key:
            return None
        self.resent = True
        return 0


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
        ("before-parameter-build", _note_streams),
        ("before-sign", _note_signer),
        ("request-created", _note_access_key),
        ("needs-retry", partial(decide or _send_again, ours)),
    ):
        events.register(event, handler, unique_id=f"botocore-ext-{event}")


def _notes(context: dict[str, Any]) -> Notes:
    notes: Notes = context.setdefault(_NOTES, Notes())
    return notes


def _note_streams(params: "Mapping[str, Any]", context: dict[str, Any], **_: object) -> None:
    """Note a stream that does not begin where it stands: botocore rewinds to its beginning.

    Later it may be wrapped, and does not tell its position any more.
    """
    streams = [value for value in params.values() if hasattr(value, "read")]
    _notes(context).begins_elsewhere = any(_position(stream) != 0 for stream in streams)


def _position(stream: Any) -> int | None:
    try:
        position: int = stream.tell()
    except Exception:  # noqa: BLE001 - a stream of the caller's may raise anything
        return None
    return position


def _note_signer(request: Any, request_signer: object, **_: object) -> None:
    _notes(request.context).signer = request_signer


def _note_access_key(request: Any, **_: object) -> None:
    found = _ACCESS_KEY.search(str(request.headers.get("Authorization", "")))
    _notes(request.context).access_key = found[1] if found else ""


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
    notes = _notes(request_dict["context"])
    code = response[1].get("Error", {}).get("Code") if response else None
    if code not in _CODES or notes.resent:
        return None
    living = [found for one in ours.valuerefs() if (found := one()) is not None]
    told = [one for one in living if one.has_served(notes.access_key)]
    for credentials in told:
        logger.debug("A service answered %s to keys of %s", code, credentials.method)
        credentials.invalidate(notes.access_key)
    if not told or notes.begins_elsewhere or not _rewound(request_dict["body"]):
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
    except Exception:  # noqa: BLE001 - as above
        return False
    return True
