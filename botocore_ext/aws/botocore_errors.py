"""Translation of the errors of botocore's providers and fetchers, which this package calls.

They become errors of this package, so that a chain knows whether to continue, and so that no error
shows the content of a file or the output of a process.
"""

import subprocess
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from configparser import DuplicateOptionError, DuplicateSectionError, RawConfigParser
from configparser import Error as ParserError
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from botocore import exceptions
from botocore.session import Session
from botocore.utils import resolve_imds_endpoint_mode

from ..errors import ConfigurationError, FetchError, NotConfigured, ProviderError
from ..runtime.context import redact_logs
from .clients import is_handler_error, is_parser_error
from .frozen_credentials import FieldError

T = TypeVar("T")

#: Malformed content may be a secret: none of it is shown.
_MALFORMED = "{source} returned something that cannot be read: {remedy}"

#: The error to raise -> errors of botocore's fetchers, and the text for each. It shows only those
#: parts of ``error`` that cannot contain the content of a file, process or answer.
_TEXTS: Mapping[type[ProviderError], Mapping[type[Exception], str]] = {
    ConfigurationError: {
        exceptions.PartialCredentialsError: (
            "{source} has an access key but no {error.kwargs[cred_var]}: set both, or neither"
        ),
        exceptions.ConfigParseError: (
            "{unreadable[0]} cannot be read as an AWS config or credentials file: {unreadable[1]}"
        ),
        exceptions.ProfileNotFound: (
            "there is no profile '{error.kwargs[profile]}' in the AWS files: add it, or correct "
            "AWS_PROFILE or profile_name"
        ),
        exceptions.InvalidIMDSEndpointError: (
            "{error.kwargs[endpoint]} is not an address of a metadata service: correct "
            "AWS_EC2_METADATA_SERVICE_ENDPOINT or ec2_metadata_service_endpoint"
        ),
        exceptions.InvalidIMDSEndpointModeError: (
            "{error.kwargs[mode]} is neither ipv4 nor ipv6: correct "
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE or ec2_metadata_service_endpoint_mode"
        ),
        exceptions.MissingDependencyException: "{error.kwargs[msg]}",
    },
    NotConfigured: {
        exceptions.MetadataRetrievalError: (
            "{source} returned no token, and IMDSv1, which needs none, is disabled: raise the hop "
            "limit of the instance for containers, or allow IMDSv1"
        )
    },
    FetchError: {
        exceptions.SSOTokenLoadError: "{source} has no accessToken or no expiresAt: {remedy}",
        exceptions.UnauthorizedSSOTokenError: (
            "{source} contains a token that has expired or is not accepted anymore: {remedy}"
        ),
        exceptions.TokenRetrievalError: (
            "{source} contains a token that has expired and could not be refreshed: {remedy}"
        ),
        exceptions.LoginRefreshRequired: (
            "{source} belongs to a login that has expired or whose password has changed: {remedy}"
        ),
        exceptions.LoginInsufficientPermissions: (
            "{source} belongs to a user who lacks a permission to refresh it: allow "
            "signin:CreateOAuth2Token"
        ),
        exceptions.LoginTokenLoadError: (
            "{source} cannot be used ({error.kwargs[error_msg]}): {remedy}"
        ),
        exceptions.LoginError: ("{source} contains a refresh token that is not accepted: {remedy}"),
        subprocess.CalledProcessError: (
            "{source} ended with status {error.returncode}: run the command by hand to see why"
        ),
        subprocess.TimeoutExpired: (
            "{source} took longer than {error.timeout:g} seconds and was ended: run the command by "
            "hand to see what it waits for, or raise timeout"
        ),
        OSError: "{source} cannot be used ({error.strerror}): {remedy}",
        LookupError: "{error} is missing in {source}, or in the answer of the service: {remedy}",
        exceptions.ParamValidationError: _MALFORMED,
        FieldError: "{source} returned credentials that cannot be used ({error}): {remedy}",
        ArithmeticError: _MALFORMED,
        AttributeError: _MALFORMED,
        RuntimeError: _MALFORMED,
        TypeError: _MALFORMED,
        ValueError: _MALFORMED,
    },
}
#: An error of botocore's fetchers -> the error to raise and its text.
MEANINGS = {error: (kind, text) for kind, texts in _TEXTS.items() for error, text in texts.items()}


