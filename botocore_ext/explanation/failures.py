"""What a failure of botocore's own providers means, in words that say what to do.

Their own texts hold what a process printed and what an endpoint answered.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from botocore import exceptions
from botocore.credentials import CredentialProvider

from ..aws.botocore_errors import native
from ..aws.frozen_credentials import FrozenCredentials
from ..errors import ConfigurationError, FetchError, ProviderError, shown
from ..profiles.inert import source_profile_chain
from ..profiles.selection import role_source
from .botocore_rules import PROCESS_REMEDY, RULES
from .report import readable
from .view import View

#: What of a refusal of a container's endpoint may be shown.
_STATUS = re.compile(r"Received non 200 response (\d+)")


class _Asked(NamedTuple):
    """What was asked, for the texts of its errors."""

    method: str
    #: Whence its keys come, and what to do where that fails.
    place: str
    remedy: str
    profile: str


#: Says what an error means; None where another text of it is meant.
_Say: TypeAlias = Callable[[_Asked, Any], ProviderError | None]


def keys_of(provider: CredentialProvider, view: View) -> FrozenCredentials | None:
    """Return the keys of a provider that is none of ours, or None.

    Raises:
        Exception: It failed; see ``said``.
    """

    def work() -> FrozenCredentials | None:
        try:
            found = provider.load()
        except (exceptions.InvalidConfigError, exceptions.PartialCredentialsError):
            if method == "assume-role":
                _check_role(view)
            if method == "sso":
                _check_session(view)
            raise
        return None if found is None else FrozenCredentials.from_credentials(found)

    method = str(provider.METHOD)
    rule = RULES.get(method)
    if rule is None:
        return work()
    asked = _Asked(method, rule.place(view), rule.remedy(view), view.profile)
    return native(method, asked.place, asked.remedy, partial(_worded, asked, work))


def said(error: Exception) -> str:
    """Return the text of an error on one line; what others write may hold a secret."""
    # Of a chain the links are shown below.
    text = error.reason.split("\n")[0] if isinstance(error, ProviderError) else shown(error)
    return " ".join(text.split())


def _worded(
    asked: _Asked, work: Callable[[], FrozenCredentials | None]
) -> FrozenCredentials | None:
    """Say what botocore's exceptions leave open; the others are ``native``'s to say."""
    try:
        return work()
    except ProviderError:
        raise
    except tuple(_FACTS) as error:
        say = next(say for kind, say in _FACTS.items() if isinstance(error, kind))
        found = say(asked, error)
        if found is None:
            raise
    raise found


def _not_retrieved(asked: _Asked, error: Any) -> ProviderError:
    named = error.kwargs["provider"]
    status = _STATUS.search(str(error))
    if named == "custom-process":
        fact = f"credential_process failed, or printed no keys of version 1: {PROCESS_REMEDY}"
    elif named == "container-role":
        what = f"answered with status {status[1]}" if status else "gave no keys"
        fact = f"{asked.place} {what}: {asked.remedy}"
    else:
        fact = f"credential_source {named} has no keys: see what it needs, or name another source"
    return FetchError(provider=asked.method, error_msg=fact)


def _of(method: str, fact: str) -> _Say:
    """Make what says ``fact`` of the place, where it is this provider that failed."""

    def say(asked: _Asked, _: Exception) -> ProviderError | None:
        if asked.method != method:
            return None
        return ConfigurationError(provider=method, error_msg=f"{asked.place} {fact}")

    return say


def _not_logged_in(asked: _Asked, _: Exception) -> ProviderError:
    fact = f"there is no token of `aws sso login` for profile '{asked.profile}': {asked.remedy}"
    return FetchError(provider=asked.method, error_msg=fact)


def _expired(asked: _Asked, error: Exception) -> ProviderError | None:
    if not str(error).startswith("Credentials were refreshed, but"):
        return None
    fact = f"{asked.place} gave keys that have expired: {asked.remedy}"
    return FetchError(provider=asked.method, error_msg=fact)


def _refused_host(asked: _Asked, error: Exception) -> ProviderError | None:
    if not str(error).startswith("Unsupported host"):
        return None
    return ConfigurationError(
        provider=asked.method,
        error_msg=f"{asked.place} is not asked, because botocore speaks http to loopback addresses "
        "and to the agents of ECS and EKS only: correct AWS_CONTAINER_CREDENTIALS_FULL_URI",
    )


#: What botocore raises -> what it means.
_FACTS: Mapping[type[Exception], _Say] = {
    exceptions.CredentialRetrievalError: _not_retrieved,
    exceptions.InvalidConfigError: _of(
        "assume-role-with-web-identity",
        "is named, but no role: set AWS_ROLE_ARN, or role_arn in the profile",
    ),
    exceptions.SSOTokenLoadError: _not_logged_in,
    IndexError: _of("custom-process", "is empty: write the command, or remove the key"),
    RuntimeError: _expired,
    ValueError: _refused_host,
}


def _check_role(view: View) -> None:
    """Raise what is wrong in the profiles of a role, if that is what failed."""
    visited: list[str] = []
    for name in source_profile_chain(view.profiles, view.profile):
        visited.append(name)
        if "role_arn" in view.profiles[name]:
            problem = role_source(name, view.profiles, visited).problem
            if problem is not None:
                fact = f"profile '{name}' of {view.config_file} {problem}"
                raise ConfigurationError(provider="assume-role", error_msg=fact)


def _check_session(view: View) -> None:
    """Raise that the section is missing which ``sso_session`` names, if that is what failed."""
    name = view.values.get("sso_session")
    if name is not None and name not in view.session.full_config.get("sso_sessions", {}):
        fact = f"[sso-session {readable(name)}] of {view.config_file} is not there"
        remedy = "write it as `aws configure sso` does, or correct sso_session"
        raise ConfigurationError(provider="sso", error_msg=f"{fact}: {remedy}")
