"""Notes on a request of a client, for the case that a service rejects its credentials.

Almost no request is rejected. So the handlers only put objects into the context of the request,
which all its attempts share; the objects are read when a service rejects it.
"""

import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakSet

from botocore.httpchecksum import AwsChunkedWrapper

from ..aws.frozen_credentials import PER_REQUEST
from ..runtime.context import identity_in_force, is_fetching

#: The access key in an ``Authorization`` header, as every signature in use has it.
_ACCESS_KEY = r"(?:Credential=|AWS )([^/:,\s]+)[/:]"
#: The ``RequestSigner`` of botocore or aiobotocore.
_SIGNER = "botocore_ext_signer"
#: The headers of the last attempt, signed.
_HEADERS = "botocore_ext_headers"
#: The body is a stream that cannot be rewound to its position at the call.
_BEGINS_ELSEWHERE = "botocore_ext_begins_elsewhere"
_RESENT = "botocore_ext_resent"
#: The unique id of the handler of ``warn_of_ignored_identities``.
WARNING = "botocore-ext-use-credentials"
#: Their frames are between the caller and a handler.
_LIBRARIES = ("aiobotocore", "boto3", "botocore", "botocore_ext")


def _position(stream: Any) -> int | None:
    if isinstance(stream, AwsChunkedWrapper):
        stream = getattr(stream, "_raw", None)
    try:
        position: int = stream.tell()
    except Exception:  # noqa: BLE001 - the caller's stream may raise anything
        return None
    return position


def note_request(cache: Callable[[Any, Any], Any], request: Any, request_signer: object) -> Any:
    """Note the signer, and a stream that is not at its beginning, to which botocore rewinds it.

    At ``before-sign``. If a bucket session will sign, return what ``cache`` returns.
    """
    context = request.context
    context[_SIGNER] = request_signer
    if hasattr(request.data, "read") and _position(request.data) != 0:
        context[_BEGINS_ELSEWHERE] = True
    if identity_in_force.get() is not None:
        warn_if_ignored(request_signer=request_signer)
    if "identity_cache" in context.get("signing", ()):
        return cache(request, request_signer)
    return None


def warn_of_ignored_identities(session: Any) -> None:
    """Make the clients of a session warn if ``use_credentials`` has no effect on them."""
    session.register("before-sign", warn_if_ignored, unique_id=WARNING)


#: The signers whose clients were warned about.
_warned: "WeakSet[Any]" = WeakSet()


def warn_if_ignored(*, request_signer: Any, **_: object) -> None:
    """Warn, once for each client, if ``use_credentials`` has no effect on it (``before-sign``)."""
    found = identity_in_force.get()
    if found is None or found.identity is None or is_fetching() or request_signer in _warned:
        return
    credentials = getattr(request_signer, "_credentials", None)
    if credentials is None or credentials.method == PER_REQUEST:
        return
    _warned.add(request_signer)
    frame: Any = sys._getframe()
    level = 1
    # A thread or greenlet may begin in a library.
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in _LIBRARIES:
        frame, level = frame.f_back, level + 1
    warnings.warn(
        f"use_credentials() has no effect on this client of {request_signer.signing_name}: create "
        "it in a session with per_request(), such as Session(credentials=per_request())",
        stacklevel=level,
    )


def note_headers(**event: Any) -> None:
    """Note the headers of an attempt, at ``request-created``; some signers replace them."""
    # Not the request itself: its context would refer to it, and its body would wait for the
    # garbage collector.
    request = event["request"]
    request.context[_HEADERS] = request.headers


def access_key_of(context: Mapping[str, Any]) -> str:
    """Return the access key that signed the last attempt; empty for an unsigned one."""
    found = re.search(_ACCESS_KEY, str(context.get(_HEADERS, {}).get("Authorization", "")))
    return found[1] if found else ""


class Rejected:
    """A request whose credentials a service has rejected."""

    def __init__(self, context: dict[str, Any], bucket_sessions: Any) -> None:
        """Take the context of the request, and its ``express.IdentityCache``, if it has one."""
        self._context = context
        self.was_resent = _RESENT in context
        #: The body is a stream that cannot be rewound to its position at the call.
        self.begins_elsewhere = _BEGINS_ELSEWHERE in context
        #: The access key that signed the last attempt; empty for an unsigned one.
        self.access_key = access_key_of(context)
        self.bucket_sessions = bucket_sessions
        self.bucket: str = context.get("signing", {}).get("cache_key", "")
        #: The ``ProviderCredentials`` that the rejected access key came from.
        self.holders: Sequence[Any] = ()

    def auth(self) -> Any:
        """Return the auth instance of the next attempt; in aiobotocore an awaitable.

        It comes from the signer, because a client may have explicit credentials.
        """
        signer = self._context[_SIGNER]
        if self.bucket_sessions is None:
            return auth_instance(signer)
        express = {"identity_cache": self.bucket_sessions, "cache_key": self.bucket}
        return auth_instance(signer, signature_version="v4-s3express", **express)

    @property
    def identity(self) -> str:
        """The access key of the last attempt, or the one that created its bucket session."""
        found: str = getattr(self.bucket_sessions, "access_key", self.access_key)
        return found

    def resend_with(self, access_key: str) -> int | None:
        """Return the seconds to wait before another attempt with this access key, or None.

        None also if the token was replaced during the fetch: the new credentials may be those of
        another user.
        """
        is_same_token = any(one._has_served(self.identity) for one in self.holders)
        if access_key == self.access_key or not is_same_token:
            return None
        self._context[_RESENT] = True
        return 0


def auth_instance(signer: Any, **signature: Any) -> Any:
    """Return the signer's auth instance with these arguments, or with its defaults."""
    return signer.get_auth_instance(signer.signing_name, signer.region_name, **signature)