def native(method: str | None, source: str, remedy: str, work: Callable[[], T]) -> T:
    """Run code of botocore with redacted logs, and translate its errors.

    This is not a context manager, so that botocore's error, and the secrets in it, does not become
    the context of the translated one. The error names ``method``, the METHOD of the provider, and
    ``source``, where the credentials come from; ``remedy`` is for a malformed source.

    Raises:
        ProviderError: See ``MEANINGS``. Errors of services and connections are unchanged.
    """
    try:
        return redact_logs(work)
    except tuple(MEANINGS) as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        kind, text = meaning
        is_file = isinstance(error, exceptions.ConfigParseError)
        unreadable = unreadable_file(error) if is_file else None
        fact = text.format(error=error, source=source, remedy=remedy, unreadable=unreadable)
    raise kind(provider=method, error_msg=fact)


def unreadable_file(error: Any) -> tuple[str, str]:
    """Return the file, and line if known, of a ``ConfigParseError``, and what to do.

    The text of the error itself may hold a secret.
    """
    path, cause = error.kwargs["path"], error.kwargs["error"]
    lines = [number for number, _ in getattr(cause, "errors", [])]
    line = getattr(cause, "lineno", None) or next(iter(lines), None)
    remedy = "correct its syntax: [section], name = value, and lists on one line"
    if isinstance(cause, UnicodeDecodeError) or getattr(cause, "line", "").startswith("\ufeff"):
        remedy = "save it as UTF-8 without a byte order mark"
    elif isinstance(cause, (DuplicateOptionError, DuplicateSectionError)):
        remedy = "the file has the name in this line twice: remove or rename one of the two"
    elif line is None:
        line = _line_without_equals(path)
        remedy = "write the indented line as NAME = VALUE, with = and not :"
    return f"{path}:{line}" if line else path, remedy


def _line_without_equals(path: str) -> int | None:
    """Return the first line of an indented block that botocore cannot read.

    It is the first line with which the beginning of the file can no longer be read.
    """
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            lines = list(file)
        end = len(lines) + 1
        line = bisect_left(range(end), 1, key=lambda count: _is_malformed(lines[:count]))
    except (OSError, ParserError):  # it was replaced after botocore had read it
        return None
    return line if line < end else None


def _is_malformed(lines: Sequence[str]) -> bool:
    parser = RawConfigParser()
    parser.read_string("".join(lines))
    values = (value for name in parser for value in dict(parser[name]).values())
    blocks = (value.splitlines() for value in values if value.startswith("\n"))
    return any(line.strip() and "=" not in line for block in blocks for line in block)


def _meaning(error: Exception) -> tuple[type[ProviderError], str] | None:
    """Return the row of an error; None if it is raised unchanged.

    Many errors of botocore are also an ``OSError`` or a ``ValueError``, but not about a file.
    """
    if isinstance(error, ProviderError) or is_handler_error(error):
        return None
    if is_parser_error(error):
        remedy = "check that nothing between here and AWS changes it"
        return FetchError, f"{{source}} was used, but the answer of AWS cannot be read: {remedy}"
    rows = [row for row in MEANINGS if isinstance(error, row)]
    if isinstance(error, exceptions.BotoCoreError):
        rows = [row for row in rows if issubclass(row, exceptions.BotoCoreError)]
    return MEANINGS[rows[0]] if rows else None


# Settings that botocore reads for every session to create its providers.

#: botocore's names of the numbers among the metadata service settings.
METADATA_NUMBERS = ("metadata_service_timeout", "metadata_service_num_attempts")


def whole_number(session: Session, method: str | None, name: str) -> Any:
    """Return a number among botocore's settings.

    Raises:
        ConfigurationError: The setting is not a whole number.
    """
    try:
        return session.get_config_variable(name)
    except ValueError:
        pass
    fact = f"{name} is not a whole number: correct AWS_{name.upper()}, or {name} in the profile"
    raise ConfigurationError(provider=method, error_msg=fact)


def read_settings(session: Session) -> None:
    """Read the settings; botocore's errors are raised as they are.

    Raises:
        ValueError: A number is not a whole number.
        botocore.exceptions.InvalidIMDSEndpointModeError: The mode is neither IPv4 nor IPv6.
    """
    for name in METADATA_NUMBERS:
        session.get_config_variable(name)
    resolve_imds_endpoint_mode(session)


def check_settings(session: Session, method: str | None) -> None:
    """Check the settings for a session that uses one provider only, which ``method`` names.

    Raises:
        ConfigurationError: One of them is malformed, or the profile does not exist.
    """
    create_with_botocore(session, method, partial(resolve_imds_endpoint_mode, session))


def create_with_botocore(session: Session, method: str | None, create: Callable[[], T]) -> T:
    """Return botocore's own providers, which ``create`` creates.

    Raises:
        ConfigurationError: One of their settings is malformed, even if they are never used.
    """

    def work() -> T:
        for name in METADATA_NUMBERS:
            whole_number(session, method, name)
        return create()

    return native(method, "the AWS config", "correct it", work)
