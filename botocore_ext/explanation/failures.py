"""Errors of botocore's own providers, in words that say what to do.

Their own texts may hold what a process printed or what an endpoint answered.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from botocore import exceptions
from botocore.credentials import CredentialProvider

from ..aws.botocore_errors import native
from ..aws.frozen_credentials import FrozenCredentials
from ..errors import ConfigurationError, FetchError, ProviderError, redacted_text
from ..profiles.inert import source_profile_chain
from ..profiles.selection import role_source
from ..providers.process import REMEDY
from .botocore_rules import RULES
from .values import printable
from .view import View

#: The part of a refusal of a container endpoint that may be shown.
_STATUS = re.compile(r"Received non 200 response (\d+)")


class _Context(NamedTuple):
    """The provider that failed, for the text of the error."""

    method: str
    #: Where its credentials come from, and what to do if that fails.
    source: str
    remedy: str
    profile: str


#: Returns the error to raise instead of botocore's; None if another text fits that one.
_Translate: TypeAlias = Callable[[_Context, Any], ProviderError | None]


def credentials_of(provider: CredentialProvider, view: View) -> FrozenCredentials | None:
    """Return the credentials of a provider of another package, or None.

    Raises:
        Exception: The provider failed; see ``describe_error``.
    """

    def load() -> FrozenCredentials | None:
        try:
            found = provider.load()
        except (exceptions.InvalidConfigError, exceptions.PartialCredentialsError):
            if method == "assume-role":
                _check_role(view)
            if method == "sso":
                _check_sso_session(view)
            raise
        return None if found is None else FrozenCredentials.from_credentials(found)

    method = str(provider.METHOD)
    rule = RULES.get(method)
    if rule is None:
        return load()
    context = _Context(method, rule.source(view), rule.remedy(view), view.profile)
    return native(method, context.source, context.remedy, partial(_translated, context, load))


def describe_error(error: Exception) -> str:
    """Return the text of an error on one line, without what other libraries put into it."""
    # The links of a chain are listed on lines of their own.
    text = error.reason.split("\n")[0] if isinstance(error, ProviderError) else redacted_text(error)
    return " ".join(text.split())


def _translated(
    context: _Context, load: Callable[[], FrozenCredentials | None]
) -> FrozenCredentials | None:
    """Load, and translate the errors that mean more here than ``native`` knows."""
    try:
        return load()
    except ProviderError:
        raise
    except tuple(_TRANSLATIONS) as error:
        translate = next(one for kind, one in _TRANSLATIONS.items() if isinstance(error, kind))
        translated = translate(context, error)
        if translated is None:
            raise
    raise translated


def _not_retrieved(context: _Context, error: Any) -> ProviderError:
    source = error.kwargs["provider"]
    status = _STATUS.search(str(error))
    if source == "custom-process":
        fact = f"credential_process failed, or did not print version 1: {REMEDY}"
    elif source == "container-role":
        answer = f"answered with status {status[1]}" if status else "returned no credentials"
        fact = f"{context.source} {answer}: {context.remedy}"
    else:
        fact = (
            f"credential_source {source} returned no credentials: check what it needs, or name "
            "another source"
        )
    return FetchError(provider=context.method, error_msg=fact)


def _fact_of(method: str, fact: str) -> _Translate:
    """Return a translation to ``fact`` for the errors of one provider."""

    def translate(context: _Context, _: Exception) -> ProviderError | None:
        if context.method != method:
            return None
        return ConfigurationError(provider=method, error_msg=f"{context.source} {fact}")

    return translate


def _not_logged_in(context: _Context, _: Exception) -> ProviderError:
    fact = f"profile '{context.profile}' has no token of `aws sso login`: {context.remedy}"
    return FetchError(provider=context.method, error_msg=fact)


def _expired(context: _Context, error: Exception) -> ProviderError | None:
    if not str(error).startswith("Credentials were refreshed, but"):
        return None
    fact = f"{context.source} returned credentials that have expired: {context.remedy}"
    return FetchError(provider=context.method, error_msg=fact)


def _refused_host(context: _Context, error: Exception) -> ProviderError | None:
    if not str(error).startswith("Unsupported host"):
        return None
    fact = (
        f"{context.source} was not called, because botocore calls only loopback addresses and the "
        "agents of ECS and EKS: correct AWS_CONTAINER_CREDENTIALS_FULL_URI"
    )
    return ConfigurationError(provider=context.method, error_msg=fact)


#: What botocore raises -> how to translate it.
_TRANSLATIONS: Mapping[type[Exception], _Translate] = {
    exceptions.CredentialRetrievalError: _not_retrieved,
    exceptions.InvalidConfigError: _fact_of(
        "assume-role-with-web-identity",
        "is configured without a role: set AWS_ROLE_ARN, or role_arn in the profile",
    ),
    exceptions.SSOTokenLoadError: _not_logged_in,
    IndexError: _fact_of("custom-process", "is empty: write the command, or remove the setting"),
    RuntimeError: _expired,
    ValueError: _refused_host,
}


def _check_role(view: View) -> None:
    """Raise what is wrong in the profiles of a role, if anything is."""
    visited: list[str] = []
    for name in source_profile_chain(view.profiles, view.profile):
        visited.append(name)
        if "role_arn" in view.profiles[name]:
            problem = role_source(name, view.profiles, visited).problem
            if problem is not None:
                fact = f"profile '{name}' of {view.config_file} {problem}"
                raise ConfigurationError(provider="assume-role", error_msg=fact)


def _check_sso_session(view: View) -> None:
    """Raise if the section that ``sso_session`` names is missing."""
    name = view.values.get("sso_session")
    if name is not None and name not in view.session.full_config.get("sso_sessions", {}):
        fact = f"[sso-session {printable(name)}] is not in {view.config_file}"
        remedy = "add it with `aws configure sso`, or correct sso_session"
        raise ConfigurationError(provider="sso", error_msg=f"{fact}: {remedy}")
