"""``FrozenCredentials``: what a provider obtained, and every spelling that services use for it."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from botocore.credentials import Credentials
from botocore.utils import parse_timestamp

from ..runtime.awaiting import awaited

#: Field of ``FrozenCredentials`` -> the names under which STS, Cognito, container endpoints,
#: credential processes, botocore and the AWS SDK for JavaScript return it.
SPELLINGS = {
    "access_key": ("AccessKeyId", "access_key", "accessKeyId"),
    "secret_key": ("SecretAccessKey", "SecretKey", "secret_key", "secretAccessKey"),
    "token": ("SessionToken", "Token", "token", "sessionToken"),
    "expiration": ("Expiration", "expiry_time", "expiration"),
    "account_id": ("AccountId", "account_id", "accountId"),
    "identity_id": ("IdentityId", "identity_id", "identityId"),
}

#: The fact of a value that no request can carry.
UNSENDABLE = "contains a line break or another character that cannot be sent"
#: What an HTTP header carries. A secret key is not sent, so it may have letters beyond ASCII, but
#: not the halves of characters that stand for bytes that are not UTF-8: Python's error has it all.
_SENDABLE = re.compile(r"[ -~]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
#: What names the account in the ARN of a role session.
_ACCOUNT = re.compile(r"arn:[^:]*:sts::(\d+):")

_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}([.,]\d+)?([Zz]| ?UTC|[+-]\d{2}:?\d{2})?",
)


class FieldError(ValueError):
    """A field of credentials that cannot be used; the text names it, and never shows its value."""

    def __init__(self, field: str, fact: str) -> None:
        """Take the field, as AWS spells it, and the fact, which completes "<field> ..."."""
        super().__init__(f"{field} {fact}")
        #: A field of ``SPELLINGS``, spelled as there.
        self.field = field
        self.fact = fact

    def __reduce__(self) -> tuple[type["FieldError"], tuple[str, str]]:
        """Travel as the field and the fact."""
        return type(self), (self.field, self.fact)


@dataclass(frozen=True)
class FrozenCredentials:
    """One set of AWS credentials. Its ``repr`` shows no secret."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    #: When the keys stop working, with a time zone; None when they do not expire.
    expiration: datetime | None = None
    #: The AWS account of the keys; None when the source does not say.
    account_id: str | None = None
    #: The Cognito identity of the keys; None for every other source.
    identity_id: str | None = None
    #: botocore's user-agent feature ids for the ways by which the keys came.
    features: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check what was given, and take an expiration without a time zone for UTC.

        Raises:
            FieldError: A value is missing, has a wrong type, or cannot be sent, such as one
                with a line break.
        """
        for name, (spelling, *_) in SPELLINGS.items():
            value = getattr(self, name)
            if name == "expiration" or value is None:
                continue
            if not isinstance(value, str):
                raise FieldError(spelling, "is not a string")
            is_secret = name == "secret_key"  # never sent itself
            if _CONTROL.search(value) if is_secret else not _SENDABLE.fullmatch(value):
                raise FieldError(spelling, UNSENDABLE)
        for spelling, value in (
            ("AccessKeyId", self.access_key),
            ("SecretAccessKey", self.secret_key),
        ):
            if not value:
                raise FieldError(spelling, "is missing")
        if self.expiration is not None:
            object.__setattr__(self, "expiration", expiration(self.expiration))

    def parts(self) -> tuple[str, str, str | None, str | None]:
        """Return what botocore signs with, in its order."""
        return self.access_key, self.secret_key, self.token, self.account_id

    def masked(self) -> str:
        """Return the access key as it may be shown: its last four characters."""
        return "*" * 16 + self.access_key[-4:]

    def through(self, features: Sequence[str]) -> "FrozenCredentials":
        """Return the same keys, with ``features`` among the ways by which they came."""
        if not features:
            return self
        same = copy(self)  # not replace(), which would check every value again
        object.__setattr__(same, "features", (*features, *self.features))
        return same

    @classmethod
    def from_sts(cls, answer: Mapping[str, Any]) -> "FrozenCredentials":
        """Read the answer of an STS operation that assumes a role; its ARN names the account.

        Raises:
            FieldError: See ``from_mapping``.
        """
        credentials, user = member(answer, "Credentials"), answer.get("AssumedRoleUser")
        arn = user.get("Arn") if isinstance(user, Mapping) else None
        account = _ACCOUNT.match(arn) if isinstance(arn, str) else None
        return cls.from_mapping({**credentials, **({"AccountId": account[1]} if account else {})})

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "FrozenCredentials":
        """Read keys in any spelling of ``SPELLINGS``.

        What is empty is not there, and an account may be a number.

        Raises:
            FieldError: A value is missing, has a wrong type or cannot be sent.
        """
        if not isinstance(mapping, Mapping):
            raise FieldError("it", "is not an object")
        found: dict[str, Any] = {}
        for name, spellings in SPELLINGS.items():
            value = next((mapping[key] for key in spellings if mapping.get(key) is not None), None)
            if value is None or (isinstance(value, str) and not value.strip()):
                continue
            if name == "account_id" and type(value) is int and value >= 0:
                value = f"{value:012d}"
            found[name] = value
        return cls(**{"access_key": "", "secret_key": "", **found})

    @classmethod
    def of(
        cls, source: "FrozenCredentials | Credentials | Mapping[str, Any]"
    ) -> "FrozenCredentials":
        """Read keys from whatever a function of the user's may return.

        Raises:
            FieldError: It is none of these, or a mapping without keys.
        """
        if isinstance(source, FrozenCredentials):
            return source
        if isinstance(source, Credentials):
            return cls.from_credentials(source)
        if isinstance(source, Mapping):
            return cls.from_mapping(source)
        kind = type(source).__name__
        raise FieldError(kind, "is neither FrozenCredentials, botocore credentials nor a mapping")

    @classmethod
    def from_credentials(cls, credentials: Credentials) -> "FrozenCredentials":
        """Read the keys that a botocore credentials object holds now, or one of aiobotocore.

        Raises:
            FieldError: See ``from_mapping``.
            FetchError: It is one of aiobotocore, and the session that asks is none.
        """
        what = f"{type(credentials).__name__}.get_frozen_credentials()"
        frozen = awaited(credentials.get_frozen_credentials(), credentials.method, what)
        if frozen is None:
            raise FieldError(what, "returned None")
        keys = cls.from_mapping(
            {
                "access_key": frozen.access_key,
                "secret_key": frozen.secret_key,
                "token": frozen.token,
                "account_id": getattr(frozen, "account_id", None),
                "identity_id": getattr(credentials, "identity_id", None),
                "expiration": getattr(
                    credentials, "expiration", getattr(credentials, "_expiry_time", None)
                ),
            },
        )
        return keys.through(getattr(credentials, "_features", ()))


def check_sendable(field: str, value: object) -> None:
    """Check what is sent in a header.

    Raises:
        FieldError: No header carries it: the error of the HTTP library would show all of it.
    """
    if isinstance(value, str) and _SENDABLE.fullmatch(value) is None:
        raise FieldError(field, UNSENDABLE)


def member(answer: Any, name: str) -> Mapping[str, Any]:
    """Return the object under ``name`` in what a service, or what stands for it, answered.

    Raises:
        FieldError: It is missing, or something else.
    """
    found: object = answer.get(name) if isinstance(answer, Mapping) else None
    if isinstance(found, Mapping):
        return found
    raise FieldError(name, "is missing" if found is None else "is not an object")


def expiration(value: Any) -> datetime:
    """Return a datetime, an RFC 3339 text or seconds since 1970 as a time in UTC.

    A time without a zone is taken for UTC.

    Raises:
        FieldError: It is none of these.
    """
    if isinstance(value, str) and _RFC_3339.fullmatch(value.strip()) is None:
        raise FieldError("Expiration", "is not an RFC 3339 time")
    moment: datetime | None = value if isinstance(value, datetime) else None
    if moment is None and not isinstance(value, bool):  # the errors of the parser show the value
        text: Any = value
        with suppress(ValueError, TypeError, OverflowError, OSError, RuntimeError):
            moment = parse_timestamp(text)
    if moment is None:
        raise FieldError("Expiration", "is not a time")
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:  # within hours of the first or the last year: these do not count
        return moment.replace(tzinfo=timezone.utc)
