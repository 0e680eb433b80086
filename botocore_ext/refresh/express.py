"""Bucket sessions of S3 Express, kept by the access key that created them.

A request to a directory bucket is signed with a session that ``CreateSession`` returns for five
minutes. botocore keeps sessions by client and bucket: after another token, or in a chain that has
changed its identity, requests would go on as the user before.
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
from ..runtime.single_flight import NeedsItselfError, SingleFlight, StillUnderWayError
from ..system import Clock
from .notes import auth_of, notes_of
from .policy import YOUNG

logger = logging.getLogger(__name__)

#: Sessions that one client keeps, for all identities and buckets.
KEPT = 1000
#: Seconds before its end at which a session is replaced, as botocore does it; and until which it
#: stays in use where it cannot be replaced, or another caller does that.
ADVISORY, _MANDATORY = 45, 10

#: When a session ends that the service has rejected.
_REJECTED = float("-inf")

_now = Clock().now


class BucketSession(NamedTuple):
    """What the requests of one identity to one bucket are signed with."""

    #: Of botocore or aiobotocore; no ``repr`` shows what is in it.
    credentials: Any
    access_key: str
    #: Seconds since 1970.
    expires: float
    created: float
    #: It replaced one that the service had rejected.
    replaced_rejected: bool = False

    def but(self, **changes: Any) -> "BucketSession":
        """Return the same with some changes."""
        return self._replace(**changes)

    def has_left(self, seconds: float) -> bool:
        """Whether it lasts for more than ``seconds``."""
        return self.expires - _now() > seconds


class BucketSessions:
    """The bucket sessions of one client."""

    def __init__(self, flight: Any) -> None:
        """Take what makes one call for all who need the same session; keep none yet."""
        self.flight = flight
        #: By access key and bucket, the oldest first.
        self._kept: dict[tuple[str, str], BucketSession] = {}

    def get(self, access_key: str, bucket: str) -> BucketSession | None:
        """Return the session that this access key created for the bucket, if it is kept."""
        return self._kept.get((access_key, bucket))

    def keep(self, access_key: str, bucket: str, session: BucketSession) -> None:
        """Keep a new session, and drop the oldest ones beyond the limit."""
        before = self._kept.pop((access_key, bucket), None)
        is_next = before is not None and before.expires == _REJECTED
        self._kept[access_key, bucket] = session.but(replaced_rejected=is_next)
        for oldest in list(self._kept)[:-KEPT]:
            self._kept.pop(oldest, None)

    def drop(self, access_key: str, bucket: str, rejected: str) -> None:
        """Do not use the session with the access key ``rejected`` again.

        One that has just replaced a rejected session stays (see ``refresh.YOUNG``).
        """
        kept = self.get(access_key, bucket)
        if kept is None or kept.access_key != rejected:
            return
        if not (kept.replaced_rejected and _now() - kept.created < YOUNG):
            self._kept[access_key, bucket] = kept.but(expires=_REJECTED)


#: By botocore's cache, of which each client has one.
_sessions: "WeakKeyDictionary[Any, BucketSessions]" = WeakKeyDictionary()


class Asked(str):  # noqa: SLOT000 - it has an attribute
    """The bucket in a call of ``CreateSession``, which notes what the call was signed with.

    Credentials may be replaced after a request has looked for its session, and a call that the
    service rejects is sent again with newer ones.
    """

    access_key = ""


class IdentityCache:
    """What botocore asks for the bucket session of one request."""

    #: What shares calls, and what holds the credentials of a session.
    FLIGHT: Any = SingleFlight
    CREDENTIALS: Any = Credentials

    def __init__(self, theirs: Any, access_key: str) -> None:
        """Take botocore's cache, which knows the client, and the access key in force."""
        self._theirs, self.access_key = theirs, access_key
        self._sessions = _sessions.setdefault(theirs, BucketSessions(self.FLIGHT()))

    def get_credentials(self, bucket: str) -> Any:
        """Return what to sign with; one round trip where there is no session.

        Raises:
            botocore.exceptions.ClientError: S3 refused to create a session.
        """
        kept = self._kept(bucket)
        if kept and kept.has_left(ADVISORY):
            return kept.credentials
        create = partial(self._create, bucket)
        try:
            flight, patience = self._sessions.flight, 0 if kept else None
            kept = flight.run(create, key=(self.access_key, bucket), patience=patience)
        except (NeedsItselfError, StillUnderWayError):
            kept = kept or create()  # a signal handler came while this thread created one
        except Exception as error:  # noqa: BLE001 - raised again where there is no session
            kept = self._after(error, bucket, kept)
        return kept.credentials

    def drop(self, bucket: str, rejected: str) -> None:
        """See ``BucketSessions.drop``."""
        self._sessions.drop(self.access_key, bucket, rejected)

    def _kept(self, bucket: str) -> BucketSession | None:
        kept = self._sessions.get(self.access_key, bucket)
        return kept if kept and kept.has_left(_MANDATORY) else None

    def _create(self, bucket: str) -> BucketSession:
        asked = Asked(bucket)
        return self._created(asked, redact_logs(self._theirs.build_refresh_callback(asked)))

    def _created(self, asked: Asked, answer: Mapping[str, Any]) -> BucketSession:
        parts = (answer["access_key"], answer["secret_key"], answer["token"])
        expires = expiration(answer["expiry_time"]).timestamp()
        session = BucketSession(self.CREDENTIALS(*parts), parts[0], expires, _now())
        self._sessions.keep(asked.access_key or self.access_key, str(asked), session)
        return session

    def _after(self, error: Exception, bucket: str, kept: BucketSession | None) -> BucketSession:
        if kept is None:
            raise error
        text = "The session of the bucket %s cannot be renewed (%s); it is still valid"
        logger.warning(text, bucket, type(error).__name__)
        return kept


def cache_of_botocore(request: Any) -> Any:
    """Return what botocore takes the request's bucket session from; None if it needs none."""
    found = request.context.get("signing", {}).get("identity_cache")
    return found if isinstance(found, S3ExpressIdentityCache) else None


def put(request: Any, cache: IdentityCache) -> None:
    """Let the request take its bucket session from ``cache``."""
    signing, notes = request.context["signing"], notes_of(request.context)
    signing["identity_cache"] = notes.bucket_sessions = cache
    notes.bucket = signing["cache_key"]


def keep_by_identity(request: Any, request_signer: Any, **_: object) -> None:
    """Keep the bucket session of a request by its identity, last at ``before-sign.s3``."""
    theirs = cache_of_botocore(request)
    if theirs is not None:
        in_force = auth_of(request_signer, signature_version="v4").credentials
        put(request, IdentityCache(theirs, getattr(in_force, "access_key", "")))


def note_creator(context: dict[str, Any], **_: object) -> None:
    """Note what created a session, at ``after-call.s3.CreateSession``."""
    bucket = context["input_params"]["Bucket"]
    if isinstance(bucket, Asked):
        bucket.access_key = notes_of(context).access_key
