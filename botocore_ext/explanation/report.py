"""What was explained, as data and as text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum

from ..aws.frozen_credentials import FrozenCredentials
from ..errors import without_users


class Outcome(str, Enum):
    """What came of one provider."""

    NOT_CALLED_FOR = "not called for"
    FOUND = "found"
    SHADOWED = "shadowed"
    FAILED = "failed"
    #: It comes first of all, and was not asked: ``offline``, or a person would have to answer.
    WOULD_ASK = "would ask"


#: ANSI codes, for a terminal.
_COLOURS = {
    Outcome.NOT_CALLED_FOR: "2",
    Outcome.FOUND: "32",
    Outcome.SHADOWED: "33",
    Outcome.FAILED: "31",
    Outcome.WOULD_ASK: "36",
}
_WIDTH = max(len(one.value) for one in Outcome)


@dataclass(frozen=True)
class Setting:
    """An option that is set."""

    #: As it is spelt there: keyword, key or variable.
    name: str
    #: ``(set)`` for what may be a secret; of an access key the last four characters.
    value: str
    #: ``code``, ``environment``, or file and line.
    origin: str

    def __str__(self) -> str:
        """Show it as it might be written, and where it stands."""
        return f"{self.name} = {self.value}  ({self.origin})"


@dataclass(frozen=True)
class Call:
    """A request that obtaining the keys took, with all its attempts."""

    #: Service and operation, or what else was done.
    operation: str
    host: str
    #: None where there is none: an endpoint, a process.
    region: str | None
    milliseconds: int

    def __str__(self) -> str:
        """Show all of it."""
        where = f" in {self.region}" if self.region else ""
        return f"{self.operation}{where} at {self.host}: {self.milliseconds} ms"


@dataclass(frozen=True)
class Step:
    """One provider of the chain."""

    #: Its METHOD; of a link of a chain the name, as the user wrote it.
    provider: str
    outcome: Outcome
    #: Why it is not called for, which one shadows it, how it failed, whom it would ask.
    reason: str = ""
    settings: tuple[Setting, ...] = ()
    calls: tuple[Call, ...] = ()
    #: What the links of a credential chain came to, as far as they were asked.
    links: tuple["Step", ...] = ()

    def lines(self, width: int, *, colour: bool) -> Iterator[str]:
        """Give the line of this provider, and below it what belongs to it."""
        outcome = f"{self.outcome.value:<{_WIDTH}}"
        if colour:
            outcome = f"\x1b[{_COLOURS[self.outcome]}m{outcome}\x1b[0m"
        yield f"{outcome}  {self.provider:<{width}}  {self.reason}".rstrip()
        for detail in (*self.settings, *self.calls):
            yield f"{'':<{_WIDTH}}    {detail}"
        for link in self.links:
            reason = f": {link.reason}" if link.reason else ""
            yield f"{'':<{_WIDTH}}    link {link.provider}: {link.outcome.value}{reason}"


@dataclass(frozen=True)
class Found:
    """The keys that were found."""

    provider: str
    #: Masked but for its last four characters.
    access_key: str
    #: None where the source does not say.
    account_id: str | None
    #: None for keys that do not expire, as far as their source says.
    expiration: datetime | None
    #: When they were looked at.
    seen: datetime

    @classmethod
    def of(cls, provider: str, keys: FrozenCredentials, now: float) -> "Found":
        """Take what may be shown of ``keys``."""
        seen = datetime.fromtimestamp(now, timezone.utc)
        return cls(provider, keys.masked(), keys.account_id, keys.expiration, seen)

    def __str__(self) -> str:
        """Show all of it."""
        account = f", account {self.account_id}" if self.account_id else ""
        end = "no expiry"
        if self.expiration is not None:
            left = (self.expiration - self.seen).total_seconds()
            utc = self.expiration.astimezone(timezone.utc)
            end = f"expires {utc:%Y-%m-%d %H:%M:%S} UTC, in {left:.0f} s"
        return f"access key {self.access_key}{account}, {end}"


@dataclass(frozen=True)
class Explanation:
    """Why a session finds the credentials that it finds, or none. ``str`` is meant to be read."""

    profile: str
    #: What names the profile.
    profile_from: str
    #: The two AWS files, and what there is to say of them.
    files: tuple[str, ...]
    steps: tuple[Step, ...]
    found: Found | None
    #: What comes of it, in one sentence.
    conclusion: str
    #: What to know or to do, the most likely remedy first.
    notes: tuple[str, ...] = ()

    def text(self, *, colour: bool = False) -> str:
        """Return what ``str`` does, with colours if a terminal shows it."""
        width = max((len(one.provider) for one in self.steps), default=0)
        lines = [f"profile '{self.profile}' ({self.profile_from}) of {' and '.join(self.files)}"]
        for step in self.steps:
            lines += step.lines(width, colour=colour)
        lines += [self.conclusion, *(f"- {note}" for note in self.notes)]
        return "\n".join(lines)

    def __str__(self) -> str:
        """Show a line for each provider, and what to do."""
        return self.text()


# What may be shown of what somebody has set.

#: What may be shown in full; of everything else only that it is set.
_SHOWN = {
    "aws_account_id", "credential_source", "duration_seconds", "mfa_serial", "role_arn",
    "role_session_name", "source_profile", "sso_account_id", "sso_region", "sso_role_name",
    "sso_session", "sso_start_url", "web_identity_token_file", "login_session",
    "AWS_ACCOUNT_ID", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "BOTO_CONFIG",
}  # fmt: skip
_LONGEST = 120


def shown(name: str, value: object) -> str:
    """Return what may be shown of a setting that botocore reads."""
    if name.lower() == "aws_access_key_id":
        return "*" * 16 + str(value)[-4:]
    return readable(value) if name in _SHOWN else "(set)"


def host_of(url: str) -> str:
    """Return host and port of a URL: what stands before and behind them may be a secret."""
    return re.split("[/?#]", without_users(url).partition("//")[2], maxsplit=1)[0]


def readable(value: object) -> str:
    """Return a value that is no secret; a terminal shall not be told what to do by it."""
    text = str(value)
    return text if text.isprintable() and len(text) <= _LONGEST else "(set)"
