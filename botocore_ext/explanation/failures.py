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
from ..providers.process import REMEDY
from .botocore_rules import RULES
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
        found = provider.load()
        return None if found is None else FrozenCredentials.from_credentials(found)

    method = str(provider.METHOD)
    rule = RULES.get(method)
    if rule is None:
        return load()
    check_settings(provider, view)
    context = _Context(method, rule.source(view), rule.remedy(view), view.profile)
    return native(method, context.source, context.remedy, partial(_translate_errors, context, load))


def check_settings(provider: CredentialProvider, view: View) -> None:
    """Raise what is wrong in the settings of a provider of botocore; a call would not help."""
    method = str(provider.METHOD)
    problem = RULES[method].problem(view) if method in RULES else None
    if problem is not None:
        raise ConfigurationError(provider=method, error_msg=problem)


def describe_error(error: Exception) -> str:
    """Return the text of an error on one line, without what other libraries put into it."""
    # The links of a chain are listed on lines of their own.
    text = error.reason.split("\n")[0] if isinstance(error, ProviderError) else redacted_text(error)
    return " ".join(text.split())


def _translate_errors(
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


def _not_logged_in(context: _Context, error: Exception) -> ProviderError | None:
    is_absent = isinstance(error, exceptions.SSOTokenLoadError) or "existing" in str(error)
    fact = f"profile '{context.profile}' is not logged in: {context.remedy}"
    return FetchError(provider=context.method, error_msg=fact) if is_absent else None


def _already_expired(context: _Context, error: Exception) -> ProviderError | None:
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
    exceptions.SSOTokenLoadError: _not_logged_in,
    exceptions.LoginTokenLoadError: _not_logged_in,
    RuntimeError: _already_expired,
    ValueError: _refused_host,
}
