"""The token that GitHub Actions issues for a job.

https://docs.github.com/actions/reference/security/oidc
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from urllib.parse import urlencode

from ..aws.endpoint import Endpoint, EndpointError
from ..aws.http import Timeouts, is_transient, refusal, request, retry
from ..errors import ConfigurationError, FetchError
from ..runtime.context import redact_logs
from ..runtime.deadline import FETCH_BUDGET, share_of_budget
from ..runtime.helper_thread import run_within
from . import types
from .scope import Scope

#: Seconds to connect, and to wait for data.
CONNECT, READ = 2.0, 5.0
#: Further attempts; all of them are over before a fetch must be.
RETRIES = 2

_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
_REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - the name of a variable
_PERMISSION = (
    "give the job `permissions: id-token: write` (a pull request from a fork does not get it)"
)


@dataclass(frozen=True)
class GitHubActionsToken:
    """Asks GitHub Actions for a token (``github-actions://AUDIENCE``)."""

    #: Whom the token is for, as the identity provider in IAM knows it.
    audience: str
    #: Seconds to wait for data.
    timeout: float = READ
    scope: Scope = field(default_factory=Scope, repr=False, compare=False)

    def __call__(self) -> str:
        """Ask, again where that may help, and return the token.

        Raises:
            FetchError: The job has no permission, or no token came.
        """
        connect = min(CONNECT, self.timeout)
        patience = Timeouts(connect, self.timeout, whole=connect + self.timeout)
        endpoint = self._endpoint()
        clock, seconds = self.scope.clock, share_of_budget()
        try:
            attempt = partial(self._attempt, endpoint, patience)
            return retry(attempt, endpoint.authority, patience, RETRIES, clock, seconds)
        except EndpointError as error:
            fact = f"{endpoint.authority} {error}"
        raise _error(fact)

    def __reduce__(self) -> tuple[type["GitHubActionsToken"], tuple[str, float]]:
        """Travel as the audience; the job of the receiving process holds there."""
        return type(self), (self.audience, self.timeout)

    def _endpoint(self) -> Endpoint:
        address = self._variable(_URL)
        query = urlencode({"audience": self.audience}, errors="replace")
        try:
            return Endpoint.parse(f"{address}{'&' if '?' in address else '?'}{query}")
        except ValueError as error:
            fact = f"the environment variable {_URL} {error}: it is GitHub that sets it"
        raise _error(fact)

    def _attempt(self, endpoint: Endpoint, patience: Timeouts) -> str:
        status, body = request(endpoint, self._headers(), patience, self.scope.session)
        if status != HTTPStatus.OK:
            text = body.decode(errors="replace")
            raise refusal(status, _PERMISSION, is_transient=is_transient(status, text))
        try:
            value = json.loads(body)["value"]
        except (LookupError, RecursionError, TypeError, ValueError):
            value = None
        if isinstance(value, str) and value.strip():
            return value.strip()
        msg = "answered without a token: see the status page of GitHub"
        raise EndpointError(msg)

    def _headers(self) -> dict[str, str]:
        token = self._variable(_REQUEST_TOKEN)
        try:
            return {"Authorization": types.header(f"bearer {token}")}
        except ValueError as error:
            fact = f"the environment variable {_REQUEST_TOKEN} {error}: it is GitHub that sets it"
        raise _error(fact)

    def _variable(self, name: str) -> str:
        value = self.scope.environ.get(name, "").strip()
        if not value:
            msg = f"the environment variable {name} is not set: {_PERMISSION}"
            raise _error(msg)
        return value


def _error(fact: str) -> FetchError:
    return FetchError(provider="token of GitHub Actions", error_msg=fact)


# The token of whatever place this is that issues one, as the package ``id`` finds it.
#
# https://pypi.org/project/id/

#: What is left of a fetch must be as much for another attempt.
_PATIENCE = Timeouts(connect=2.0, read=5.0, whole=7.0)

#: How ``id`` begins the text of an error -> what to do.
_REMEDIES = {
    "GitHub": "give the job `permissions: id-token: write` (a pull request from a fork does not "
    "get it); github-actions://AUDIENCE says more",
    "GCP": "check that the instance has a service account, and that it may issue identity tokens",
    "Buildkite": "check that buildkite-agent is on PATH, and what its `oidc request-token` says",
    "GitLab": "name it among the `id_tokens` of the job, as the audience in capitals with _ for "
    "every other sign, and _ID_TOKEN behind it",
    "CircleCI": "check that circleci is on PATH, and what its `run oidc get` says",
}
#: How ``id`` says that it was refused: with the status and all that was answered.
_REFUSED = re.compile(r"\(code=(\d+), body=(.*)\)", re.DOTALL)
#: How it ends the text of an error where no token was answered, and none refused.
_UNANSWERED = re.compile(r"(timed out|malformed or incomplete JSON|missing from response)$")


@dataclass(frozen=True)
class AmbientToken:
    """Takes the token of GitHub Actions, Google Cloud, Buildkite, GitLab CI/CD or CircleCI.

    In a profile it is ``ambient://AUDIENCE``. The package ``id`` finds out where the program runs,
    from the environment of the process, and asks there (extra ``oidc``).
    """

    #: Whom the token is for, as the identity provider in IAM knows it.
    audience: str
    scope: Scope = field(default_factory=Scope, repr=False, compare=False)

    def __call__(self) -> str:
        """Ask, again where that may help, and return the token.

        Raises:
            ConfigurationError: The package ``id`` is not installed.
            FetchError: This is no such place, or no token for the audience came.
        """
        try:
            from id import detect_credential  # noqa: PLC0415 - of the extra oidc
        except ImportError:
            fact = "the package `id` is not installed: run `pip install botocore-ext[oidc]`"
            raise ConfigurationError(provider="ambient token", error_msg=fact) from None
        clock, seconds = self.scope.clock, share_of_budget()
        attempt = partial(self._attempt, detect_credential, clock.monotonic() + seconds)
        try:
            return retry(attempt, "the ambient token", _PATIENCE, RETRIES, clock, seconds)
        except EndpointError as error:
            fact = f"the ambient token {error}"
        raise FetchError(provider="ambient token", error_msg=fact)

    def __reduce__(self) -> tuple[type["AmbientToken"], tuple[str]]:
        """Travel as the audience."""
        return type(self), (self.audience,)

    def _attempt(self, detect: Callable[[str], str | None], deadline: float) -> str:
        """Let ``id`` ask once.

        Raises:
            EndpointError: No token came.
        """
        left = deadline - self.scope.clock.monotonic()
        try:
            ask = partial(run_within, left, partial(detect, self.audience))
            token = redact_logs(ask)
        except TimeoutError:
            fact = f"was not there after {FETCH_BUDGET} seconds: check what issues tokens here"
            failure = EndpointError(fact, retry=False)
        except Exception as error:  # noqa: BLE001 - some hold what was answered: none is shown
            failure = _explain(error)
        else:
            if token is not None:
                return token
            fact = (
                "cannot be had here: this is none of GitHub Actions, Google Cloud, Buildkite, "
                "GitLab CI/CD and CircleCI"
            )
            failure = EndpointError(fact, retry=False)
        raise failure


def _explain(error: Exception) -> EndpointError:
    """Say what is wrong, of its text no more than which place it speaks of, and the status."""
    place = str(error).partition(":")[0]
    refused = _REFUSED.search(str(error))
    if refused is not None and is_transient(int(refused[1]), refused[2]):
        fact = f"of {place} did not come: it answered with status {refused[1]}: see its status page"
        return EndpointError(fact)
    # An answer that is not JSON, or holds no token, says nothing: a proxy may have given it.
    passes = isinstance(error, ValueError) or _UNANSWERED.search(str(error)) is not None
    if place in _REMEDIES:
        return EndpointError(f"of {place} did not come: {_REMEDIES[place]}", retry=passes)
    fact = (
        f"did not come, or is not one for this audience alone ({type(error).__name__}): "
        "check the audience, and what issues tokens here"
    )
    return EndpointError(fact, retry=passes)


# The token schemes.


def github_token(audience: str, scope: Scope) -> GitHubActionsToken:
    """Return the source for ``github-actions://``."""
    return GitHubActionsToken(audience, scope=scope)


def ambient_token(audience: str, scope: Scope) -> AmbientToken:
    """Return the source for ``ambient://``."""
    return AmbientToken(audience, scope=scope)
