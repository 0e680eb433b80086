"""``Notes``: what is known of a request of a client, should a service reject its keys."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: The access key in an ``Authorization`` header, as every signature in use has it.
_ACCESS_KEY = re.compile(r"(?:Credential=|AWS )([^/:,\s]+)[/:]")
#: The name of our notes in the context of a request, which lasts over all its attempts.
_NOTES = "botocore_ext.refresh.notes"


@dataclass
class Notes:
    """What is known of one request of a client."""

    #: What signs for the client; botocore's ``RequestSigner``, or aiobotocore's.
    signer: Any = None
    #: That with which the last attempt was signed; empty for one that was not.
    access_key: str = ""
    #: What gives the bucket session that it was signed with (see ``express``), and the bucket.
    bucket_sessions: Any = None
    bucket: str = ""
    #: The credentials of ours that it was of when it was rejected.
    holders: Sequence[Any] = ()
    #: A stream among the parameters cannot be rewound to where the caller had it.
    begins_elsewhere: bool = False
    resent: bool = False

    def auth(self) -> Any:
        """Return what the next attempt would be signed with; aiobotocore's is to be awaited.

        The signer is asked, not our credentials: a client with explicit keys goes on with these.
        """
        if self.bucket_sessions is None:
            return auth_of(self.signer)
        express = {"identity_cache": self.bucket_sessions, "cache_key": self.bucket}
        return auth_of(self.signer, signature_version="v4-s3express", **express)

    @property
    def identity(self) -> str:
        """The access key of the last attempt, or the one that created its bucket session."""
        found: str = getattr(self.bucket_sessions, "access_key", self.access_key)
        return found

    def resend_with(self, access_key: str) -> int | None:
        """Give the seconds to wait before another attempt with this access key, or None.

        None, too, where the token was replaced while new keys were fetched: they may be those of
        another user.
        """
        is_theirs = any(one.has_served(self.identity) for one in self.holders)
        if access_key == self.access_key or not is_theirs:
            return None
        self.resent = True
        return 0


def auth_of(signer: Any, **signature: Any) -> Any:
    """Return what a client signs with now, as ``signature`` says or by its default."""
    return signer.get_auth_instance(signer.signing_name, signer.region_name, **signature)


def notes_of(context: dict[str, Any]) -> Notes:
    """Return the notes in the context of a request, empty at first."""
    notes: Notes = context.setdefault(_NOTES, Notes())
    return notes


def note_streams(params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
    """Note a stream that does not begin where it stands: botocore rewinds to its beginning.

    At ``before-parameter-build``: later it may be wrapped, and does not tell its position any more.
    """
    streams = [value for value in params.values() if hasattr(value, "read")]
    notes_of(context).begins_elsewhere = any(_position(stream) != 0 for stream in streams)


def _position(stream: Any) -> int | None:
    try:
        position: int = stream.tell()
    except Exception:  # noqa: BLE001 - a stream of the caller's may raise anything
        return None
    return position


def note_signer(request: Any, request_signer: object, **_: object) -> None:
    """Note what signs, at ``before-sign``."""
    notes_of(request.context).signer = request_signer


def note_access_key(request: Any, **_: object) -> None:
    """Note what an attempt is signed with, at ``request-created``."""
    found = _ACCESS_KEY.search(str(request.headers.get("Authorization", "")))
    notes_of(request.context).access_key = found[1] if found else ""
