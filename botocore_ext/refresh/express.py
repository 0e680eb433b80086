"""Bucket sessions of S3 Express, cached by the access key that created them.

A request to a directory bucket is signed with a session that ``CreateSession`` returns for five
minutes. botocore caches sessions by client and bucket: with a new token, or in a chain whose
identity has changed, requests would continue as the previous user.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-create-session.html
"""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from botocore.credentials import Credentials
from botocore.utils import S3ExpressIdentityCache

from ..aws.frozen_credentials import expiration
from ..runtime.context import redact_logs
from ..runtime.single_flight import NeedsItselfError, SingleFlight, StillUnderWayError, use_last
from ..system import Clock
from .notes import access_key_of, auth_instance
from .policy import YOUNG

logger = logging.getLogger(__name__)

#: Sessions that one client caches, for all identities and buckets.
MAX_SESSIONS = 1000
#: Seconds before its expiry at which a session is replaced, as in botocore; and up to which it is
#: used if it cannot be replaced, or while another caller replaces it.
ADVISORY, _MANDATORY = 45, 10

#: The expiry of a session that the service has rejected.
_REJECTED = float("-inf")

_now = Clock().now


class BucketSession(NamedTuple):
    """The credentials that sign the requests of one identity to one bucket."""

    #: Of botocore or aiobotocore; their ``repr`` shows no secret.
    credentials: Any
    access_key: str
    #: Seconds since 1970.
    expires: float
    created: float
    #: This session replaced a rejected one.
    replaced_rejected: bool = False
    #: It could not be replaced, and a warning says so.
    has_warned: bool = False

    def has_left(self, seconds: float) -> bool:
        """Return whether it lasts for more than ``seconds``."""
        return self.expires - _now() > seconds


class BucketSessions:
    """The bucket sessions of one client."""

    def __init__(self, flight: Any) -> None:
        """Take the ``SingleFlight`` that callers who need the same session share."""
        self.flight = flight
        #: By access key and bucket, the oldest first.
        self._cache: dict[tuple[str, str], BucketSession] = {}

    def get(self, access_key: str, bucket: str) -> BucketSession | None:
        """Return the session that this access key created for the bucket, if it is cached."""
        return self._cache.get((access_key, bucket))

    def add(self, access_key: str, bucket: str, session: BucketSession) -> None:
        """Cache a new session, and drop the oldest ones beyond the limit."""
        before = self.get(access_key, bucket)
        is_next = before is not None and before.expires == _REJECTED
        session = session._replace(replaced_rejected=is_next)
        use_last(self._cache, (access_key, bucket), session, MAX_SESSIONS)

    def mark_warned(self, access_key: str, bucket: str, session: BucketSession) -> None:
        """Note that a warning about this session was logged, if it is still in use."""
        if self.get(access_key, bucket) is session:
            self._cache[access_key, bucket] = session._replace(has_warned=True)

    def drop(self, access_key: str, bucket: str, rejected: str) -> None:
        """Stop using the session with the access key ``rejected``.

        A session that has just replaced a rejected one stays (see ``policy.YOUNG``).
        """
        cached = self.get(access_key, bucket)
        if cached is None or cached.access_key != rejected:
            return
        if not (cached.replaced_rejected and _now() - cached.created < YOUNG):
            self._cache[access_key, bucket] = cached._replace(expires=_REJECTED)


#: The key is botocore's own cache; each client has one.
_sessions: "WeakKeyDictionary[Any, BucketSessions]" = WeakKeyDictionary()


class RequestedBucket(str):  # noqa: SLOT000 - it has an attribute
    """The bucket of a ``CreateSession`` call, with the access key that signed the call.

    Credentials may be replaced after a request has looked up its session, and a call that the
    service rejects is sent again with newer credentials.
    """

    access_key = ""


class IdentityCache:
    """The object from which botocore takes the bucket session of one request."""

    #: The class that shares calls, and the one that holds the credentials of a session.
    FLIGHT: Any = SingleFlight
    CREDENTIALS: Any = Credentials

    def __init__(self, theirs: Any, access_key: str) -> None:
        """Take botocore's cache, which knows the client, and the current access key."""
        self._theirs, self.access_key = theirs, access_key
        self._sessions = _sessions.setdefault(theirs, BucketSessions(self.FLIGHT()))

    def get_credentials(self, bucket: str) -> Any:
        """Return the credentials of the bucket session, creating it with one call if needed.

        Raises:
            botocore.exceptions.ClientError: S3 refused to create a session.
        """
        session = self._cached_session(bucket)
        if session and session.has_left(ADVISORY):
            return session.credentials
        create = partial(self._create, bucket)
        try:
            flight, timeout = self._sessions.flight, 0 if session else None
            session = flight.run(create, key=(self.access_key, bucket), timeout=timeout)
        except (NeedsItselfError, StillUnderWayError):
            session = session or create()  # a signal handler came while this thread created one
        except Exception as error:  # noqa: BLE001 - raised again if there is no session
            session = self._after_failure(error, bucket, session)
        return session.credentials

    def drop(self, bucket: str, rejected: str) -> None:
        """See ``BucketSessions.drop``."""
        self._sessions.drop(self.access_key, bucket, rejected)

    def _cached_session(self, bucket: str) -> BucketSession | None:
        session = self._sessions.get(self.access_key, bucket)
        return session if session and session.has_left(_MANDATORY) else None

    def _create(self, bucket: str) -> BucketSession:
        requested = RequestedBucket(bucket)
        return self._add(requested, redact_logs(self._theirs.build_refresh_callback(requested)))

    def _add(self, requested: RequestedBucket, answer: Mapping[str, Any]) -> BucketSession:
        parts = (answer["access_key"], answer["secret_key"], answer["token"])
        expires = expiration(answer["expiry_time"]).timestamp()
        session = BucketSession(self.CREDENTIALS(*parts), parts[0], expires, _now())
        self._sessions.add(requested.access_key or self.access_key, str(requested), session)
        return session

    def _after_failure(
        self, error: Exception, bucket: str, session: BucketSession | None
    ) -> BucketSession:
        if session is None:
            raise error
        if not session.has_warned:
            text = "The session of bucket %s could not be refreshed (%s); it is still valid"
            logger.warning(text, bucket, type(error).__name__)
            self._sessions.mark_warned(self.access_key, bucket, session)
        return session


def botocore_cache(request: Any) -> Any:
    """Return botocore's cache of bucket sessions; None for a cache of the user's own."""
    found = request.context["signing"]["identity_cache"]
    return found if isinstance(found, S3ExpressIdentityCache) else None


def cache_by_identity(request: Any, request_signer: Any) -> None:
    """Cache the bucket session of a request by its identity."""
    theirs = botocore_cache(request)
    if theirs is not None:
        current = auth_instance(request_signer, signature_version="v4").credentials
        cache = IdentityCache(theirs, getattr(current, "access_key", ""))
        request.context["signing"]["identity_cache"] = cache


def bucket_sessions_of(context: Mapping[str, Any]) -> IdentityCache | None:
    """Return the cache from which a request took its bucket session, if it is one of these."""
    found = context.get("signing", {}).get("identity_cache")
    return found if isinstance(found, IdentityCache) else None


def note_creator(**event: Any) -> None:
    """Note the access key that created a session, at ``after-call.s3.CreateSession``."""
    context = event["context"]
    bucket = context["input_params"]["Bucket"]
    if isinstance(bucket, RequestedBucket):
        bucket.access_key = access_key_of(context)
