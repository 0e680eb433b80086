"""An explanation, as data and as text, without secrets."""

import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from enum import Enum
from html import escape
from itertools import groupby
from typing import Any

from ..aws.frozen_credentials import FrozenCredentials, rfc_3339

#: The version of ``Explanation.to_dict()``: another one if a name or a meaning changes.
SCHEMA_VERSION = 1


class Outcome(str, Enum):
    """What happened to one provider."""

    NOT_CONFIGURED = "not configured"
    FOUND = "found"
    #: An earlier provider was used, failed or was not tried.
    SKIPPED = "skipped"
    FAILED = "failed"
    #: The first configured provider was not tried: ``offline``, or a person would have to answer.
    NOT_TRIED = "not tried"


class Verdict(str, Enum):
    """What an explanation concludes."""

    FOUND = "found"
    #: A provider is configured but failed.
    FAILED = "failed"
    #: A provider is configured, but was not tried.
    CONFIGURED = "configured"
    NOT_CONFIGURED = "not configured"
    #: Whether a provider has credentials shows only when it is tried, as on an EC2 instance.
    UNKNOWN = "unknown"
    #: The profile does not exist.
    NO_PROFILE = "no profile"
    #: An AWS file cannot be read.
    BAD_FILE = "bad file"
    #: A malformed setting keeps boto3 from looking for credentials.
    BAD_SETTING = "bad setting"


#: ANSI codes, for a terminal.
_GREEN, _RED, _DIM = "32", "31", "2"
_COLORS: dict[Enum, str] = {
    Outcome.FOUND: _GREEN,
    Outcome.FAILED: _RED,
    Outcome.SKIPPED: _DIM,
    Verdict.FOUND: _GREEN,
    Verdict.FAILED: _RED,
    Verdict.NOT_CONFIGURED: _RED,
    Verdict.NO_PROFILE: _RED,
    Verdict.BAD_FILE: _RED,
    Verdict.BAD_SETTING: _RED,
}
#: What names the profile; anything else is the variable that does.
_NAMED = {"caller": "named by the caller", "default": "no profile is named"}
#: The columns of the outcome.
_WIDTH = max(len(one.value) for one in Outcome if one is not Outcome.NOT_CONFIGURED)


@dataclass(frozen=True)
class File:
    """An AWS file."""

    path: str
    exists: bool
    #: Why botocore does not read it; None if it does.
    problem: str | None = None

    def __str__(self) -> str:
        """Return the path, and why botocore does not read the file, if so."""
        return f"{self.path} ({self.problem})" if self.problem else self.path


@dataclass(frozen=True)
class Setting:
    """An option that is set."""

    #: The keyword, ini key or variable, as it is written there.
    name: str
    #: ``(set)`` for what may be a secret; the last four characters of an access key.
    value: str
    #: ``code``, ``environment``, or file and line.
    origin: str
    #: The profile that it is a setting of; None for code and the environment.
    profile: str | None = None

    def __str__(self) -> str:
        """Return the setting as it might be written, and where it is."""
        return f"{self.name} = {self.value}  ({self.origin})"


