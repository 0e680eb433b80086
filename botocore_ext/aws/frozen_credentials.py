"""``FrozenCredentials``: what a provider returns, in any spelling that services use."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from botocore.credentials import Credentials
from botocore.utils import parse_timestamp

from ..runtime.awaiting import result_of

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

#: The method of credentials that belong to another identity at each request.
PER_REQUEST = "custom-per-request"
#: The fact about a value that cannot be sent in a request.
UNSENDABLE = "contains a line break or another character that cannot be sent"
#: What a secret access key may not have. It is not sent, so it may have characters that a header
#: may not, but not surrogates, which replace bytes that are not UTF-8: Python's error would show
#: the whole key. These patterns are compiled when they are needed, which is almost never.
_CONTROL = r"[\x00-\x1f\x7f\ud800-\udfff]"
_RFC_3339 = r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}([.,]\d+)?([Zz]| ?UTC|[+-]\d{2}:?\d{2})?"


class FieldError(ValueError):
    """A field of credentials cannot be used. The text names it and never shows its value."""

    def __init__(self, field: str, fact: str) -> None:
        """Take the field, as AWS spells it, and the fact, which completes "<field> ..."."""
        super().__init__(f"{field} {fact}")
        self.field = field
        self.fact = fact

    def __reduce__(self) -> tuple[type["FieldError"], tuple[str, str]]:
        """Pickle the error as its field and fact."""
        return type(self), (self.field, self.fact)


@dataclass(frozen=True)
class FrozenCredentials:
    """One set of AWS credentials. Its ``repr`` shows no secret."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    #: When the credentials expire, with a time zone; None if they do not expire.
    expiration: datetime | None = None
    #: The AWS account of the credentials; None if it is unknown.
    account_id: str | None = None
    #: The Cognito identity of the credentials; None for other sources.
    identity_id: str | None = None
    #: botocore's user-agent feature IDs for the providers that were used.
    features: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the fields. An expiration without a time zone is in UTC.

        Raises:
            ValueError: A value is missing, has a wrong type, or cannot be sent, such as one with a
                line break (``FieldError``).
        """
        for name, (spelling, *_) in SPELLINGS.items():
            value = getattr(self, name)
            if name == "expiration" or value is None:
                continue
            if not isinstance(value, str):
                raise FieldError(spelling, "is not a string")
            if name != "secret_key":
                check_sendable(spelling, value)
            elif not value.isprintable() and re.search(_CONTROL, value):
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
        """Return what botocore signs with, in the order of its ``ReadOnlyCredentials``."""
        return self.access_key, self.secret_key, self.token, self.account_id

    def masked(self) -> str:
        """Return the access key ID with all but its last four characters masked."""
        return "*" * 16 + self.access_key[-4:]

    def with_features(self, features: Sequence[str]) -> "FrozenCredentials":
        """Return the same credentials with more feature IDs, which come first."""
        if not features:
            return self
        same = copy(self)  # not replace(), which would check every field again
        object.__setattr__(same, "features", (*features, *self.features))
        return same

    @classmethod
    def from_sts(cls, answer: Mapping[str, Any]) -> "FrozenCredentials":
        """Read the answer of an STS operation that assumes a role. Its ARN has the account.

        Raises:
            FieldError: See ``from_mapping``.
        """
        credentials, user = member(answer, "Credentials"), answer.get("AssumedRoleUser")
        arn = user.get("Arn") if isinstance(user, Mapping) else None
        match arn.split(":") if isinstance(arn, str) else ():
            case ["arn", _, "sts", "", account, _, *_] if account.isdecimal():
                credentials = {**credentials, "AccountId": account}
        return cls.from_mapping(credentials)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "FrozenCredentials":
        """Read credentials as STS, Cognito, container endpoints and botocore name their fields.

        An empty value counts as missing, and an account may be a number.

        Raises:
            ValueError: A value is missing, has a wrong type or cannot be sent (``FieldError``).
        """
        if not isinstance(mapping, Mapping):
            raise FieldError("it", "is not an object")
        fields: dict[str, Any] = {}
        for name, spellings in SPELLINGS.items():
            value = next((mapping[key] for key in spellings if mapping.get(key) is not None), None)
            if value is None or (isinstance(value, str) and not value.strip()):
                continue
            if name == "account_id" and type(value) is int and value >= 0:
                value = f"{value:012d}"
            fields[name] = value
        return cls(**{"access_key": "", "secret_key": "", **fields})

    @classmethod
    def of(
        cls, value: "FrozenCredentials | Credentials | Mapping[str, Any]"
    ) -> "FrozenCredentials":
        """Read credentials from any type that a callable may return.

        Raises:
            ValueError: ``value`` has another type, or a field cannot be used (``FieldError``).
            Exception: The error of a credentials object that has to fetch.
        """
        if isinstance(value, FrozenCredentials):
            return value
        if isinstance(value, Credentials):
            return cls.from_credentials(value)
        if isinstance(value, Mapping):
            return cls.from_mapping(value)
        kind = type(value).__name__
        raise FieldError(kind, "is neither FrozenCredentials, botocore credentials nor a mapping")

    @classmethod
    def from_credentials(cls, credentials: Credentials) -> "FrozenCredentials":
        """Read the current credentials of a credentials object of botocore or aiobotocore.

        Raises:
            FieldError: See ``from_mapping``.
            FetchError: It is an object of aiobotocore in a session that is not.
        """
        if credentials.method == PER_REQUEST:
            raise FieldError(type(credentials).__name__, "is another identity at each request")
        method = f"{type(credentials).__name__}.get_frozen_credentials()"
        frozen = result_of(credentials.get_frozen_credentials(), credentials.method, method)
        if frozen is None:
            raise FieldError(method, "returned None")
        found = cls.from_mapping(
            {
                "access_key": frozen.access_key,
                "secret_key": frozen.secret_key,
                "token": frozen.token,
                "account_id": getattr(frozen, "account_id", None),
                "identity_id": getattr(credentials, "identity_id", None),
                "expiration": getattr(
                    credentials, "expiration", getattr(credentials, "_expiry_time", None)
                ),
            }
        )
        return found.with_features(getattr(credentials, "_features", ()))


def check_sendable(field: str, value: object) -> None:
    """Check a value that is sent in a header.

    Raises:
        FieldError: It cannot be sent: the error of the HTTP library would show the value.
    """
    if isinstance(value, str) and not (value.isascii() and value.isprintable()):
        raise FieldError(field, UNSENDABLE)


def member(answer: Any, name: str) -> Mapping[str, Any]:
    """Return the object under ``name`` in an answer.

    Raises:
        FieldError: It is missing or not an object.
    """
    value: object = answer.get(name) if isinstance(answer, Mapping) else None
    if isinstance(value, Mapping):
        return value
    raise FieldError(name, "is missing" if value is None else "is not an object")


def expiration(value: Any) -> datetime:
    """Convert a datetime, an RFC 3339 text or seconds since 1970 to a time in UTC.

    A time without a time zone is in UTC.

    Raises:
        FieldError: ``value`` is not a time.
    """
    if isinstance(value, str) and re.fullmatch(_RFC_3339, value.strip()) is None:
        raise FieldError("Expiration", "is not an RFC 3339 time")
    moment: datetime | None = value if isinstance(value, datetime) else None
    if moment is None and not isinstance(value, bool):
        text: Any = value
        # Security: the parser's errors show the value.
        with suppress(ValueError, TypeError, OverflowError, OSError, RuntimeError):
            moment = parse_timestamp(text)
    if moment is None:
        raise FieldError("Expiration", "is not a time")
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:  # within hours of the first or the last possible year
        return moment.replace(tzinfo=timezone.utc)


def rfc_3339(time: datetime) -> str:
    """Return a time as AWS writes it: ``2026-11-22T13:00:00Z``."""
    return f"{time.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
