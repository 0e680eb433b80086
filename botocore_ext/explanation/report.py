"""An explanation, as data and as text, without secrets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum

from ..aws.frozen_credentials import FrozenCredentials
from ..errors import without_users


class Outcome(str, Enum):
    """What happened to one provider."""

    NOT_CONFIGURED = "not configured"
    FOUND = "found"
    #: An earlier provider was used, failed or was not tried.
    SKIPPED = "skipped"
    FAILED = "failed"
    #: The first configured provider was not tried: ``offline``, or a person would have to answer.
    NOT_TRIED = "not tried"


#: ANSI codes, for a terminal.
_COLORS = {
    Outcome.NOT_CONFIGURED: "2",
    Outcome.FOUND: "32",
    Outcome.SKIPPED: "33",
    Outcome.FAILED: "31",
    Outcome.NOT_TRIED: "36",
}
_WIDTH = max(len(outcome.value) for outcome in Outcome)


@dataclass(frozen=True)
class Setting:
    """An option that is set."""

    #: The keyword, ini key or variable, as it is written there.
    name: str
    #: ``(set)`` for what may be a secret; the last four characters of an access key.
    value: str
    #: ``code``, ``environment``, or file and line.
    origin: str

    def __str__(self) -> str:
        """Return the setting as it might be written, and where it is."""
        return f"{self.name} = {self.value}  ({self.origin})"


@dataclass(frozen=True)
class Call:
    """A request that retrieved the credentials, with all its attempts."""

    #: Service and operation, or what was done instead.
    operation: str
    host: str
    #: None where there is none: an endpoint, a process.
    region: str | None
    milliseconds: int

    def __str__(self) -> str:
        """Return all of it on one line."""
        where = f" in {self.region}" if self.region else ""
        return f"{self.operation}{where} at {self.host}: {self.milliseconds} ms"


@dataclass(frozen=True)
class Step:
    """One provider of the chain."""

    #: Its METHOD; for a link of a chain the name, as the user wrote it.
    provider: str
    outcome: Outcome
    #: Why it is not configured, was skipped, failed or was not tried.
    reason: str = ""
    settings: tuple[Setting, ...] = ()
    calls: tuple[Call, ...] = ()
    #: The links of a credential chain that were tried.
    links: tuple["Step", ...] = ()

    def lines(self, width: int, *, color: bool) -> Iterator[str]:
        """Yield the line of this provider, then its settings, calls and links."""
        outcome = f"{self.outcome.value:<{_WIDTH}}"
        if color:
            outcome = f"\x1b[{_COLORS[self.outcome]}m{outcome}\x1b[0m"
        yield f"{outcome}  {self.provider:<{width}}  {self.reason}".rstrip()
        for detail in (*self.settings, *self.calls):
            yield f"{'':<{_WIDTH}}    {detail}"
        for link in self.links:
            reason = f": {link.reason}" if link.reason else ""
            yield f"{'':<{_WIDTH}}    link {link.provider}: {link.outcome.value}{reason}"


@dataclass(frozen=True)
class Found:
    """The credentials that were found."""

    provider: str
    #: Masked except for its last four characters.
    access_key: str
    #: None if the source does not name it.
    account_id: str | None
    #: None for credentials that do not expire, or whose source names no expiration.
    expiration: datetime | None
    #: When they were found.
    seen: datetime

    @classmethod
    def of(cls, provider: str, credentials: FrozenCredentials, now: float) -> "Found":
        """Return what may be shown of ``credentials``."""
        seen = datetime.fromtimestamp(now, timezone.utc)
        masked, account = credentials.masked(), credentials.account_id
        return cls(provider, masked, account, credentials.expiration, seen)

    def __str__(self) -> str:
        """Return all of it on one line."""
        account = f", account {self.account_id}" if self.account_id else ""
        end = "no expiration"
        if self.expiration is not None:
            left = (self.expiration - self.seen).total_seconds()
            utc = self.expiration.astimezone(timezone.utc)
            end = f"expires {utc:%Y-%m-%d %H:%M:%S} UTC, in {left:.0f} s"
        return f"access key {self.access_key}{account}, {end}"


@dataclass(frozen=True)
class Explanation:
    """Why a session finds the credentials that it finds, or none. ``str`` is for people."""

    profile: str
    #: What names the profile.
    profile_from: str
    #: The two AWS files, and why botocore cannot read one.
    files: tuple[str, ...]
    steps: tuple[Step, ...]
    found: Found | None
    #: The result in one sentence.
    conclusion: str
    #: What to know or to do, the most likely remedy first.
    notes: tuple[str, ...] = ()

    def text(self, *, color: bool = False) -> str:
        """Return the text of ``str``, with colors for a terminal."""
        width = max((len(step.provider) for step in self.steps), default=0)
        lines = [f"profile '{self.profile}' ({self.profile_from}) of {' and '.join(self.files)}"]
        for step in self.steps:
            lines += step.lines(width, color=color)
        lines += [self.conclusion, *(f"- {note}" for note in self.notes)]
        return "\n".join(lines)

    def __str__(self) -> str:
        """Return a line for each provider, and what to do."""
        return self.text()


# What may be shown of a value.

#: Settings whose values may be shown; of all others only that they are set.
_PUBLIC = {
    "aws_account_id", "credential_source", "duration_seconds", "mfa_serial", "role_arn",
    "role_session_name", "source_profile", "sso_account_id", "sso_region", "sso_role_name",
    "sso_session", "sso_start_url", "web_identity_token_file", "login_session",
    "AWS_ACCOUNT_ID", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "BOTO_CONFIG",
}  # fmt: skip
_LONGEST = 120


def redact(name: str, value: object) -> str:
    """Return what may be shown of a setting that botocore reads."""
    if name.lower() == "aws_access_key_id":
        return "*" * 16 + str(value)[-4:]
    return printable(value) if name in _PUBLIC else "(set)"


def printable(value: object) -> str:
    """Return a value that is not a secret, unless it is long or would control the terminal."""
    text = str(value)
    return text if text.isprintable() and len(text) <= _LONGEST else "(set)"


def host_of(url: str) -> str:
    """Return host and port of a URL; its user, path and query may hold a secret."""
    return re.split("[/?#]", without_users(url).partition("//")[2], maxsplit=1)[0]