@dataclass(frozen=True)
class Call:
    """A request that retrieved the credentials."""

    #: Service and operation, or what was done instead.
    operation: str
    host: str
    #: None for an endpoint or a process.
    region: str | None
    milliseconds: int

    def where(self) -> str:
        """Return what was called where."""
        region = f" in {self.region}" if self.region else ""
        return f"{self.operation}{region} at {self.host}"


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
    #: The links of a credential chain.
    links: tuple["Step", ...] = ()

    def details(self, profile: str) -> Iterator[str]:
        """Yield a line for each setting, call and link.

        Args:
            profile: The profile that needs no mention; settings of others follow their names.
        """
        for named, settings in groupby(self.settings, lambda one: one.profile or profile):
            indent = ""
            if named != profile:
                indent = "  "
                yield f"profile {named}"
            yield from (f"{indent}{setting}" for setting in settings)
        for where, calls in groupby(self.calls, Call.where):
            yield f"{where}: {', '.join(f'{call.milliseconds} ms' for call in calls)}"
        for link in self.links:
            reason = f": {link.reason}" if link.reason else ""
            yield f"link {link.provider}: {link.outcome.value}{reason}"
            _, is_profile, name = link.provider.partition("profile ")
            yield from (f"  {line}" for line in link.details(name if is_profile else profile))


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

    verdict: Verdict
    #: The verdict in one sentence.
    conclusion: str
    #: The cause of a failure, and what to know or to do, the most likely remedy first.
    notes: tuple[str, ...]
    found: Found | None
    #: The credential provider chain, in order.
    steps: tuple[Step, ...]
    profile: str
    #: What names the profile: ``caller``, the variable, or ``default`` if nothing does.
    profile_from: str
    #: The config file and the credentials file.
    files: tuple[File, ...]

    def text(self, *, verbose: bool = False, color: bool = False, width: int | None = None) -> str:
        """Return the text of ``str``.

        Args:
            verbose: Whether to list the providers that are not configured.
            color: Whether to add the colors of a terminal.
            width: Columns after which lines are wrapped; None: never.
        """
        lines = []
        for line, what in self._lines(verbose=verbose):
            wrapped = wrap(line, width)
            if color and isinstance(what, Verdict):
                wrapped = [_paint(one, what) for one in wrapped]
            elif color and what is not None:
                wrapped[0] = _paint(what.value, what) + wrapped[0][len(what.value) :]
            lines += wrapped
        return "\n".join(lines)

    def __str__(self) -> str:
        """Return the verdict, what to do, what was tried, and the files."""
        return self.text()

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for JSON: enums in lower case, times in UTC."""
        data: dict[str, Any] = _plain(asdict(self))
        return {"schema_version": SCHEMA_VERSION, **data}

    def _repr_html_(self) -> str:
        """Return the same as a table, which Jupyter shows."""
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        rows = "".join(
            f"<tr><td>{outcome.value}</td><td>{escape(text)}</td>"
            f"<td>{'<br>'.join(map(escape, details))}</td></tr>"
            for outcome, text, details in self._rows()
        )
        head = "<tr><th>Outcome</th><th>Provider</th><th>Details</th></tr>"
        conclusion = f"<p><b>{escape(self.conclusion)}</b></p>"
        end = "<br>".join(map(escape, self._end(verbose=False)))
        return f"{conclusion}<ul>{notes}</ul><table>{head}{rows}</table><p>{end}</p>"

    def _lines(self, *, verbose: bool) -> Iterator[tuple[str, Outcome | Verdict | None]]:
        """Yield the lines of the text, each with what gives its color."""
        yield self.conclusion, self.verdict
        yield from ((f"- {note}", None) for note in self.notes)
        yield "", None
        for outcome, text, details in self._rows():
            yield f"{outcome.value:<{_WIDTH}}  {text}", outcome
            yield from ((f"    {detail}", None) for detail in details)
        yield from ((line, None) for line in self._end(verbose=verbose))

    def _rows(self) -> Iterator[tuple[Outcome, str, list[str]]]:
        """Yield the outcome of each configured provider, with details; those skipped share one.

        Why a provider failed or was not tried is among the notes, or in the conclusion.
        """
        skipped: dict[str, list[str]] = {}
        for step in self.steps:
            if step.outcome is Outcome.SKIPPED:
                skipped.setdefault(step.reason, []).append(step.provider)
            elif step.outcome is not Outcome.NOT_CONFIGURED:
                yield step.outcome, step.provider, [*step.details(self.profile)]
        for reason, names in skipped.items():
            yield Outcome.SKIPPED, f"{', '.join(names)} ({reason})", []

    def _end(self, *, verbose: bool) -> Iterator[str]:
        """Yield what is not configured, the profile and the files."""
        others = [one for one in self.steps if one.outcome is Outcome.NOT_CONFIGURED]
        if others and verbose:
            yield "Not configured:"
            yield from (f"  {step.provider}: {step.reason}" for step in others)
        elif others:
            plural = "s" * (len(others) > 1)
            yield f"Not configured: {len(others)} provider{plural} (--verbose lists them)"
        named = _NAMED.get(self.profile_from, f"named by {self.profile_from}")
        yield f"Profile: '{self.profile}' ({named})"
        yield f"Files: {', '.join(map(str, self.files))}"


def wrap(line: str, width: int | None) -> list[str]:
    """Return a line in lines of ``width`` columns, those after the first one indented further."""
    words = line.lstrip(" ")
    begin = line[: len(line) - len(words)]
    if width is None or not words:
        return [line]
    hanging = begin + " " * (4 if begin else 2)
    return textwrap.wrap(
        words, width, initial_indent=begin, subsequent_indent=hanging,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _paint(text: str, what: Enum) -> str:
    return f"\x1b[{_COLORS.get(what, '0')}m{text}\x1b[0m"


def _plain(value: Any) -> Any:
    """Return a value of ``asdict`` for JSON."""
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, datetime):
        return rfc_3339(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
