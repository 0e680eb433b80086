"""``Keys``: what a provider obtained, and every spelling that services use for it."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from botocore.credentials import Credentials
from botocore.utils import parse_timestamp

from .threads.awaiting import awaited

#: Field of ``Keys`` -> the names under which STS, Cognito, container endpoints,
#: credential processes, botocore and the AWS SDK for JavaScript return it.
SPELLINGS = {
    "access_key": ("AccessKeyId", "access_key", "accessKeyId"),
    "secret_key": ("SecretAccessKey", "SecretKey", "secret_key", "secretAccessKey"),
    "token": ("SessionToken", "Token", "token", "sessionToken"),
    "expiration": ("Expiration", "expiry_time", "expiration"),
    "account_id": ("AccountId", "account_id", "accountId"),
    "identity_id": ("IdentityId", "identity_id", "identityId"),
}

_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}([.,]\d+)?([Zz]| ?UTC|[+-]\d{2}:?\d{2})?",
)


@dataclass(frozen=True)
class Keys:
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
            ValueError: A key is missing or no string, or the expiration is no ``datetime``.
        """
        given: tuple[tuple[str, object], ...] = (
            ("AccessKeyId", self.access_key),
            ("SecretAccessKey", self.secret_key),
        )
        for spelling, value in given:
            if not isinstance(value, str) or not value:
                msg = f"{spelling} is missing" if not value else f"{spelling} is not a string"
                raise ValueError(msg)
        if self.expiration is not None:
            object.__setattr__(self, "expiration", expiration(self.expiration))

    def parts(self) -> tuple[str, str, str | None, str | None]:
        """Return what botocore signs with, in its order."""
        return self.access_key, self.secret_key, self.token, self.account_id

    def masked(self) -> str:
        """Return the access key as it may be shown: its last four characters."""
        return "*" * 16 + self.access_key[-4:]

    def through(self, features: Sequence[str]) -> "Keys":
        """Return the same keys, with ``features`` among the ways by which they came."""
        return replace(self, features=(*features, *self.features)) if features else self

    @classmethod
    def from_sts(cls, answer: Mapping[str, Any]) -> "Keys":
        """Read the answer of an STS operation that assumes a role; its ARN names the account.

        Raises:
            ValueError: See ``from_mapping``.
        """
        # arn:partition:sts::ACCOUNT:assumed-role/NAME/SESSION
        arn = answer.get("AssumedRoleUser", {}).get("Arn", "").split(":")
        account = {"AccountId": arn[4]} if arn[4:] else {}
        return cls.from_mapping(answer.get("Credentials", {}) | account)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Keys":
        """Read keys in any spelling of ``SPELLINGS``.

        Raises:
            ValueError: The access key or secret key is missing, a value has a wrong type,
                or the expiration cannot be read. The text names the field, never a value.
        """
        found: dict[str, Any] = {}
        for name, spellings in SPELLINGS.items():
            value = next((mapping[key] for key in spellings if mapping.get(key) is not None), None)
            if value in (None, ""):
                continue
            if name != "expiration" and not isinstance(value, str):
                msg = f"{spellings[0]} is not a string"
                raise ValueError(msg)
            found[name] = value
        return cls(**{"access_key": "", "secret_key": "", **found})

    @classmethod
    def of(cls, source: "Keys | Credentials | Mapping[str, Any]") -> "Keys":
        """Read keys from whatever a function of the user's may return.

        Raises:
            ValueError: It is none of these, or a mapping without keys.
        """
        if isinstance(source, Keys):
            return source
        if isinstance(source, Credentials):
            return cls.from_credentials(source)
        if isinstance(source, Mapping):
            return cls.from_mapping(source)
        msg = f"{type(source).__name__} is neither Keys, botocore credentials nor a mapping"
        raise ValueError(msg)

    @classmethod
    def from_credentials(cls, credentials: Credentials) -> "Keys":
        """Read the keys that a botocore credentials object holds now, or one of aiobotocore.

        Raises:
            FetchError: It is one of aiobotocore, and the session that asks is none.
        """
        what = f"{type(credentials).__name__}.get_frozen_credentials()"
        frozen = awaited(credentials.get_frozen_credentials(), credentials.method, what)
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
        return keys.through(getattr(credentials, "features", ()))


def expiration(value: Any) -> datetime:
    """Return a datetime, an RFC 3339 text or seconds since 1970 as a time in UTC.

    A time without a zone is taken for UTC.
    """
    if isinstance(value, str) and _RFC_3339.fullmatch(value.strip()) is None:
        msg = "Expiration is not an RFC 3339 time"
        raise ValueError(msg)
    moment: datetime | None = value if isinstance(value, datetime) else None
    if moment is None:  # the errors of the parser show the value
        text: Any = value
        with suppress(ValueError, TypeError, OverflowError, OSError, RuntimeError):
            moment = parse_timestamp(text)
    if moment is None:
        msg = "Expiration is not a time"
        raise ValueError(msg)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:  # within hours of the first or the last year: these do not count
        return moment.replace(tzinfo=timezone.utc)
