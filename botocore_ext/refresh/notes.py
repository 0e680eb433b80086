"""``Notes`` on a request of a client, for the case that a service rejects its credentials."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: The access key in an ``Authorization`` header, as every signature in use has it.
_ACCESS_KEY = re.compile(r"(?:Credential=|AWS )([^/:,\s]+)[/:]")
#: The key of the notes in the context of a request, which all attempts share.
_NOTES = "botocore_ext_notes"


@dataclass
class Notes:
    """What is known about one request of a client."""

    #: The ``RequestSigner`` of botocore or aiobotocore.
    signer: Any = None
    #: The access key that signed the last attempt; empty for an unsigned one.
    access_key: str = ""
    #: The ``express.IdentityCache`` of the request, and the bucket.
    bucket_sessions: Any = None
    bucket: str = ""
    #: The ``ProviderCredentials`` that the rejected access key came from.
    holders: Sequence[Any] = ()
    #: A stream among the parameters cannot be rewound to its position at the call.
    begins_elsewhere: bool = False
    resent: bool = False

    def auth(self) -> Any:
        """Return the auth instance of the next attempt; await that of aiobotocore.

        It comes from the signer, because a client may have explicit credentials.
        """
        if self.bucket_sessions is None:
            return auth_instance(self.signer)
        express = {"identity_cache": self.bucket_sessions, "cache_key": self.bucket}
        return auth_instance(self.signer, signature_version="v4-s3express", **express)

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
        self.resent = True
        return 0


def auth_instance(signer: Any, **signature: Any) -> Any:
    """Return the signer's auth instance with these arguments, or with its defaults."""
    return signer.get_auth_instance(signer.signing_name, signer.region_name, **signature)


def notes_of(context: dict[str, Any]) -> Notes:
    """Return the notes in the context of a request, empty at first."""
    notes: Notes = context.setdefault(_NOTES, Notes())
    return notes


def note_streams(params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
    """Note a stream that is not at its beginning, to which botocore would rewind it.

    At ``before-parameter-build``: later a stream may be wrapped and have no position.
    """
    streams = [value for value in params.values() if hasattr(value, "read")]
    notes_of(context).begins_elsewhere = any(_position(stream) != 0 for stream in streams)


def _position(stream: Any) -> int | None:
    try:
        position: int = stream.tell()
    except Exception:  # noqa: BLE001 - the caller's stream may raise anything
        return None
    return position


def note_signer(request: Any, request_signer: object, **_: object) -> None:
    """Note the signer, at ``before-sign``."""
    notes_of(request.context).signer = request_signer


def note_access_key(request: Any, **_: object) -> None:
    """Note the access key that signed an attempt, at ``request-created``."""
    found = _ACCESS_KEY.search(str(request.headers.get("Authorization", "")))
    notes_of(request.context).access_key = found[1] if found else ""
